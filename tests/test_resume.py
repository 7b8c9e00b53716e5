"""A run that is stopped or killed at any moment and resumed ends like one that was not, bit for bit on the CPU."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import train
from tests.conftest import QUICK
from utils.files import checkpoint

ROOT = Path(__file__).parent.parent
STEPS = [*QUICK, "--close-mosaic", "0", "--save-steps", "1", "--noplots", "--set", "optim.nominal_batch=8"]
EPOCHS = ["--epochs", "3"]


def state_of(run: Path) -> dict[str, torch.Tensor]:
    content = checkpoint.load(run / "weights" / "last.pt")
    averaged = {f"ema.{key}": value for key, value in content["ema"]["module"].items()}
    moments = {f"{key}.{name}": v for key, one in content["optimizer"]["state"].items() for name, v in one.items()}
    assert moments, "the optimizer keeps averages of gradients"
    return {**content["model"], **averaged, **moments}


def assert_same(one: Path, two: Path) -> None:
    """Weights, average, the optimizer's state, best.pt and results.csv."""
    ours, theirs = state_of(one), state_of(two)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert (one / "results.csv").read_bytes() == (two / "results.csv").read_bytes()
    best = [checkpoint.load(run / "weights" / "best.pt")["ema"]["module"] for run in (one, two)]
    assert all(torch.equal(best[0][k], best[1][k]) for k in best[0])
    assert (one / "results.json").read_bytes() == (two / "results.json").read_bytes()


def interrupting(monkeypatch, name, moment, number):
    """The signal comes during the `moment`-th call of train's function `name`."""
    whole, calls = getattr(train, name), []

    def call(*args, **kwargs):
        calls.append(1)
        if len(calls) == moment:
            os.kill(os.getpid(), number)
        return whole(*args, **kwargs)

    monkeypatch.setattr(train, name, call)


@pytest.mark.parametrize(
    ("name", "moment", "number", "words"),
    [
        pytest.param("forward_backward", 2, signal.SIGTERM, ["--workers", "0"], marks=pytest.mark.slow),
        ("forward_backward", 5, signal.SIGINT, ["--workers", "2"]),
        ("forward_backward", 6, signal.SIGTERM, ["--bf16"]),
        ("predict", 2, signal.SIGTERM, []),
        pytest.param("score", 3, signal.SIGINT, [], marks=pytest.mark.slow),
        pytest.param("finish", 1, signal.SIGINT, ["--patience", "1", "--epochs", "8"], marks=pytest.mark.slow),
    ],
)
def test_stopped_and_resumed(glass, tmp_path, monkeypatch, capsys, name, moment, number, words):
    """In the middle of gradients that are added up, at the end of an epoch, in evaluation, before the last words."""
    monkeypatch.chdir(tmp_path)
    command = [*STEPS, *EPOCHS, "--data", str(glass), *words]
    assert train.main(command) == 0
    with monkeypatch.context() as patch:
        interrupting(patch, name, moment, number)
        code = train.main(command)
    run = tmp_path / "runs" / "train" / "exp2"
    assert code == 128 + number and "--resume" in capsys.readouterr().err
    assert not (run / "report.json").exists()
    assert train.main(["--resume"]) == 0
    assert_same(tmp_path / "runs" / "train" / "exp", run)


def start(folder: Path, *words: str) -> subprocess.Popen:
    command = [sys.executable, str(ROOT / "train.py"), *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.05)


@pytest.mark.slow
def test_killed_without_warning(glass, tmp_path, monkeypatch):
    """kill -9 as soon as something is saved, and a little later each time, until the run is through."""
    monkeypatch.chdir(tmp_path)
    command = [*STEPS, *EPOCHS, "--data", str(glass)]
    assert train.main(command) == 0
    process = start(tmp_path, *command)
    last = tmp_path / "runs" / "train" / "exp2" / "weights" / "last.pt"
    wait_for(last, process)
    for delay in (0.3, 0.6):
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert checkpoint.load(last)["step"] > 0  # never lost, never half written
        process = start(tmp_path, "--resume", str(last))
        before = last.stat().st_mtime_ns
        while last.stat().st_mtime_ns == before and process.poll() is None:
            time.sleep(0.05)
    process.kill()
    process.communicate()
    assert train.main(["--resume", str(last)]) == 0
    assert_same(tmp_path / "runs" / "train" / "exp", last.parent.parent)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = [*STEPS, *EPOCHS, "--data", str(glass)]
    assert train.main(command) == 0
    with monkeypatch.context() as patch:
        interrupting(patch, "forward_backward", 5, signal.SIGTERM)
        assert train.main(command) == 143
    last = tmp_path / "runs" / "train" / "exp2" / "weights" / "last.pt"
    last.write_bytes(last.read_bytes()[:-1000])
    capsys.readouterr()
    assert train.main(["--resume", str(last)]) == 0
    assert "continuing from last.prev.pt" in capsys.readouterr().err
    assert_same(tmp_path / "runs" / "train" / "exp", last.parent.parent)


def test_of_an_earlier_version(trained, tmp_path, capsys):
    content = checkpoint.load(trained / "weights" / "last.pt")
    del content["done"], content["format"]
    checkpoint.save(tmp_path / "last.pt", content)
    assert train.main(["--resume", str(tmp_path / "last.pt")]) == 4
    assert "--weights" in capsys.readouterr().err


def test_stopped_in_the_middle_of_a_save(glass, tmp_path, monkeypatch):
    """The save is finished first; what is resumed is whole."""
    monkeypatch.chdir(tmp_path)
    command = [*STEPS, *EPOCHS, "--data", str(glass)]
    assert train.main(command) == 0
    whole, calls = checkpoint._verify, []

    def verify(path):
        calls.append(path)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        whole(path)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_verify", verify)
        assert train.main(command) == 143
    assert not list(tmp_path.rglob("*.tmp"))
    assert train.main(["--resume"]) == 0
    assert_same(tmp_path / "runs" / "train" / "exp", tmp_path / "runs" / "train" / "exp2")
