"""The benchmark's steps measure what they say; each here in this process, on little data."""

import json

import numpy as np
import pytest

from data import benchmark
from data.batches.epoch_plan import EpochPlan
from data.index.record_index import RecordIndex
from utils.flags.command_flags import parse_data_benchmark
from utils.words.errors import ConfigError

SMALL = ["--images", "90", "--boxes", "2", "--classes", "5", "--files", "30", "--pictures", "4", "--img", "64"]


@pytest.fixture
def flags():
    return parse_data_benchmark([*SMALL, "--batch", "2"])


@pytest.fixture
def home(tmp_path, flags, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(benchmark, "CHUNK", 16)
    monkeypatch.setattr(benchmark, "LINKS", 11)
    benchmark.write_coco(tmp_path / "train.json", flags)
    return tmp_path


def test_the_index_holds_the_json(home, flags):
    content = json.loads((home / "train.json").read_text())
    assert len(content["images"]) == 90 and 90 < len(content["annotations"]) < 270
    benchmark.time_coco(home, flags)
    index = RecordIndex(home / "coco.index")
    assert len(index) == 90
    for entry, record in zip(content["images"], index, strict=True):
        rows = [row for row in content["annotations"] if row["image_id"] == entry["id"]]
        assert record.size == (entry["height"], entry["width"]) and record.path == home / "images" / entry["file_name"]
        assert record.labels.tolist() == [row["category_id"] - 1 for row in rows] and record.good == (not rows)
        boxes = np.array([row["bbox"] for row in rows]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(record.pixel_boxes(), boxes, atol=1e-3)


def test_every_step_has_rows(home, flags):
    benchmark.time_coco(home, flags)
    steps = (benchmark.time_open, benchmark.time_worker, benchmark.time_samplers, benchmark.time_files)
    names = [name for step in (*steps, benchmark.time_loader) for name, value in step(home, flags) if value]
    expected = {"opening it", "mapped", "a record", "repeat factors", "opened by its index", "loader, one worker"}
    assert expected | {"... with second pictures"} <= set(names)


def test_mistakes_in_the_command_line():
    with pytest.raises(ConfigError, match="--images"):
        parse_data_benchmark(["--images", "0"])
    with pytest.raises(ConfigError, match="did you mean --images"):
        parse_data_benchmark(["--image", "4"])


def test_tiles_and_pictures_are_read_in_turn(home, flags):
    """Rates of both, and a ratio; every tile of the pictures drawn for it shows a box."""
    rows = dict(benchmark.time_tiles(home, flags))
    assert set(rows) == {"loader, one worker, tiles", "... to evaluate"}
    assert "tiles of 64 px of JPEGs of 256 px" in rows["loader, one worker, tiles"]
    read, cfg = benchmark._read(home / "tiles/tile.yaml", flags, 64)
    plan = EpochPlan.of(read.records, cfg.data)
    assert plan.samples == len(plan.sizes) == 2 * 25
