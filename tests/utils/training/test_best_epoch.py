"""What a run writes at its end is about the weights that it hands on."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import detect
import train
import val
from models.ready.load import load_model
from tests.conftest import QUICK
from utils.files import checkpoint
from utils.training.state import TrainState


@pytest.fixture(scope="module")
def finished(glass, tmp_path_factory):
    """A run of three epochs, the first of which was the best."""
    home, real = tmp_path_factory.mktemp("finished"), TrainState.is_best
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(TrainState, "is_best", lambda state, fitness: state.epoch == 0 and real(state, fitness))
        assert train.main([*QUICK, "--data", str(glass), "--epochs", "3"]) == 0
    return home / "runs" / "train" / "exp"


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A copy of it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(finished, tmp_path / "runs" / "train" / "exp"))


def test_results_report_and_thresholds_are_of_the_best_epoch(run, glass):
    assert "best.pt (epoch 1), results.csv" in (run / "train.log").read_text()
    for name in ("best", "last"):
        words = ["--weights", str(run / "weights" / f"{name}.pt"), "--data", str(glass), "--workers", "0"]
        assert val.main([*words, "--noplots", "--name", name]) == 0
    best, last = (run.parents[1] / "val" / name for name in ("best", "last"))
    shown = (run / "predictions.json").read_bytes()
    assert shown == (best / "predictions.json").read_bytes() != (last / "predictions.json").read_bytes()
    ours = json.loads((run / "results.json").read_text())
    theirs = json.loads((best / "results.json").read_text())
    assert {**ours, "losses": {}} == {**theirs, "weights": "best.pt", "epoch": 1}
    about = json.loads((run / "report.json").read_text())["provenance"]
    assert about.items() >= checkpoint.weights_about(run / "weights" / "best.pt").items()
    assert "best.pt" in (run / "report.html").read_text()
    digest = load_model(run / "weights" / "best.pt").weights.digest
    assert f'weights: {{file: "best.pt", digest: "{digest}"}}' in (run / "thresholds.yaml").read_text()
    last = checkpoint.load(run / "weights" / "last.pt", resumable=True)
    assert (last["epoch"], last["best_epoch"]) == (2, 0)


def test_detect_warns_of_the_weights_that_the_thresholds_are_not_of(run, glass, capsys):
    words = ["--thresholds", str(run / "thresholds.yaml"), "--source", str(glass.parent / "images" / "val"), "--nosave"]
    for name in ("best.pt", "last.pt"):
        capsys.readouterr()
        assert detect.main(["--weights", str(run / "weights" / name), *words]) == 0
        assert ("chosen with other weights" in capsys.readouterr().err) == (name == "last.pt")


@pytest.mark.parametrize("damage", ["removed", "damaged", "of another epoch"])
def test_without_the_best_weights_the_results_are_of_the_last(run, damage, capsys):
    """When the results of a run are missing, --resume makes them."""
    best, last = run / "weights" / "best.pt", run / "weights" / "last.pt"
    if damage == "removed":
        best.unlink()
    elif damage == "damaged":
        best.write_bytes(best.read_bytes()[:-100])
    else:
        torch.save({**torch.load(best, weights_only=True), "epoch": 1}, best)
    (run / "report.json").unlink()
    assert train.main(["--resume", str(last)]) == 0
    assert json.loads((run / "results.json").read_text())["weights"] == "last.pt"
    said = capsys.readouterr().err
    assert ("the results are about last.pt" in said) == (damage != "removed")
    digest = load_model(last).weights.digest
    assert digest in (run / "thresholds.yaml").read_text()


def test_a_run_whose_results_are_missing_makes_those_of_its_best_epoch(run):
    before = (run / "results.json").read_bytes()
    for name in ("report.json", "results.json", "thresholds.yaml"):
        (run / name).unlink()
    assert train.main(["--resume", str(run / "weights" / "last.pt")]) == 0
    assert (run / "results.json").read_bytes() == before
