"""A network that starts from ImageNet, through train.py, --resume, val.py and detect.py."""

import contextlib
import json
from pathlib import Path

import pytest

import detect
import train
import val
from models.ready.backbone_weights import PACKAGES
from utils.files import checkpoint

WORDS = ["--cfg", "idfe-net-lite0-n.yaml", "--img", "64", "--batch", "6", "--workers", "0", "--device", "cpu"]
PACKAGE = PACKAGES["tf_efficientnet_lite0"]
ORIGIN = f"{PACKAGE.name} 0.1.0 (SHA-256 {PACKAGE.digest[:8]})"


@pytest.fixture(scope="module")
def begun(glass, tmp_path_factory) -> Path:
    """The working directory of a run of two epochs, of which one is done."""
    home = tmp_path_factory.mktemp("home")
    words = ["--epochs", "2", "--set", "optim.backbone_lr=0.1", "--set", "model.backbone_norm=frozen"]
    with contextlib.chdir(home):
        assert train.main([*WORDS, "--data", str(glass), "--noplots", "--max-time", "0.001h", *words]) == 0
    return home


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_results_and_checkpoints_name_what_the_network_started_from(begun, glass):
    run = begun / "runs" / "train" / "exp"
    assert read(run / "results.json")["backbone"] == ORIGIN
    assert f"# backbone: {ORIGIN}" in (run / "thresholds.yaml").read_text()
    assert checkpoint.load(run / "weights" / "best.pt")["backbones"] == [ORIGIN]
    with contextlib.chdir(begun):
        assert train.main(["--resume"]) == 0
        assert val.main(["--batch", "6", "--workers", "0", "--device", "cpu", "--noplots"]) == 0
        assert detect.main(["--source", str(glass.parent / "images" / "val"), "--device", "cpu", "--nosave"]) == 0
    ended = checkpoint.load(run / "weights" / "last.pt", resumable=True)
    assert ended["backbones"] == [ORIGIN] and ended["epoch"] == 1 and ended["done"]
    assert {group.get("lr_factor") for group in ended["optimizer"]["param_groups"]} == {None, 0.1}
    assert read(begun / "runs" / "val" / "exp" / "results.json")["backbone"] == ORIGIN


def test_a_run_from_a_checkpoint_names_where_its_backbone_began(begun, glass, capsys):
    """Its layers may then stay as they came, too."""
    weights = str(begun / "runs" / "train" / "exp" / "weights" / "best.pt")
    words = ["--weights", weights, "--epochs", "1", "--name", "next", "--noplots"]
    with contextlib.chdir(begun):
        assert train.main([*WORDS, "--data", str(glass), *words]) == 0
    assert "tf_efficientnet_lite0 up to stride 4 stays as it came: 15,792 parameters" in capsys.readouterr().out
    started = read(begun / "runs" / "train" / "next" / "results.json")["backbone"]
    assert started == f"best.pt, which started from {ORIGIN}"


def test_the_weights_come_without_a_network(glass, tmp_path, monkeypatch):
    """Nobody is looked up, nothing is connected to, whatever timm and its friends are used to."""

    def refuse(*_args, **_keywords):
        raise AssertionError("the network was asked for")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    assert train.main([*WORDS, "--data", str(glass), "--epochs", "1", "--noplots"]) == 0
    assert train.main([*WORDS, "--data", str(glass), "--dry-run", "--set", "model.backbone=none"]) == 0


def test_the_start_is_said_and_a_choice_that_makes_no_sense_is_refused(glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "--data", str(glass), "--dry-run"]
    assert train.main(words) == 0
    assert f"tf_efficientnet_lite0: 288 of 296 tensors of {ORIGIN}; left out: the classifier" in capsys.readouterr().out
    assert train.main([*words, "--set", "model.backbone=none"]) == 0
    said = capsys.readouterr().out
    assert "tf_efficientnet_lite0: from scratch" in said and "stays as it came" not in said
    assert train.main([*words, "--freeze", "body"]) == 0, "its weights are known, so that it may stay"
    capsys.readouterr()
    for extra, code, said in (
        (["--freeze", "body", "--set", "model.backbone=none"], 2, "row 0 (TimmBackbone) would stay as random"),
        (["--cfg", "idfe-net-n.yaml", "--set", "model.backbone=none"], 2, "idfe-net-n.yaml has no TimmBackbone row"),
        (["--cfg", "idfe-net-n.yaml", "--set", "optim.backbone_lr=0.1"], 2, "optim.backbone_lr has no effect"),
        (["--set", "model.backbone=none", "--set", "schedule.freeze_backbone=1"], 2, "it has nothing to keep"),
        (["--set", "model.backbone=gone.pth"], 4, "gone.pth: no such checkpoint; give a file of timm's"),
    ):
        assert train.main([*words, *extra]) == code
        error = capsys.readouterr().err
        assert said in error and "Traceback" not in error
    assert not list(tmp_path.iterdir())
