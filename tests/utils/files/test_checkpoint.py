import errno
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from models.ready.load import load_model
from utils.console.failure import GAVE_OUT, explain
from utils.files import checkpoint
from utils.words.errors import CheckpointError, DamagedError, ResourceError

WEIGHTS = {"module": {"layers.0.weight": torch.arange(4.0)}, "updates": 3}
CONTENT = {"model_spec": {"nc": 1}, "names": ["a"], "channels": ["r"], "config": {}, "origins": {}, "launch": ""}
CONTENT |= {"ema": WEIGHTS, "epoch": 0, "step": 3, "best": None}


class Payload:
    def __reduce__(self):
        return os.mkdir, ("payload-was-run",)


def test_round_trip_and_previous(tmp_path):
    path = tmp_path / "last.pt"
    checkpoint.save(path, CONTENT, keep_previous=True)
    checkpoint.save(path, {**CONTENT, "names": ["b"]}, keep_previous=True)
    assert checkpoint.load(path)["names"] == ["b"]
    assert checkpoint.load(tmp_path / "last.prev.pt")["names"] == ["a"]
    assert torch.equal(checkpoint.load(path)["ema"]["module"]["layers.0.weight"], torch.arange(4.0))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.prev.pt", "last.pt"]


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "old.pt"
    torch.save({"format": 1, **CONTENT}, path)
    with pytest.raises(CheckpointError, match=r"old\.pt: of another version: its format is 1, this program reads"):
        checkpoint.load(path)


def malicious_zip(path):
    torch.save({"format": 1, "model_spec": {}, "x": Payload()}, path)


def malicious_pickle(path):
    path.write_bytes(pickle.dumps(Payload()))


def legacy(path):
    torch.save({"format": 1, "model_spec": {}}, path, _use_new_zipfile_serialization=False)


def truncated(path):
    checkpoint.save(path, CONTENT)
    path.write_bytes(path.read_bytes()[:-200])


def foreign_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("hello.txt", "hello")


def foreign_torch(path):
    torch.save({"state_dict": torch.zeros(3)}, path)


def empty(path):
    path.write_bytes(b"")


def folder(path):
    path.mkdir()


@pytest.mark.parametrize(
    "make", [malicious_zip, malicious_pickle, legacy, truncated, foreign_zip, foreign_torch, empty, folder]
)
def test_bad_files_are_refused_in_one_line(tmp_path, make, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pt"
    make(path)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(path)
    assert "bad.pt" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "payload-was-run").exists()


def test_the_refusal_names_what_it_wanted(tmp_path):
    malicious_zip(tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match="mkdir"):
        checkpoint.load(tmp_path / "bad.pt")


def test_missing_file():
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        checkpoint.load("nowhere.pt")


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    checkpoint.save(path, CONTENT)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ResourceError, match="No space left"):
        checkpoint.save(path, CONTENT, keep_previous=True)
    monkeypatch.undo()
    assert checkpoint.load(path)["names"] == ["a"] and [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_newest(tmp_path):
    assert checkpoint.newest(tmp_path, "best.pt") is None
    for number, name in enumerate(("exp", "exp2")):
        path = tmp_path / name / "weights" / "best.pt"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        os.utime(path, ns=(number, 10 - number))
    assert checkpoint.newest(tmp_path, "best.pt").parts[-3] == "exp"


def test_newest_of_several_names(tmp_path):
    for number, name in enumerate(("last.pt", "last.prev.pt")):
        path = tmp_path / f"exp{number}" / "weights" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        os.utime(path, ns=(number, number))
    assert checkpoint.newest(tmp_path, "last.pt", "last.prev.pt").parts[-3] == "exp1"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO, errno.EPERM])
def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path, monkeypatch, number):
    path = tmp_path / "last.pt"
    checkpoint.save(path, CONTENT)

    def refused(*_args, **_kwargs):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(CheckpointError, match=f"cannot be read: {os.strerror(number)}") as caught:
        checkpoint.load(path)
    assert not isinstance(caught.value, DamagedError)
    expected = ResourceError if number in GAVE_OUT else CheckpointError
    assert type(explain(caught.value)) is expected


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "file/below.pt", "loop", "dangling"])
def test_names_that_no_file_has(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        checkpoint.load(tmp_path / name)


def test_a_folder_in_the_way_of_a_save(tmp_path):
    path = tmp_path / "last.pt"
    checkpoint.save(path, CONTENT)
    for name in (".last.pt.tmp", ".last.prev.pt.tmp", "last.prev.pt"):
        (tmp_path / name).mkdir()
        with pytest.raises(ResourceError, match=r"last\.pt: cannot be written: "):
            checkpoint.save(path, {**CONTENT, "names": ["b"]}, keep_previous=True)
        (tmp_path / name).rmdir()
        assert checkpoint.load(path)["names"] == ["a"] and [p.name for p in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.usefixtures("messages")
def test_knobs_that_this_version_does_not_know_are_left_out_and_named(trained, tmp_path, capsys):
    """As a checkpoint of an earlier version has them, or of a later one."""
    content = torch.load(trained / "weights" / "best.pt", weights_only=True)
    content["config"]["optim"]["gone"] = 0.5
    content["config"]["later"] = {f"knob{k}": k for k in range(7)}
    torch.save(content, tmp_path / "old.pt")
    loaded = load_model(tmp_path / "old.pt")
    assert loaded.config.optim == load_model(trained / "weights" / "best.pt").config.optim
    lines = [line for line in capsys.readouterr().err.splitlines() if "of another version" in line]
    assert len(lines) == 1
    assert "old.pt: of another version: optim.gone, later.knob0" in lines[0] and "later.knob3 and 3 more" in lines[0]
