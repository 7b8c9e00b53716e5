"""The export command with networks and thresholds of tiles: what a bundle expects and INT8's scores are of tiles."""

import json
import subprocess
import sys
from contextlib import chdir

import numpy as np
import pytest

from detect import Detector
from models import export
from models.pretrained.shipped import OPEN, find
from models.ready.load import load_model
from utils.deciding.threshold_file import DetectionSettings, thresholds_text
from utils.files import checkpoint
from utils.flags.export_flags import parse_export
from utils.values.frame import Frame
from val import main as val_main

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The network that ships, as if it had been trained on tiles of 64 px."""
    content = checkpoint.load(find(OPEN))
    content["config"]["data"] |= {"imgsz": 96, "tile": 64, "tile_overlap": 0.25, "tile_full": True}
    path = tmp_path_factory.mktemp("weights") / "best.pt"
    checkpoint.save(path, content)
    return path


@pytest.fixture(scope="module")
def data(glass, weights, tmp_path_factory):
    """The glass set in words of that network."""
    names = checkpoint.load(weights)["names"]
    first = ["hole", "pit", "thread", "black spot", "haze"]
    path = tmp_path_factory.mktemp("data") / "data.yaml"
    rows = [f"  {k}: {name}" for k, name in enumerate([*first, *(one for one in names if one not in first)])]
    path.write_text("\n".join([f"path: {glass.parent}", "train: images/train", "val: images/val", "names:", *rows]))
    return str(path)


def chosen(weights, at, value, made):
    """A thresholds.yaml."""
    names = checkpoint.load(weights)["names"]
    at.write_text(thresholds_text(names, [value] * len(names), (), made), "utf-8")
    return str(at)


def run_export(weights, data, tmp_path, *words):
    out = ["--out", str(tmp_path / "line.onnx"), "--bundle", str(tmp_path / "line")]
    return export.main(["--weights", str(weights), "--data", data, "--pictures", "3", *out, *words])


MADE = {
    "as the thresholds say": (DetectionSettings(0.5, 100, 96, 96, 0.2, False), [], 4),
    "as trained": (None, ["--imgsz", "128"], 10),
    "whole, trained in tiles": (DetectionSettings(0.5, 100, 96), [], 1),
}


@pytest.mark.parametrize("name", MADE)
def test_a_bundle_expects_what_detect_finds(weights, data, tmp_path, name):
    made, words, tiles = MADE[name]
    thresholds = chosen(weights, tmp_path / "thresholds.yaml", 0.05, made)
    assert run_export(weights, data, tmp_path, "--thresholds", thresholds, *words) == 0
    told = json.loads((tmp_path / "line" / "expected.json").read_text())["pictures"]
    detector = Detector(tmp_path / "line.onnx", device="cpu")
    detector.use_thresholds(thresholds, pytest.fail)
    count = 0
    for one in told:
        image = detector.read(tmp_path / "line" / "pictures" / one["file"])
        (result,) = detector.results([Frame("", None, image)], detector.nms())
        assert result.tiles == tiles and len(one["detections"]) == len(result.detections)
        boxes = np.array([row["box"] for row in one["detections"]]).reshape(-1, 4)
        np.testing.assert_allclose(boxes, result.detections.boxes.numpy(), atol=1e-3)
        count += len(boxes)
    assert count > 3
    moved = (tmp_path / "line").rename(tmp_path / "moved")
    command = [sys.executable, moved / "infer.py", "--selftest"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and "selftest passed: 3 pictures" in done.stdout, done.stdout + done.stderr


def test_tiles_that_do_not_suit_the_network_are_refused_before_anything_is_written(weights, data, tmp_path, capsys):
    thresholds = chosen(weights, tmp_path / "thresholds.yaml", 0.05, DetectionSettings(0.5, 100, 96, 50))
    assert run_export(weights, data, tmp_path, "--thresholds", thresholds) == 2
    assert "--tile 50: must be a multiple of the network's stride 32" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thresholds.yaml"]


def test_8_bits_are_judged_on_tiles_as_val_judges(weights, data, tmp_path):
    """At the size that is given, each tile being an input of it."""
    named = ["--weights", str(weights), "--data", data]
    flags, loaded = parse_export([*named, "--int8", "--imgsz", "120"]), load_model(weights)
    pictures = export.Pictures.of(flags, loaded)
    assert (pictures.data.imgsz, pictures.data.tile, pictures.data.tile_full) == (128, 64, True)
    got = export.Export(flags, loaded, None, pictures).scores(loaded.model)
    words = [*named, "--device", "cpu", "--workers", "0", "--noplots", "--project", str(tmp_path)]
    with chdir(tmp_path):
        assert val_main([*words, "--name", "tiles", "--imgsz", "128"]) == 0
        assert val_main([*words, "--name", "whole", "--imgsz", "128", "--tile", "0"]) == 0
    tiles, whole = (json.loads((tmp_path / name / "results.json").read_text())["coco"] for name in ("tiles", "whole"))
    assert got["AP50"] == pytest.approx(tiles["AP50"], abs=1e-9) and got["APs"] == tiles["APs"]
    assert tiles["AP50"] != whole["AP50"]
