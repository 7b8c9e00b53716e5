"""Ways to damage a checkpoint: bits, whole files, single entries."""

import copy
import pickletools
import random
import zipfile
from pathlib import Path

import pytest
import torch

from tests.faults.odd_files import folder, pipe

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
LIES = {
    "config.optim.lr0": -1.0,
    "config.data.imgsz": 10**9,
    "config.loss.iou": "made up",
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


def bit_flipped(path):
    flip(path, random.Random(1), *spans(path)["tensors"])


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
