"""A checkpoint is read whole and right, or refused in one line."""

import contextlib
import random
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

import detect
import train
import val
from models.ready.load import load_model
from tests.faults.damaged_checkpoints import FILES, LARGE, LIES, OTHERS, flip, spans, with_entry
from tests.faults.trained_runs import QUICK, last_of, one_line
from utils.files import checkpoint
from utils.words.errors import CheckpointError, DamagedError, NumericError

ENTRIES = ["format", "model_spec", "names", "channels", "config", "origins", "launch", "ema", "epoch", "step", "best"]
TRAINING = ["model", "optimizer", "scaler", "batches", "best_epoch", "skipped_in_a_row", "complete", "done", "losses"]
NESTED = [
    "model_spec.nc",
    "model_spec.backbone",
    "model_spec.head.0",
    "model_spec.anchors",
    "names.0",
    "shown",
    "shown.0",
    "config.data",
    "config.optim.lr0",
    "config.data.data",
    "ema.module",
    "ema.updates",
    "ema.module.layers.0.conv.weight",
    "model.layers.0.conv.weight",
    "optimizer.state",
    "optimizer.state.0",
    "optimizer.state.0.momentum_buffer",
    "optimizer.param_groups",
    "optimizer.param_groups.0",
    "optimizer.param_groups.0.lr",
    "optimizer.param_groups.0.params",
    "optimizer.param_groups.0.weight_decay",
    "losses.sums",
    "losses.pictures",
    "rng",
    "rng.0",
    "rng.0.torch",
    "rng.0.cuda",
]
NESTED += [
    "data_fingerprint",
    "data_fingerprint.val",
    "data_fingerprint.train.pictures",
    "environment",
    "environment.torch",
]
WORDS = [
    "synonyms",
    "vocabulary",
    "vocabulary.vectors",
    "vocabulary.templates",
    "vocabulary.encoder",
    "vocabulary.source",
]


def same(one, two) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(two, torch.Tensor) and one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(one, dict):
        return isinstance(two, dict) and list(one) == list(two) and all(same(one[k], two[k]) for k in one)
    if isinstance(one, list | tuple):
        return type(one) is type(two) and len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and one == two


# --- bits ---------------------------------------------------------------------------------------------------------


def refused_or_equal(path: Path, whole: dict) -> bool:
    """Whether the file is refused; otherwise it must hold what it held."""
    try:
        content = checkpoint.load(path, resumable=True)
    except CheckpointError as error:
        assert "\n" not in str(error) and str(path) in str(error)
        return True
    assert same(content, whole)
    return False


@pytest.mark.parametrize("part", ["pickle", "tensors", "directory", "all"])
def test_flipped_bits(home, tmp_path, part):
    whole, rng, refused = checkpoint.load(last_of(home, "tiny")), random.Random(part), 0
    for _ in range(15):
        path = Path(shutil.copy(last_of(home, "tiny"), tmp_path))
        flip(path, rng, *spans(path)[part])
        refused += refused_or_equal(path, whole)
    assert refused


@pytest.mark.faults
@pytest.mark.parametrize("part", ["pickle", "tensors", "directory", "all"])
@pytest.mark.parametrize("seed", range(10))
def test_many_flipped_bits(home, tmp_path, part, seed):
    whole, rng = checkpoint.load(last_of(home, "tiny")), random.Random(f"{part} {seed}")
    for _ in range(100):
        path = Path(shutil.copy(last_of(home, "tiny"), tmp_path))
        flip(path, rng, *spans(path)[part])
        refused_or_equal(path, whole)


def test_every_bit_of_a_tensor_counts(home, tmp_path):
    """A flipped bit in a tensor leaves a number like any other: only the checksum knows."""
    path = Path(shutil.copy(last_of(home, "tiny"), tmp_path))
    with zipfile.ZipFile(path) as file:
        info = next(info for info in file.infolist() if info.filename.endswith("/data/2"))
        file.open(info).close()
        start = info.header_offset + 30 + sum(path.read_bytes()[info.header_offset + at] for at in (26, 28))
    data = bytearray(path.read_bytes())
    data[start + 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="checksum of data/2 is wrong"):
        checkpoint.load(path)


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [*FILES, *(pytest.param(make, marks=pytest.mark.faults) for make in LARGE)])
def test_files(home, tmp_path, monkeypatch, capsys, make):
    """Refused in one line by all three scripts, before anything is written."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "glass", "glass")
    (tmp_path / "run" / "weights").mkdir(parents=True)
    bad = "run/weights/bad.pt"
    make(Path(shutil.copy(last_of(home, "tiny"), tmp_path / bad)))
    for main, words in (
        (val.main, ["--weights", bad, "--data", "glass/data.yaml"]),
        (detect.main, ["--weights", bad, "--source", "glass/images/val"]),
        (train.main, ["--resume", bad]),
    ):
        assert main(words) == 4
        assert "bad.pt: " in one_line(capsys, 4)
    assert not (tmp_path / "runs").exists()


# --- entries --------------------------------------------------------------------------------------------------------


def attacked(home: Path, folder: Path, capsys, place: str, value: object, name: str) -> set[int]:
    """The exit codes of everything that reads a checkpoint with another `value` at `place`: no traceback."""
    path = folder / "run" / "weights" / "bad.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = torch.load(last_of(home, name), weights_only=True)
    torch.save(with_entry(content, place, value), path)
    cfg = "reading.yaml" if name == "reading" else "tiny.yaml"
    calls = [
        (val.main, ["--weights", str(path), "--noplots", "--workers", "0", "--data", "glass/data.yaml"]),
        (detect.main, ["--weights", str(path), "--source", "glass/images/val/", "--nosave"]),
        (train.main, [*QUICK, "--weights", str(path), "--cfg", cfg, "--data", "glass/data.yaml", "--dry-run"]),
        (train.main, ["--resume", str(path), "--dry-run"]),
    ]
    codes = set()
    with contextlib.chdir(home):
        for main, words in calls:
            code = main(words)
            codes.add(code)
            err = capsys.readouterr().err
            # 2, 3: the file says another data set, which --resume does not find, or other classes than its data
            other = "--resume" in words and place.startswith(("config.data", "names"))
            assert code in ((0, 2, 3, 4) if other else (0, 4)), err
            assert "Traceback" not in err and (code != 4 or "bad.pt" in err)
    return codes


@pytest.mark.parametrize("place", ["names", "ema.module", "config.optim.lr0", "optimizer.state.0"])
def test_entries(home, tmp_path, capsys, place):
    assert 4 in attacked(home, tmp_path, capsys, place, {"a": 1}, "stopped")


@pytest.mark.faults
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("place", [*ENTRIES, *TRAINING, *NESTED])
def test_every_entry(home, tmp_path, capsys, place, other):
    attacked(home, tmp_path, capsys, place, OTHERS[other], "stopped")


@pytest.mark.faults
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("place", WORDS)
def test_every_entry_of_words(home, tmp_path, capsys, place, other):
    attacked(home, tmp_path, capsys, place, OTHERS[other], "reading")


@pytest.mark.parametrize("place", LIES)
def test_lies_about_the_network(home, tmp_path, place):
    content = with_entry(torch.load(last_of(home, "tiny"), weights_only=True), place, LIES[place])
    torch.save(content, tmp_path / "bad.pt")
    with pytest.raises(DamagedError):
        load_model(tmp_path / "bad.pt")


# --- saving ---------------------------------------------------------------------------------------------------------


def test_values_that_are_not_finite_are_not_saved(home, tmp_path):
    content = checkpoint.load(last_of(home, "tiny"))
    path = tmp_path / "last.pt"
    checkpoint.save(path, content)
    before = path.read_bytes()
    content["model"]["layers.0.conv.weight"][0, 0, 0, 0] = float("nan")
    with pytest.raises(NumericError, match=r"model\.layers\.0\.conv\.weight is not finite"):
        checkpoint.save(path, content)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["last.pt"]
