"""What a bundle holds: the program as it is here, but for where its files lie; all of it is written, or nothing."""

import ast
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.exporting import bundle
from models.exporting.bundle import write_bundle
from utils.tiling import merging, tiles
from utils.values.detections import Detections
from utils.words.errors import ConfigError, ResourceError

NOTHING = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
THRESHOLDS = 'thresholds:\n  "Öl": 0.5\n'
PROGRAM = {"infer.py", "line_detector.py", "tiles.py", "merging.py"}


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.fixture
def folder(tmp_path, picture):
    """A bundle of a good and a bad picture."""
    found = Detections(torch.tensor([[1.0, 2, 3, 4]]), torch.tensor([0.75]), torch.tensor([0]), ("Öl",))
    pictures = [("裂 one.jpg", picture), ("two.bmp", picture[:4])]
    write_bundle(tmp_path / "line", b"model", THRESHOLDS, pictures, [(found, "NG"), (NOTHING, "OK")])
    return tmp_path / "line"


def test_a_bundle_says_what_it_holds(folder, picture):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = PROGRAM | {"model.onnx", "thresholds.yaml", "expected.json", "requirements.txt", "README.txt"}
    assert names == files | {"pictures/1_裂 one.png", "pictures/2_two.png"}
    readme = (folder / "README.txt").read_text("utf-8")
    assert all(name in readme for name in files - {"README.txt"})
    assert (folder / "model.onnx").read_bytes() == b"model"
    assert (folder / "thresholds.yaml").read_text("utf-8") == THRESHOLDS
    stored = np.fromfile(folder / "pictures" / "1_裂 one.png", np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB), picture)
    one, two = json.loads((folder / "expected.json").read_text("utf-8"))["pictures"]
    assert one["detections"] == [{"class": "Öl", "score": 0.75, "box": [1.0, 2.0, 3.0, 4.0]}] and one["verdict"] == "NG"
    assert two == {"file": "2_two.png", "verdict": "OK", "detections": []}


def test_the_tiling_is_that_of_the_project_byte_for_byte(folder):
    for module in (tiles, merging):
        path = Path(module.__file__)
        assert (folder / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", sorted(PROGRAM))
def test_the_program_imports_nothing_of_the_project(folder, name):
    here = next(path for path in bundle.PROGRAM if path.name == name).read_text("utf-8").splitlines()
    there = (folder / name).read_text("utf-8").splitlines()
    changed = [(a, b) for a, b in zip(here, there, strict=True) if a != b]
    assert all(a.lstrip().startswith(("from models.exporting.", "from utils.tiling.")) for a, _ in changed)
    imported = [node for node in ast.walk(ast.parse("\n".join(there))) if isinstance(node, ast.ImportFrom | ast.Import)]
    modules = {node.module for node in imported if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names}
    assert not {module.split(".")[0] for module in modules} & {"models", "utils", "data", "torch"}
    own = {Path(file).stem for file in PROGRAM}
    assert {b.split()[1] for _, b in changed} <= own
    assert all(alias.name != "*" for node in imported for alias in node.names)


def test_a_bundle_is_written_into_a_new_folder_or_not_at_all(tmp_path, monkeypatch):
    given = (b"model", "thresholds: {}\n", [("a.png", np.zeros((4, 4, 3), np.uint8))])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    for place in (tmp_path / "full", tmp_path / "full" / "x"):
        with pytest.raises(ConfigError, match="--bundle .*; name a new folder"):
            write_bundle(place, *given, [(NOTHING, "OK")])
    with pytest.raises(ResourceError):
        write_bundle(tmp_path / "full" / "x" / "y", *given, [(NOTHING, "OK")])
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "x"]
    fails = iter([False, False, True])
    original = write_bundle.__globals__["write_bytes"]

    def full_disk(path, content):
        if next(fails):
            raise ResourceError("no space")
        original(path, content)

    monkeypatch.setitem(write_bundle.__globals__, "write_bytes", full_disk)
    with pytest.raises(ResourceError, match="no space"):
        write_bundle(tmp_path / "new" / "folder", *given, [(NOTHING, "OK")])
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "x"]
    monkeypatch.undo()
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", *given, [(NOTHING, "OK")])
    assert (tmp_path / "empty" / "pictures" / "1_a.png").exists()
