"""One thread per test process, whatever runs beside it; hypothesis without a clock."""

import contextlib
import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import train
from data.drawn.glass_set import write_glass
from utils.console.log import LOG, start_logging

os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each compiles every file anew
torch.set_num_threads(1)
UNTOUCHED = (), LOG.level, LOG.propagate
settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")


@pytest.fixture(autouse=True)
def log_as_before():
    """A script that a test or its fixture runs takes over the log, which the next test may want to read."""
    LOG.handlers[:], LOG.level, LOG.propagate = UNTOUCHED
    yield
    LOG.handlers[:], LOG.level, LOG.propagate = UNTOUCHED


@pytest.fixture
def messages():
    """What is logged appears on the console, as in a script."""
    start_logging()


@pytest.fixture(scope="session")
def glass(tmp_path_factory) -> Path:
    """data.yaml of a small built-in set: 12 training and 6 validation pictures of 128 px."""
    return write_glass(tmp_path_factory.mktemp("glass") / "set", train=12, val=6, size=128)


QUICK = ["--cfg", "idfe-net-n.yaml", "--img", "96", "--batch", "4", "--workers", "0", "--device", "cpu"]


@pytest.fixture(scope="session")
def trained(glass, tmp_path_factory) -> Path:
    """The run folder of two epochs on the glass set, made in a working directory of its own (its great-grandparent)."""
    home = tmp_path_factory.mktemp("home")
    with contextlib.chdir(home):
        assert train.main([*QUICK, "--data", str(glass), "--epochs", "2"]) == 0
    return home / "runs" / "train" / "exp"
