"""The end of a process among several: its exit code, whatever PyTorch's threads still do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from utils.console.script import end

ROOT = Path(__file__).resolve().parents[3]
CROWDED = """
import os, sys
import torch
from utils.processes.distributed import find_place, joined
from utils.console.script import end

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
with joined(find_place(None), torch.device("cpu"), 30.0) as world:
    world.broadcast("hello")
    for thread in map(int, os.listdir("/proc/self/task")):
        if thread != os.getpid():
            os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    world.broadcast("and good-bye")
    end(3)
"""
POLITE = """
import atexit, sys
from utils.console.script import end

atexit.register(print, "last")
sys.stdout.write("first ")
end(4)
"""


def started(script: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="no idle threads on this system")
def test_gloos_late_threads_do_not_abort():
    """Two processes on one core, where gloo's threads run last: sys.exit ends most such pairs by SIGABRT."""
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = str(free.getsockname()[1])
        shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
        pair = [started(CROWDED, RANK=rank, LOCAL_RANK=rank, **shared) for rank in ("0", "1")]
        said = [process.communicate(timeout=120)[0] for process in pair]
        assert [process.returncode for process in pair] == [3, 3], said


@pytest.mark.parametrize("size", ["", "1", "2"])
def test_nothing_is_left_out(size):
    """What was printed is flushed, what was registered for the exit runs, alone and among others."""
    process = started(POLITE, WORLD_SIZE=size)
    assert process.communicate(timeout=60)[0] == "first last\n" and process.returncode == 4


def test_alone_it_is_an_ordinary_exit(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    with pytest.raises(SystemExit) as left:
        end(5)
    assert left.value.code == 5
