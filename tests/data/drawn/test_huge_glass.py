"""Sheet glass under a line-scan camera: tiny defects are where their boxes say, and nothing like them elsewhere."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.drawn.__main__ import main
from data.drawn.glass import NAMES, VISIBLE
from data.drawn.glass_set import write_glass
from data.drawn.huge_glass import (
    LENGTHS,
    THREAD,
    HugeScene,
    draw_huge_picture,
    most_defects,
    render_huge,
    sample_huge_scene,
    write_huge_glass,
)
from utils.words.errors import DataError

SIZE, SET = 512, {"train": 5, "val": 3, "size": 512, "defects": 12, "seed": 3}


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def touched(scene: HugeScene) -> np.ndarray:
    """(S, S) relative change of the light by the scene's defects."""
    change = np.ones_like(scene.light)
    for mark in scene.marks:
        height, width = mark.gain.shape
        change[mark.y : mark.y + height, mark.x : mark.x + width] *= mark.gain
    return np.abs(change - 1)


@pytest.fixture(scope="module")
def glass(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_huge_glass(tmp_path_factory.mktemp("set") / "huge", **SET).parent


@pytest.fixture(scope="module")
def scenes() -> list[HugeScene]:
    return [sample_huge_scene(np.random.default_rng([1, k]), SIZE, good=0.0) for k in range(12)]


def test_same_seed_same_bytes_whatever_the_threads(glass: Path, tmp_path: Path) -> None:
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1 if threads > 1 else 2)
        again = write_huge_glass(tmp_path / "again", **SET).parent
    finally:
        cv2.setNumThreads(threads)
    assert files(again) == files(glass)
    pictures = [path.read_bytes() for path in glass.rglob("*.png")]
    assert len(set(pictures)) == len(pictures) == 8


def test_boxes_lie_in_the_picture_and_apart(scenes: list[HugeScene]) -> None:
    for scene in scenes:
        boxes = np.array([mark.box for mark in scene.marks])
        assert boxes.dtype == np.float32 and (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= SIZE).all()
        low, high = (np.maximum, boxes[:, :2]), (np.minimum, boxes[:, 2:])
        common = np.clip(high[0](high[1][:, None], high[1]) - low[0](low[1][:, None], low[1]), 0, None).prod(-1)
        assert not (common - np.diag(common.diagonal())).any()


@pytest.mark.parametrize("px", [6, 8, 12])
def test_as_many_tiny_defects_as_asked_for_of_the_size_asked_for(px: int) -> None:
    for seed in range(4):
        marks = sample_huge_scene(np.random.default_rng(seed), 1024, 40, px, good=0.0).marks
        tiny = np.array([mark.box[2:] - mark.box[:2] for mark in marks if mark.label != THREAD])
        assert len(tiny) == 40 and tiny.min() >= 0.75 * px and tiny.max() <= 1.375 * px


@pytest.mark.parametrize(("size", "px"), [(96, 6), (96, 8), (96, 11), (200, 8)])
def test_there_is_always_room(size: int, px: int) -> None:
    most = most_defects(size, px)
    for seed in range(60):
        marks = sample_huge_scene(np.random.default_rng(seed), size, most, px, good=0.0).marks
        assert most >= 1 and sum(mark.label != THREAD for mark in marks) == most


def test_half_the_pictures_have_a_thread_that_crosses_tiles() -> None:
    scenes = [sample_huge_scene(np.random.default_rng(seed), 2048, 1, good=0.0) for seed in range(16)]
    threads = [mark for scene in scenes for mark in scene.marks if mark.label == THREAD]
    assert 3 <= len(threads) <= 13
    for mark in threads:
        length = np.hypot(*(mark.box[2:] - mark.box[:2]))
        assert 0.95 * LENGTHS[0] <= length <= 1.1 * LENGTHS[1]
        seen = np.abs(mark.gain - 1) > VISIBLE
        assert seen.sum() < 8 * length  # a few px wide
        assert cv2.connectedComponents(seen.astype(np.uint8), connectivity=8)[0] <= 3  # whole: a dark and a lit side


def test_every_defect_is_seen_in_its_box_and_nowhere_else(scenes: list[HugeScene]) -> None:
    for scene in scenes:
        change = touched(scene)
        picture = render_huge(scene).astype(int)
        without = render_huge(replace(scene, marks=())).astype(int)
        shown = np.abs(picture - without).max(-1)
        for mark in scene.marks:
            x1, y1, x2, y2 = mark.box.astype(int)
            seen = change[y1:y2, x1:x2] > VISIBLE
            assert seen[0].any() and seen[-1].any() and seen[:, 0].any() and seen[:, -1].any()
            assert change[y1:y2, x1:x2].max() > 4 * VISIBLE and shown[y1:y2, x1:x2].max() >= 20, NAMES[mark.label]
            change[y1:y2, x1:x2] = shown[y1:y2, x1:x2] = 0
        assert change.max() <= VISIBLE and shown.max() <= 0.1 * without.max()


def test_glass_without_defects_has_nothing_like_them() -> None:
    """Beside the sheet's edge, which is no defect, each pixel is as light as those around it."""
    for seed in range(6):
        scene = sample_huge_scene(np.random.default_rng(seed), SIZE, good=1.0)
        inner = scene.light[:, 64:-64]
        around = cv2.GaussianBlur(inner, (0, 0), 12)
        along = np.abs(inner / around / np.median(inner / around, axis=0) - 1)  # less the camera's streaks
        assert scene.marks == () and 100 < inner.mean() < 200 and along.max() < VISIBLE


def test_the_camera_streaks_along_the_travel() -> None:
    light = sample_huge_scene(np.random.default_rng(0), SIZE, good=1.0).light[:, 64:-64]
    across, along = np.abs(np.diff(light, axis=1)).mean(), np.abs(np.diff(light, axis=0)).mean()
    assert across > 1.5 * along


def test_good_pictures_have_empty_labels(tmp_path: Path) -> None:
    root = write_huge_glass(tmp_path / "good", 2, 1, 128, 1, good=1.0).parent
    labels = [path.read_bytes() for path in root.rglob("*.txt")]
    assert labels == [b"", b"", b""] and not json.loads((root / "annotations/train.json").read_text())["annotations"]
    counts = [len(draw_huge_picture(np.random.default_rng(k), 128, 1).labels) for k in range(80)]
    assert 0.1 < np.mean(np.array(counts) == 0) < 0.4


def test_files_hold_what_was_drawn(glass: Path) -> None:
    drawn = draw_huge_picture(np.random.default_rng([3, 1, 2]), SIZE, 12)
    picture = cv2.imread(str(glass / "images/val/glass_0003.png"))
    assert picture is not None and np.array_equal(picture[..., ::-1], drawn.planes)
    assert drawn.planes.dtype == np.uint8 and drawn.boxes.dtype == np.float32 and drawn.labels.dtype == np.int64


@pytest.mark.parametrize("split", ["train", "val"])
def test_yolo_labels_equal_coco(glass: Path, split: str) -> None:
    coco, found = json.loads((glass / f"annotations/{split}.json").read_text()), 0
    for image in coco["images"]:
        assert (image["width"], image["height"]) == (SIZE, SIZE)
        text = (glass / "labels" / split / image["file_name"]).with_suffix(".txt").read_text()
        rows = np.array([line.split() for line in text.splitlines()], float).reshape(-1, 5)
        listed = [row for row in coco["annotations"] if row["image_id"] == image["id"]]
        boxes = np.array([row["bbox"] for row in listed]).reshape(-1, 4)
        boxes[:, :2] += boxes[:, 2:] / 2
        assert [row["category_id"] - 1 for row in listed] == rows[:, 0].tolist()
        np.testing.assert_allclose(boxes, rows[:, 1:] * SIZE, atol=1e-4)
        found += len(rows)
    assert found


def test_the_same_set_is_kept_and_another_refused(glass: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in glass.rglob("*")}
    assert write_huge_glass(glass, **SET) == glass / "data.yaml"
    for change in ({"px": 7}, {"defects": 11}, {"good": 0.5}, {"seed": 4}):
        with pytest.raises(DataError, match="delete that folder"):
            write_huge_glass(glass, **(SET | change))
    with pytest.raises(DataError, match="delete that folder"):
        write_glass(glass, 5, 3, SIZE, 3)
    assert {path: path.stat().st_mtime_ns for path in glass.rglob("*")} == before


def test_the_command_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--train", "2", "--val", "1"]
    huge = ["--huge", "--size", "128", "--defects", "2", "--px", "7", "--seed", "5"]
    assert main(["--out", str(tmp_path / "huge"), *few, *huge]) == 0
    assert f"done: python train.py --data {tmp_path}/huge/data.yaml --tile 320\n" in capsys.readouterr().out
    assert main(["--out", str(tmp_path / "usual"), *few, "--size", "96"]) == 0
    assert f"done: python train.py --data {tmp_path}/usual/data.yaml\n" in capsys.readouterr().out
    same = (
        write_huge_glass(tmp_path / "same", 2, 1, 128, 2, 7, 5).parent,
        write_glass(tmp_path / "too", 2, 1, 96).parent,
    )
    assert [files(root) for root in same] == [files(tmp_path / "huge"), files(tmp_path / "usual")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "95"], "--size"),
        (["--size", "4096"], "--size 4096: more than 2,048 px goes with --huge"),
        (["--train", "0"], "--train"),
        (["--val", "none"], "--val"),
        (["--seed", "-1"], "--seed"),
        (["--px", "8"], "--px 8: goes with --huge"),
        (["--defects", "4"], "--defects 4: goes with --huge"),
        (["--huge", "--px", "5"], "--px"),
        (["--huge", "--size", "8193"], "--size"),
        (["--huge", "--size", "96", "--px", "64"], "--defects 40: 96 px hold 0 of --px 64 at most"),
        (["--huge", "--size", "96"], "--defects 40: 96 px hold 2 of --px 8 at most"),
        (["--huge", "--defects", "0"], "--defects"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(["--out", str(tmp_path / "new"), *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("kept\n")
    assert main(["--out", str(tmp_path), "--huge"]) == 3
    assert "choose another folder" in capsys.readouterr().err and files(tmp_path) == {"mine.txt": b"kept\n"}
