"""A checkpoint is read whole and right, or refused in one line; --resume takes the one before."""

import contextlib
import copy
import errno
import json
import os
import pickletools
import random
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

import detect
import train
import val
from models.ready.load import load_model
from tests.faults.odd_files import folder, pipe
from utils.config.train_flags import parse_train
from utils.files import checkpoint
from utils.processes.resume import resume
from utils.words.errors import CheckpointError, DamagedError, NumericError

TINY = """
nc: 5
anchors: [[10, 13, 16, 30, 33, 23]]
backbone:
  - [image, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
head:
  - [-1, 1, Conv, [16, 3, 2], deep]
  - [[deep], 1, AnchorDetect, [$nc, $anchors]]
"""
READING = TINY.replace(
    "  - [[deep], 1, AnchorDetect, [$nc, $anchors]]", "  - [[deep, text], 1, ContrastiveDetect, [$nc]]"
)
READING = READING.replace("anchors: [[10, 13, 16, 30, 33, 23]]\n", "text_encoder: ngram:16\n")
QUICK = ["--img", "96", "--batch", "4", "--workers", "0", "--device", "cpu", "--noplots", "--close-mosaic", "0"]
QUICK += ["--epochs", "2", "--save-steps", "1", "--set", "optim.nominal_batch=8"]
ENTRIES = ["format", "model_spec", "names", "channels", "config", "origins", "launch", "ema", "epoch", "step", "best"]
TRAINING = ["model", "optimizer", "scaler", "batches", "best_epoch", "skipped_in_a_row", "complete", "done", "losses"]
NESTED = [
    "model_spec.nc",
    "model_spec.backbone",
    "model_spec.head.0",
    "model_spec.anchors",
    "names.0",
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
WORDS = ["vocabulary", "vocabulary.vectors", "vocabulary.templates", "vocabulary.encoder", "vocabulary.source"]
REMOVED = object()
OTHERS = {
    "removed": REMOVED,
    "none": None,
    "number": -7,
    "large": 10**30,
    "text": "x",
    "list": [1],
    "nothing": [],
    "map": {"a": 1},
    "empty": {},
    "tensor": torch.ones(3),
    "nan": float("nan"),
    "yes": True,
}


@pytest.fixture(scope="module")
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


def last_of(home: Path, name: str) -> Path:
    return home / "runs" / "train" / name / "weights" / "last.pt"


@pytest.fixture
def stopped(home, tmp_path, monkeypatch) -> Path:
    """last.pt of a run that may go on, in a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "glass", tmp_path / "glass")
    shutil.copytree(home / "runs" / "train" / "stopped", tmp_path / "runs" / "train" / "stopped")
    return last_of(tmp_path, "stopped")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def with_entry(content: dict, place: str, value: object) -> dict:
    """`content` with another `value` at `place`; REMOVED takes it out."""
    content = copy.deepcopy(content)
    first, _, rest = place.partition(".")
    keys = [first]
    inner = content[first] if rest else None
    while rest:
        if isinstance(inner, dict) and rest in inner:
            keys.append(rest)
            break
        key, _, rest = rest.partition(".")
        keys.append(int(key) if key.isdecimal() else key)
        inner = inner[keys[-1]] if rest else None
    target = content
    for key in keys[:-1]:
        target = target[key]
    if value is REMOVED:
        del target[keys[-1]]
    else:
        target[keys[-1]] = value
    return content


def same(one, two) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(two, torch.Tensor) and one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(one, dict):
        return isinstance(two, dict) and list(one) == list(two) and all(same(one[k], two[k]) for k in one)
    if isinstance(one, list | tuple):
        return type(one) is type(two) and len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and one == two


def one_line(capsys, code: int) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error[")]
    assert code and len(lines) == 1, lines
    return lines[0]


# --- bits ---------------------------------------------------------------------------------------------------------


def flip(path: Path, rng: random.Random, first: int, end: int) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(first, end)] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def spans(path: Path) -> dict[str, tuple[int, int]]:
    """Where the parts of the file lie: pickle, tensors, directory, everything."""
    with zipfile.ZipFile(path) as file:
        infos, directory = file.infolist(), file.start_dir
    starts = sorted(info.header_offset for info in infos)
    tensors = [info.header_offset for info in infos if "/data/" in info.filename]
    size = path.stat().st_size
    return {
        "pickle": (starts[0], starts[1]),
        "tensors": (min(tensors), directory),
        "directory": (directory, size),
        "all": (0, size),
    }


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


def rewritten(path: Path, change) -> None:
    """The zip of `path` with its entries changed by `change(name, bytes)`, checksums and all."""
    with zipfile.ZipFile(path) as file:
        entries = {info.filename: file.read(info) for info in file.infolist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in entries.items():
            for new, content in change(name, data):
                file.writestr(new, content)


def with_claim(data: bytes, times: int) -> bytes:
    """The pickle with the size of its first storage multiplied."""
    for code, argument, place in pickletools.genops(data):
        if code.name in ("BININT1", "BININT2") and argument and argument >= 8 and b"storage" in data[:place]:
            size = {"BININT1": 2, "BININT2": 3}[code.name]
            return data[:place] + b"J" + (argument * times).to_bytes(4, "little") + data[place + size :]
    raise AssertionError("no storage found")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-1000])


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("not a checkpoint")


def foreign(path):
    torch.save({"state_dict": {"a": torch.zeros(3)}}, path)


def a_list(path):
    torch.save([1, 2], path)


def other_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("hello.txt", "hello")


def zip_of_nothing(path):
    zipfile.ZipFile(path, "w").close()


def packed(path):
    with zipfile.ZipFile(path) as file:
        entries = {info.filename: file.read(info) for info in file.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(2_000_000_000 // 8))


def without_a_tensor(path):
    rewritten(path, lambda name, data: [] if name.endswith("data/3") else [(name, data)])


def shorter_tensor(path):
    rewritten(path, lambda name, data: [(name, data[:4] if name.endswith("data/0") else data)])


def twins(path):
    with pytest.warns(UserWarning):
        rewritten(path, lambda name, data: [(name, data)] * (2 if name.endswith("data/1") else 1))


def huge_shape(path):
    rewritten(path, lambda name, data: [(name, with_claim(data, 100_000) if name.endswith("data.pkl") else data)])


def other_byteorder(path):
    rewritten(path, lambda name, data: [(name, b"big" if name.endswith("byteorder") else data)])


def stretched(path):
    content = torch.load(path, weights_only=True)
    content["ema"]["module"]["layers.0.conv.weight"] = torch.zeros(1).expand(1 << 40)
    torch.save(content, path)


def sparse(path):
    content = torch.load(path, weights_only=True)
    content["ema"]["module"]["layers.0.conv.weight"] = torch.zeros(8, 3, 3, 3).to_sparse()
    torch.save(content, path)


def many_tensors(path):
    content = torch.load(path, weights_only=True)
    content["ema"]["module"] = {f"layers.{k}.conv.weight": torch.zeros(1) for k in range(100_000)}
    torch.save(content, path)


def many_views(path):
    content, one = torch.load(path, weights_only=True), torch.zeros(1)
    content["ema"]["module"] = {f"layers.{k}.conv.weight": one[:] for k in range(100_000)}
    torch.save(content, path)


def laughs(path):
    content, row = torch.load(path, weights_only=True), ["ha"]
    for _ in range(30):
        row = [row] * 10
    content["model_spec"]["backbone"] = row
    torch.save(content, path)


def deep(path):
    content, row = torch.load(path, weights_only=True), []
    for _ in range(200):
        row = [row]
    content["model_spec"]["backbone"] = row
    torch.save(content, path)


def wrong_architecture(path):
    content = torch.load(path, weights_only=True)
    content["model_spec"]["backbone"].append([-1, 1, "Conv", [8]])
    torch.save(content, path)


LARGE = [bomb, many_tensors, many_views]  # which take long to make
FILES = [truncated, halved, empty, folder, pipe, text, foreign, a_list, other_zip, zip_of_nothing, packed, twins]
FILES += [without_a_tensor, shorter_tensor, huge_shape, other_byteorder, stretched, sparse]
FILES += [laughs, deep, wrong_architecture]


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


LIES = {
    "config.optim.lr0": -1.0,
    "config.data.imgsz": 10**9,
    "config.loss.iou": "made up",
    "config.data.unknown": 1,
    "names": ["a", "A", "b", "c", "d"],
    "channels": ["r", "r", "b"],
    "model_spec.nc": 6,
    "ema.module.layers.0.conv.weight": torch.zeros(8, 3, 3, 3, dtype=torch.float64),
    "ema.module.layers.0.bn.running_mean": torch.zeros(9),
    "epoch": -1,
    "step": 2**70,
    "best": float("inf"),
}
LIES_OF_TRAINING = {
    "optimizer.param_groups.0.params": [0, 1],
    "optimizer.param_groups.0.lr": float("nan"),
    "optimizer.param_groups.1.weight_decay": 0.5,
    "optimizer.state.0.momentum_buffer": torch.zeros(2),
    "optimizer.state.0": {"exp_avg": torch.zeros(8, 3, 3, 3)},
    "model.layers.0.conv.weight": torch.full((8, 3, 3, 3), float("inf")),
    "model.layers.0.bn.num_batches_tracked": torch.zeros((), dtype=torch.float32),
    "rng.0.torch": torch.zeros(7, dtype=torch.uint8),
    "losses.sums": {"box": "x"},
}


@pytest.mark.parametrize("place", LIES)
def test_lies_about_the_network(home, tmp_path, place):
    content = with_entry(torch.load(last_of(home, "tiny"), weights_only=True), place, LIES[place])
    torch.save(content, tmp_path / "bad.pt")
    with pytest.raises(DamagedError):
        load_model(tmp_path / "bad.pt")


# --- resume ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [*LIES, *LIES_OF_TRAINING])
def test_resume_takes_the_one_before(stopped, capsys, place):
    content = torch.load(stopped, weights_only=True)
    torch.save(with_entry(content, place, (LIES | LIES_OF_TRAINING)[place]), stopped)
    assert train.main(["--resume", str(stopped), "--max-time", "8"]) == 0
    err = capsys.readouterr().err
    assert re.search(r"last\.pt: .*; continuing from last\.prev\.pt", err) and "Traceback" not in err
    assert checkpoint.load(stopped, resumable=True)["done"]


@pytest.mark.parametrize("place", ["config.optim.lr0", "optimizer.state.0.momentum_buffer", "rng.0.torch"])
def test_resume_refuses_when_both_are_bad(stopped, capsys, place):
    for path in (stopped, stopped.with_name("last.prev.pt")):
        content = torch.load(path, weights_only=True)
        torch.save(with_entry(content, place, (LIES | LIES_OF_TRAINING)[place]), path)
    before = files_of(stopped.parent.parent)
    assert train.main(["--resume", str(stopped)]) == 4
    line = one_line(capsys, 4)
    assert "last.pt: " in line and "nor does last.prev.pt help: " in line
    assert files_of(stopped.parent.parent) == before


@pytest.mark.parametrize("make", [truncated, empty, pipe, foreign, huge_shape])
def test_resume_after_a_damaged_file(stopped, capsys, make):
    make(stopped)
    assert train.main(["--resume", str(stopped)]) == 0
    assert "continuing from last.prev.pt" in capsys.readouterr().err


COUNTS = {  # that no run of two epochs of three steps, stopped after the first one, can have
    "beyond the last epoch": {"epoch": 7},
    "the last epoch, and not done": {"epoch": 1, "step": 6},
    "done, and not complete": {"complete": False, "done": True},
    "complete after no batch": {"batches": 0},
    "no step": {"step": 0},
    "fewer steps than batches": {"step": 1},
    "more steps than batches in the first epoch": {"step": 4},
    "steps without end": {"epoch": 1, "complete": False, "step": 2**63 - 1},
    "averaged more often": {"ema.updates": 2**63 - 1},
    "best in a later epoch": {"best": 0.5, "best_epoch": 1},
    "best in no epoch": {"best": 0.5, "best_epoch": -1},
    "more steps skipped than done": {"skipped_in_a_row": 2**62},
    "more steps skipped than the epoch has": {"losses.skipped": 4},
    "losses of no picture": {"losses.pictures": 0},
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_that_contradict_each_other(stopped, name):
    content = torch.load(stopped, weights_only=True)
    for place, value in COUNTS[name].items():
        content = with_entry(content, place, value)
    torch.save(content, stopped)
    assert resume(parse_train(["--resume", str(stopped)])).source.name == "last.prev.pt"


@pytest.mark.parametrize("place", ["data_fingerprint.val", "data_fingerprint.train", "data_fingerprint.train.bytes"])
def test_half_a_fingerprint(stopped, place):
    torch.save(with_entry(torch.load(stopped, weights_only=True), place, REMOVED), stopped)
    assert resume(parse_train(["--resume", str(stopped)])).source.name == "last.prev.pt"


def bit_flipped(path):
    flip(path, random.Random(1), *spans(path)["tensors"])


@pytest.mark.parametrize("make", [bit_flipped, truncated, empty, foreign, Path.unlink])
def test_a_damaged_file_never_replaces_the_one_before(stopped, monkeypatch, make):
    """Whatever comes after a fallback, one of the two files is whole at any moment."""
    make(stopped)
    before = stopped.with_name("last.prev.pt")
    good, real, moments = before.read_bytes(), os.replace, []

    def replace(source, target):
        moments.append(Path(target).name)
        if Path(target) == stopped and moments.count("last.pt") == 1:
            assert before.read_bytes() == good
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        assert train.main(["--resume", str(stopped)]) == 6
    assert "last.pt" in moments and before.read_bytes() == good
    assert train.main(["--resume", str(stopped)]) == 0
    assert checkpoint.load(before, resumable=True) and checkpoint.load(stopped, resumable=True)["done"]


def test_the_one_before_named_by_hand(stopped):
    """Then last.pt is not what the run was read from: it is not kept."""
    bit_flipped(stopped)
    before = stopped.with_name("last.prev.pt")
    assert train.main(["--resume", str(before), "--save-steps", "100"]) == 0
    assert checkpoint.load(before, resumable=True) and checkpoint.load(stopped, resumable=True)["done"]


def test_the_newest_run_may_have_lost_its_last_file(home, stopped, capsys):
    shutil.copytree(home / "runs" / "train" / "tiny", stopped.parents[2] / "an older one")
    os.utime(stopped.parents[2] / "an older one" / "weights" / "last.pt", ns=(1, 1))
    os.utime(stopped.parents[2] / "an older one" / "weights" / "last.prev.pt", ns=(1, 1))
    stopped.unlink()
    found = resume(parse_train(["--resume"]))
    assert found.last.resolve() == stopped.resolve() and found.source.name == "last.prev.pt"
    assert "last.pt: is not there; continuing from last.prev.pt" in capsys.readouterr().err


@pytest.mark.parametrize("path", [".", "/", "..", "runs", "runs/train/stopped/weights", "runs/..", "./", "//"])
def test_resume_of_a_folder(stopped, capsys, path):
    before = files_of(stopped.parents[3])
    assert train.main(["--resume", path]) == 4
    assert "no regular file" in one_line(capsys, 4)
    assert files_of(stopped.parents[3]) == before


def test_a_checkpoint_without_permission_is_not_passed_over(stopped, monkeypatch, capsys):
    real = Path.open

    def refused(path, *args, **kwargs):
        if path.name == "last.pt":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *args, **kwargs)

    before = files_of(stopped.parent.parent)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        assert train.main(["--resume", str(stopped)]) == 4
    assert "last.pt: cannot be read: Permission denied" in one_line(capsys, 4)
    assert files_of(stopped.parent.parent) == before


@pytest.mark.parametrize("name", ["weights/.last.pt.tmp", "weights/.last.prev.pt.tmp"])
def test_a_folder_where_a_checkpoint_is_written(stopped, capsys, name):
    before = stopped.read_bytes()
    (stopped.parent.parent / name).mkdir()
    assert train.main(["--resume", str(stopped)]) == 6
    assert "cannot be written" in one_line(capsys, 6)
    assert stopped.read_bytes() == before


def test_resume_notices_another_run(home, stopped, capsys):
    """last.pt of another run is whole, but not what this run was."""
    for path in (stopped, stopped.with_name("last.prev.pt")):
        shutil.copy(last_of(home, "reading"), path)
    assert train.main(["--resume", str(stopped)]) == 4
    assert "not of this run" in one_line(capsys, 4)


def test_averaged_weights_do_not_resume(home, capsys):
    with contextlib.chdir(home):
        assert train.main(["--resume", "runs/train/tiny/weights/best.pt"]) == 4
    assert "holds averaged weights only; continue from its last.pt" in one_line(capsys, 4)


def test_values_that_are_not_finite_are_not_saved(home, tmp_path):
    content = checkpoint.load(last_of(home, "tiny"))
    path = tmp_path / "last.pt"
    checkpoint.save(path, content)
    before = path.read_bytes()
    content["model"]["layers.0.conv.weight"][0, 0, 0, 0] = float("nan")
    with pytest.raises(NumericError, match=r"model\.layers\.0\.conv\.weight is not finite"):
        checkpoint.save(path, content)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["last.pt"]


# --- privacy --------------------------------------------------------------------------------------------------------

SHARED = ("report.html", "report.json", "run.json")


def handed_on(folder: Path) -> dict[str, bytes]:
    """The files of a run that people pass on."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.name in SHARED or p.suffix == ".pt"}


def trained_by_absolute_paths(home: Path, folder: Path, *more: str) -> Path:
    (folder / "my hyp.yaml").write_text("optim: {lr0: 0.02}\n")
    words = [*QUICK, "--cfg", str(home / "tiny.yaml"), "--data", str(home / "glass" / "data.yaml"), *more]
    words += ["--project", str(folder / "my runs"), "--hyp", str(folder / "my hyp.yaml")]
    words = [word for word in words if word != "--noplots"]
    assert train.main([*words, "--weights", str(last_of(home, "tiny"))]) == 0
    return folder / "my runs" / "exp"


def test_no_folder_of_this_machine_is_handed_on(home, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = trained_by_absolute_paths(home, tmp_path)
    weights = str(run / "weights" / "best.pt")
    assert val.main(["--weights", weights, "--project", str(tmp_path / "val"), "--workers", "0"]) == 0
    pictures = str(home / "glass" / "images" / "val")
    assert detect.main(["--weights", weights, "--source", pictures, "--project", str(tmp_path / "detect")]) == 0
    files = handed_on(tmp_path)
    assert {Path(name).name for name in files} == {*SHARED, "last.pt", "last.prev.pt", "best.pt"} and len(files) == 12
    secrets = {str(tmp_path), str(home), str(Path.home()), str(Path(train.__file__).parent), "my runs/"}
    for name, data in files.items():
        assert not [secret for secret in secrets if secret.encode() in data and len(secret) > 4], name
    kept = (run / "opt.yaml").read_text()
    assert str(home / "glass" / "data.yaml") in kept  # so that the run itself can go on


def test_whole_paths_where_they_are_asked_for(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = trained_by_absolute_paths(home, tmp_path, "--set", "run.full_paths=true")
    weights = str(run / "weights" / "best.pt")
    words = ["--weights", weights, "--set", "run.full_paths=true"]
    assert val.main([*words, "--workers", "0", "--name", "v"]) == 0
    assert detect.main([*words, "--source", str(home / "glass" / "images" / "val"), "--name", "d"]) == 0
    assert str(home / "glass" / "data.yaml") in json.loads((run / "report.json").read_text())["provenance"]["command"]
    assert checkpoint.load(weights)["config"]["data"]["data"] == str(home / "glass" / "data.yaml")
    for name in ("val/v", "detect/d"):
        assert weights in json.loads((tmp_path / "runs" / name / "run.json").read_text())["command"]


def test_without_its_folder_a_checkpoint_asks_for_the_data(home, tmp_path, monkeypatch, capsys):
    """Never another file of the same name, such as one of cfg/data."""
    monkeypatch.chdir(tmp_path)
    (home / "GCD.yaml").write_text((home / "glass" / "data.yaml").read_text().replace("path: .", f"path: {home}/glass"))
    run = trained_by_absolute_paths(home, tmp_path, "--data", str(home / "GCD.yaml"))
    moved = Path(shutil.move(run / "weights" / "best.pt", tmp_path / "best.pt"))
    assert val.main(["--weights", str(moved)]) == 2
    assert "GCD.yaml" in (line := one_line(capsys, 2)) and "--data" in line
    (run / "opt.yaml").unlink()
    assert train.main(["--resume", str(run / "weights" / "last.pt")]) == 4
    assert "opt.yaml" in one_line(capsys, 4)
