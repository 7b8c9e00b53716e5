from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.drawn import glass as drawn_glass
from data.drawn import glass_set
from data.drawn.glass import NAMES, GlassScene, render, sample_scene
from data.drawn.glass_set import draw_picture, write_glass
from utils.words.errors import DataError, ResourceError
from utils.words.yamlio import read_yaml


def generator(index: int) -> np.random.Generator:
    return np.random.default_rng([0, 0, index])


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def read_bgr(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture


def from_yolo(text: str, size: int) -> np.ndarray:
    """(N, 5) class and xyxy px."""
    rows = np.array([line.split() for line in text.splitlines()], np.float64).reshape(-1, 5)
    centre, half = rows[:, 1:3] * size, rows[:, 3:] * size / 2
    return np.hstack((rows[:, :1], centre - half, centre + half))


@pytest.fixture(scope="module")
def glass(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_glass(tmp_path_factory.mktemp("set") / "glass", train=10, val=4, size=192, seed=3).parent


@pytest.fixture(scope="module")
def scenes() -> list[GlassScene]:
    return [sample_scene(generator(k), 160) for k in range(220)]


def defects(scenes: list[GlassScene]) -> Iterator[tuple[GlassScene, drawn_glass.Defect]]:
    return ((scene, defect) for scene in scenes for defect in scene.defects)


def test_same_seed_same_bytes_whatever_the_threads(glass: Path, tmp_path: Path) -> None:
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1 if threads > 1 else 2)
        again = write_glass(tmp_path / "again", train=10, val=4, size=192, seed=3).parent
    finally:
        cv2.setNumThreads(threads)
    assert files(again) == files(glass)


def test_seed_split_and_index_each_draw_another_picture(glass: Path, tmp_path: Path) -> None:
    other = write_glass(tmp_path / "other", train=1, val=0, size=192, seed=4).parent
    pictures = [p.read_bytes() for p in (*glass.rglob("*.png"), *other.rglob("*.png"))]
    assert len(set(pictures)) == len(pictures) == 15


def test_a_picture_does_not_depend_on_the_number_of_pictures(glass: Path, tmp_path: Path) -> None:
    fewer = files(write_glass(tmp_path / "fewer", train=2, val=1, size=192, seed=3).parent)
    full = files(glass)
    assert all(full[name] == data for name, data in fewer.items() if name.endswith((".png", ".txt")))


def test_layout_and_yaml(glass: Path) -> None:
    settings = read_yaml(glass / "data.yaml").data
    assert settings["names"] == dict(enumerate(NAMES))
    for split, count in (("train", 10), ("val", 4)):
        images = sorted((glass / settings["path"] / settings[split]).iterdir())
        labels = sorted((glass / "labels" / split).iterdir())
        assert [p.name for p in images] == [f"glass_{k:04d}.png" for k in range(1, count + 1)]
        assert [p.stem for p in labels] == [p.stem for p in images]
        assert all(read_bgr(p).shape == (192, 192, 3) for p in images)


def test_files_hold_what_draw_picture_drew(glass: Path) -> None:
    drawn = draw_picture(np.random.default_rng([3, 1, 2]), 192)
    picture, boxes, labels = drawn.planes, drawn.boxes, drawn.labels
    assert picture.dtype == np.uint8 and boxes.dtype == np.float32 and labels.dtype == np.int64
    assert np.array_equal(read_bgr(glass / "images/val/glass_0003.png")[..., ::-1], picture)
    rows = from_yolo((glass / "labels/val/glass_0003.txt").read_text(), 192)
    np.testing.assert_allclose(rows, np.column_stack((labels, boxes)), atol=1e-5)


@pytest.mark.parametrize("split", ["train", "val"])
def test_yolo_labels_equal_coco(glass: Path, split: str) -> None:
    coco = json.loads((glass / f"annotations/{split}.json").read_text())
    assert [(c["id"], c["name"]) for c in coco["categories"]] == list(enumerate(NAMES, start=1))
    assert [image["id"] for image in coco["images"]] == list(range(1, len(coco["images"]) + 1))
    assert [row["id"] for row in coco["annotations"]] == list(range(1, len(coco["annotations"]) + 1))
    for image in coco["images"]:
        assert (image["width"], image["height"]) == (192, 192)
        rows = [row for row in coco["annotations"] if row["image_id"] == image["id"]]
        truth = from_yolo((glass / "labels" / split / image["file_name"]).with_suffix(".txt").read_text(), 192)
        assert [row["category_id"] - 1 for row in rows] == truth[:, 0].tolist()
        boxes = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(boxes, truth[:, 1:], atol=1e-5)


def test_boxes_lie_in_the_picture_and_hug_the_visible_change(scenes: list[GlassScene]) -> None:
    for _, defect in defects(scenes):
        x1, y1, x2, y2 = defect.box.astype(int)
        assert 0 <= x1 < x2 <= 160 and 0 <= y1 < y2 <= 160
        seen = np.abs(defect.gain - 1) > drawn_glass.VISIBLE
        inner = seen[y1:y2, x1:x2]
        assert inner.sum() == seen.sum() > 0
        assert inner[0].any() and inner[-1].any() and inner[:, 0].any() and inner[:, -1].any()


def test_every_defect_is_seen_in_its_box_and_nowhere_else(scenes: list[GlassScene]) -> None:
    for scene, defect in [*defects(scenes)][:150]:
        without = render(replace(scene, defects=())).astype(int)
        change = np.abs(render(replace(scene, defects=(defect,))).astype(int) - without).max(-1)
        x1, y1, x2, y2 = defect.box.astype(int)
        assert change[y1:y2, x1:x2].max() >= 12, NAMES[defect.label]
        change[max(y1 - 1, 0) : y2 + 1, max(x1 - 1, 0) : x2 + 1] = 0  # the lens blurs over about a pixel
        assert change.max() <= 16


def test_classes_sizes_and_good_pictures_follow_gcd(scenes: list[GlassScene]) -> None:
    kinds = [(d.label, *(d.box[2:] - d.box[:2])) for _, d in defects(scenes)]
    labels, sides = np.array([k[0] for k in kinds]), np.sqrt([k[1] * k[2] for k in kinds]) / 160
    buckets = (sides >= 1 / 15).astype(int) + (sides >= 1 / 5)
    share = np.bincount(labels, minlength=5) / len(labels)
    np.testing.assert_allclose(share, (0.292, 0.143, 0.233, 0.239, 0.093), atol=0.06)
    np.testing.assert_allclose(np.bincount(buckets) / len(buckets), (0.612, 0.116, 0.272), atol=0.06)
    assert (buckets[labels == 0] == 0).mean() > 0.85 and (buckets[labels == 3] == 0).mean() > 0.9
    assert (buckets[labels == 2] == 2).mean() > 0.5
    counts = np.array([len(scene.defects) for scene in scenes])
    assert 0.09 < (counts == 0).mean() < 0.21 and counts.max() == 5


@pytest.mark.parametrize(("name", "brighter"), [("bubble", True), ("oil", False), ("black spot", False)])
def test_looks(scenes: list[GlassScene], name: str, brighter: bool) -> None:
    gains = [d.gain for _, d in defects(scenes) if NAMES[d.label] == name]
    assert gains and all(((gain - 1).sum() > 0) == brighter for gain in gains)


def test_background_is_bright_and_nearly_grey() -> None:
    pictures = np.stack([draw_picture(generator(k)).planes for k in range(12)]).astype(int)
    assert 140 < pictures.mean() < 210
    assert np.ptp(pictures, axis=-1).max() < 16


def test_the_same_set_is_reused_untouched(glass: Path) -> None:
    victim = glass / "images/train/glass_0001.png"
    before = {p: p.stat().st_mtime_ns for p in glass.rglob("*")}
    assert write_glass(glass, train=10, val=4, size=192, seed=3) == glass / "data.yaml"
    assert {p: p.stat().st_mtime_ns for p in glass.rglob("*")} == before and victim.exists()


@pytest.mark.parametrize("change", [{"train": 9}, {"val": 5}, {"size": 160}, {"seed": 0}])
def test_another_set_is_not_overwritten(glass: Path, change: dict[str, int]) -> None:
    before = files(glass)
    with pytest.raises(DataError, match="built-in glass set") as caught:
        write_glass(glass, **({"train": 10, "val": 4, "size": 192, "seed": 3} | change))
    assert "\n" not in str(caught.value) and str(glass) in str(caught.value)
    assert files(glass) == before


@pytest.mark.parametrize("foreign", ["data.yaml", "notes.txt"])
def test_a_foreign_folder_is_refused(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).write_text("train: mine\n")
    with pytest.raises(DataError, match="no built-in glass set"):
        write_glass(tmp_path, train=1, val=1, size=96)
    assert files(tmp_path) == {foreign: b"train: mine\n"}


def test_an_empty_or_missing_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for root in (tmp_path / "empty", tmp_path / "new" / "deep"):
        assert write_glass(root, train=1, val=1, size=96).is_file()


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[GlassScene] = []

    def interrupted(scene: GlassScene) -> np.ndarray:
        if drawn:
            raise KeyboardInterrupt
        drawn.append(scene)
        return render(scene)

    monkeypatch.setattr(glass_set, "render", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_glass(tmp_path / "glass", train=3, val=1, size=96)
    assert drawn and list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError, match="cannot be written: No space left"):
        write_glass(tmp_path / "glass", train=1, val=1, size=96)
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_writers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, settings = tmp_path / "glass", {"train": 1, "val": 1, "size": 96}
    original = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", original)
        write_glass(root, **settings)
        return original(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    assert write_glass(root, **settings).is_file()
    assert list(tmp_path.iterdir()) == [root]


def test_ramp_is_monotonic_both_ways() -> None:
    values = drawn_glass.ramp(np.linspace(-1, 2, 40), 0, 1)
    assert all(a <= b for a, b in pairwise(values)) and (values[0], values[-1]) == (0, 1)
    np.testing.assert_allclose(drawn_glass.ramp(np.linspace(-1, 2, 40), 1, 0), 1 - values, atol=1e-12)
