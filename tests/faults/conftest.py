"""Runs that the tests of checkpoints damage."""

import contextlib
import shutil
from pathlib import Path

import pytest

import train
from tests.faults.trained_runs import QUICK, READING, TINY, last_of


@pytest.fixture(scope="package")
def home(glass, tmp_path_factory) -> Path:
    """A working folder with a run of two epochs of each kind of network, and one that was stopped in the middle."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(glass.parent, home / "glass")
    (home / "tiny.yaml").write_text(TINY)
    (home / "reading.yaml").write_text(READING)
    with contextlib.chdir(home):
        for name, more in (("tiny", []), ("reading", []), ("stopped", ["--max-time", "0.01s"])):
            cfg = "reading.yaml" if name == "reading" else "tiny.yaml"
            assert train.main([*QUICK, "--cfg", cfg, "--data", "glass/data.yaml", "--name", name, *more]) == 0
    return home


@pytest.fixture
def stopped(home, tmp_path, monkeypatch) -> Path:
    """last.pt of a run that may go on, in a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "glass", tmp_path / "glass")
    shutil.copytree(home / "runs" / "train" / "stopped", tmp_path / "runs" / "train" / "stopped")
    return last_of(tmp_path, "stopped")
