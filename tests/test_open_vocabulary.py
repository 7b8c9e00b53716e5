"""Training and evaluating an open-vocabulary network through the scripts, with the n-gram stand-in for text."""

import contextlib
import json

import pytest
import torch

import train
import val
from models.load import load_model
from utils import checkpoint

TEXT = ["--cfg", "rtvpnet-plain-n.yaml", "--text-encoder", "ngram:64"]
QUICK = ["--img", "64", "--batch", "4", "--workers", "0", "--device", "cpu", "--noplots", "--epochs", "1"]


@pytest.fixture(scope="module")
def run(glass, tmp_path_factory):
    home = tmp_path_factory.mktemp("text")
    with contextlib.chdir(home):
        assert train.main([*TEXT, *QUICK, "--data", str(glass)]) == 0
    return home / "runs" / "train" / "exp"


def test_checkpoint_holds_the_vectors_of_its_names(run):
    content = checkpoint.load(run / "weights" / "last.pt")
    assert content["vocabulary"]["vectors"].shape == (5, 64)
    assert content["vocabulary"]["encoder"].startswith("STAND-IN:ngram")
    loaded = load_model(run / "weights" / "last.pt")
    assert torch.equal(loaded.model.vocabulary, content["vocabulary"]["vectors"])
    assert loaded.words.vocabulary.names == loaded.names


def test_val_gives_the_logged_numbers(run, tmp_path):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--project", str(tmp_path), "--device", "cpu", "--noplots"]
    assert val.main([*argv, "--iou", "0.7"]) == 0
    ours, logged = (json.loads((p / "results.json").read_text()) for p in (tmp_path / "exp", run))
    assert ours["coco"] == logged["coco"]


def test_resumed_epochs_equal_an_unbroken_run(glass, tmp_path, monkeypatch):
    """With all of RTVPNet's rows: the bypass is drawn by the step, so it needs no state."""
    argv = ["--cfg", "rtvpnet-n.yaml", "--text-encoder", "ngram:64", *QUICK[:-2], "--data", str(glass), "--noval"]
    monkeypatch.chdir(tmp_path)
    assert train.main([*argv, "--epochs", "2", "--name", "whole"]) == 0
    assert train.main([*argv, "--epochs", "2", "--name", "part", "--max-time", "1s"]) == 0
    assert train.main(["--resume", "runs/train/part/weights/last.pt", "--max-time", "1h"]) == 0
    whole, part = (checkpoint.load(f"runs/train/{name}/weights/last.pt") for name in ("whole", "part"))
    assert all(torch.equal(whole["model"][key], part["model"][key]) for key in whole["model"])


@pytest.mark.parametrize(
    "argv, code, words",
    [
        (["--cfg", "idfe-net-n", "--text-encoder", "ngram"], 2, "reads no text"),
        (["--cfg", "rtvpnet-n", "--text-encoder", "nosuch"], 2, "no such encoder"),
        (["--cfg", "rtvpnet-n", "--text-encoder", "vectors:nosuch.safetensors"], 4, "nosuch.safetensors"),
        (
            ["--cfg", "rtvpnet-plain-n", "--text-encoder", "ngram", "--set", "model.sam=none"],
            2,
            "no row for Mobile-SAM",
        ),
        (["--cfg", "rtvpnet-n", "--text-encoder", "ngram", "--set", "model.sam=sam.pt"], 4, "sam.pt"),
        (["--cfg", "idfe-net-n", "--data", "OTHER"], 2, "needs a model with text"),
    ],
)
def test_mistakes(glass, tmp_path, monkeypatch, capsys, argv, code, words):
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other.yaml"
    text = glass.read_text().split("names:")[0].replace("path: .", f"path: {glass.parent}")
    other.write_text(f"{text}\nnames: {{train: [a, b, c, d, e], val: [v, w, x, y, z]}}\n")
    argv = [str(other) if word == "OTHER" else word for word in argv]
    assert train.main([*argv, *([] if "--data" in argv else ["--data", str(glass)]), *QUICK]) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(errors) == 1 and words in errors[0]
