"""What ships is there, is ours, and works without a run, an encoder, or a network."""

import hashlib
import shutil
import socket
from pathlib import Path

import cv2
import numpy as np
import pytest

import detect
import train
import val
from models.pretrained import shipped
from models.ready.load import load_model
from utils.words.errors import CheckpointError, DamagedError
from utils.words.yamlio import read_yaml

MOST_BYTES = 12_000_000


@pytest.fixture()
def alone(tmp_path, monkeypatch):
    """A folder without runs, no text encoder, no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("models.graph.open_vocabulary.find_encoder", None)

    connect = socket.socket.connect

    def local_only(self, address):
        assert self.family == socket.AF_UNIX, "no connection is needed"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
    return tmp_path


@pytest.mark.parametrize("name", shipped.SHA256)
def test_the_files_are_ours_and_small(name):
    path = shipped.find(name)
    assert path.stat().st_size <= MOST_BYTES
    assert hashlib.sha256(path.read_bytes()).hexdigest() == shipped.SHA256[name]
    assert f"`{name}`" in (shipped.FOLDER / "README.md").read_text("utf-8")
    assert {file.stem for file in shipped.FOLDER.glob("*.pt")} == set(shipped.SHA256)


def test_words_without_a_run(alone, glass, capsys):
    source = str(glass.parent / "images" / "val")
    assert detect.main(["--prompts", "scratch, 气泡, unheard", "--source", source, "--device", "cpu"]) != 0
    capsys.readouterr()
    assert detect.main(["--prompts", "scratch, 气泡, defect", "--source", source, "--device", "cpu"]) == 0
    assert "rtvpnet-lite0-n, which ships" in capsys.readouterr().out
    assert detect.main(["--unknown", "--prompts", "Scratches", "--source", source, "--device", "cpu"]) == 0
    assert "was never trained" not in capsys.readouterr().err, "it knows what a defect is"


def test_words_count_at_the_usual_score(alone, glass, capsys):
    """By a name alone hardly anything has a score of 0.25 on pictures unlike the training's; beside "defect" it has."""
    looks = detect.Detector(shipped.OPEN, "cpu", prompts="bubble, scratch")
    assert sum(len(looks(one, conf=0.25)) for one in (glass.parent / "images" / "val").iterdir()) >= 7
    grey = alone / "grey.png"
    cv2.imwrite(str(grey), np.full((200, 200, 3), 90, np.uint8))
    assert detect.main(["--prompts", "bubble, scratch", "--source", str(grey), "--device", "cpu"]) == 0
    assert "by these words nothing has a score of 0.25: a lower --conf shows" in capsys.readouterr().out


def test_examples_without_a_run(alone, glass):
    found = detect.Detector(shipped.OPEN, "cpu", examples=glass)
    names = read_yaml(glass).data["names"]
    assert list(found.names) == (list(names.values()) if isinstance(names, dict) else names)


def test_a_run_that_reads_words_comes_first(alone, trained, glass, capsys):
    source = ["--source", str(glass.parent / "images" / "val"), "--device", "cpu"]
    weights = Path("runs/train/exp/weights")
    weights.mkdir(parents=True)
    shutil.copy(trained / "weights" / "best.pt", weights / "best.pt")
    assert detect.main(["--prompts", "scratch", *source]) == 0
    assert "which ships" in capsys.readouterr().out, "the run is of a closed network"
    assert detect.main(source) == 0
    assert "which ships" not in capsys.readouterr().out, "nobody asked for words"
    shutil.copy(shipped.find(shipped.OPEN), weights / "best.pt")
    assert detect.main(["--prompts", "scratch", *source]) == 0
    assert "which ships" not in capsys.readouterr().out, "this run reads words"


def test_by_name_everywhere(alone, glass, capsys):
    data = ["--weights", shipped.OPEN, "--data", str(glass), "--device", "cpu"]
    assert val.main([*data, "--single-cls", "--prompts", "defect", "--noplots"]) == 0
    quick = ["--img", "64", "--batch", "4", "--workers", "0", "--noplots", "--epochs", "1", "--noval", "--single-cls"]
    assert train.main([*data, *quick]) == 0
    assert "tensors taken" in capsys.readouterr().out
    assert load_model("runs/train/exp/weights/last.pt").names == ("defect",)


def test_another_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(CheckpointError, match="git checkout rtvpnet-lite0-n.pt"):
        shipped.find(shipped.OPEN)
    (tmp_path / "rtvpnet-lite0-n.pt").write_bytes(b"another")
    with pytest.raises(DamagedError, match="not the file that ships"):
        shipped.find(shipped.OPEN)


def test_names_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="did you mean 'rtvpnet-lite0-n'"):
        shipped.find("rtvpnet-lite-n")
    assert shipped.find("best.pt") == Path("best.pt") and shipped.find("runs/x/best.pt") == Path("runs/x/best.pt")
    Path(shipped.OPEN).touch()
    assert shipped.find(shipped.OPEN) == Path(shipped.OPEN), "a file of the user's comes first"
