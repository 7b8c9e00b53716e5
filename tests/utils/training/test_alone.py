"""One training for one run folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from utils.training.alone import LOCK, alone_in
from utils.words.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
# a training with a worker that it forked, which outlives it for a while
HOLDER = """
import os, sys, time
from pathlib import Path
from utils.training.alone import alone_in
with alone_in(Path(sys.argv[1])):
    if os.fork():
        print("held", flush=True)
    time.sleep(30)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of tmp_path."""
    one = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert one.stdout.readline() == "held\n"
    yield one
    os.killpg(one.pid, signal.SIGKILL)
    one.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="no locks")
def test_a_second_one_is_refused_until_the_first_is_killed(tmp_path, holder):
    with pytest.raises(ConfigError, match=r"another train.py writes into it; wait for it"), alone_in(tmp_path):
        pass
    with pytest.raises(ConfigError, match="writes into it"), alone_in(tmp_path, earlier=True):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with alone_in(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK], "though the worker still lives"


def test_a_folder_of_others_is_not_written_to(tmp_path):
    with alone_in(tmp_path, earlier=True):
        assert not list(tmp_path.iterdir())


def test_no_folder_no_lock(tmp_path):
    with alone_in(tmp_path / "missing"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no links")
def test_no_link_is_followed(tmp_path):
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with alone_in(tmp_path):
        assert not (tmp_path / "elsewhere").exists()
