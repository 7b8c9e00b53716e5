"""What is measured of a machine: shared memory, handles, processes."""

import os
import sys

import pytest

from utils.processes import worker_room
from utils.processes.worker_room import Room


def test_handles_are_those_that_are_left():
    before = Room.here()
    assert before.handles and before.handles > 0
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
    try:
        assert Room.here().handles == before.handles - 10
    finally:
        for handle in opened:
            os.close(handle)


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory is a folder on Linux")
def test_shared_memory_that_is_absent_or_read_only_is_none(tmp_path, monkeypatch):
    assert worker_room._shared(tmp_path) > 0
    assert worker_room._shared(tmp_path / "absent") == 0
    (tmp_path / "file").touch()
    assert worker_room._shared(tmp_path / "file") == 0


@pytest.mark.parametrize("folder", [".", "pids"])
def test_processes_of_a_container(tmp_path, folder):
    group = tmp_path / folder
    group.mkdir(exist_ok=True)
    assert worker_room._processes(tmp_path) is None
    (group / "pids.current").write_text("12\n")
    (group / "pids.max").write_text("max\n")
    assert worker_room._processes(tmp_path) is None
    (group / "pids.max").write_text("20\n")
    assert worker_room._processes(tmp_path) == 8


def test_processes_share_memory_but_not_handles():
    assert Room(100, 100, 100).shared_by(4) == Room(25, 100, 25)
    assert Room().shared_by(4) == Room()
