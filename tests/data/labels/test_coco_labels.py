import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.labels.classes import ClassMap
from data.labels.coco_labels import read_category_names, read_coco, truth_of, truths_of
from utils.words.errors import DataError

CLASSES = ClassMap.plain([("crack",), ("knot",)])


def coco() -> dict[str, Any]:
    return {
        "images": [
            {"id": 7, "file_name": "cam 1/瓶.jpg", "width": 200, "height": 100},
            {"id": 3, "file_name": "b.jpg"},
        ],
        "categories": [{"id": 4, "name": "crack"}, {"id": 2, "name": "Knot "}, {"id": 0, "name": "defects"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 2, "bbox": [10, 20, 30, 40.5], "iscrowd": 1},
            {"id": 2, "image_id": 7, "category_id": 4, "bbox": [0, 0, 200, 100]},
        ],
    }


def stored(folder: Path, content: Any) -> Path:
    path = folder / "truth.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_names_ids_and_boxes(tmp_path: Path) -> None:
    truth = read_coco(stored(tmp_path, coco()), ClassMap.plain([("CRACK",), ("resin",), ("knot",)]))
    assert truth.category_ids == (4, 6, 2), "a name the file lacks gets an unused id"
    first, second = truth
    assert first.image_id == 7 and first.size == (100, 200) and second.size is None
    np.testing.assert_array_equal(first.boxes, [[10, 20, 40, 60.5], [0, 0, 200, 100]])
    assert first.labels.tolist() == [2, 0] and first.crowd.tolist() == [True, False]
    assert second.boxes.shape == (0, 4)


def test_repeated_annotation_ids_are_counted(tmp_path: Path) -> None:
    content = coco()
    assert read_coco(stored(tmp_path, content), CLASSES).columns.repeated_ids == 0
    for entry, number in zip(content["annotations"], (5, 5), strict=True):
        entry["id"] = number
    content["annotations"].append({"image_id": 3, "category_id": 4, "bbox": [0, 0, 9, 9]})
    assert read_coco(stored(tmp_path, content), CLASSES).columns.repeated_ids == 1


def test_names_from_the_file(tmp_path: Path) -> None:
    assert read_category_names(stored(tmp_path, coco())) == ("defects", "Knot", "crack")


def test_entries_of_pictures(tmp_path: Path) -> None:
    truth = read_coco(stored(tmp_path, coco()), CLASSES)
    pictures = [Path("/x/cam 1/瓶.jpg"), Path("/x/p/b.jpg"), Path("/x/q/b.jpg")]
    entries, loosely = truth.match(pictures)
    assert list(entries) == pictures[:1] and not loosely, "b.jpg is two pictures: it names neither"
    assert entries[pictures[0]].image_id == 7


def test_truth_follows_the_rules_of_label_files(tmp_path: Path) -> None:
    content = coco()
    boxes = [[1, 1, 0, 5], [150, 0, 60, 10], [150, 0, 51, 10], [-500, 0, 10, 10], [20, 30, 100, 20]]
    content["annotations"] = [{"image_id": 7, "category_id": 2, "bbox": box} for box in boxes]
    entry = read_coco(stored(tmp_path, content), CLASSES)[0]
    fractions, labels, crowd, problems = truth_of(entry, (100, 200))
    np.testing.assert_allclose(fractions, [[0.75, 0, 1, 0.1], [0.1, 0.3, 0.6, 0.5]], atol=1e-7)
    assert fractions.dtype == np.float32 and len(labels) == len(crowd) == 2
    assert [p.reason for p in problems] == ["empty_box", "outside", "outside", "clipped"]
    assert "images[0]" in problems[0].where and "annotation 1 of 'cam 1/瓶.jpg'" in problems[0].message
    assert [len(part) for part in truth_of(read_coco(tmp_path / "truth.json", CLASSES)[1], (5, 5))] == [
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["categories"][0].update(name="crak"), "'crak' (id 4) is not in the names"),
        (lambda c: c.pop("annotations"), "annotations: missing or not a list"),
        (lambda c: c.update(images={}), "images: missing or not a list"),
        (lambda c: c["annotations"].extend([3] * 10_001), "annotations[10002]: not an object; so are more than 10,000"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, change: Any, words: str) -> None:
    content = coco()
    change(content)
    with pytest.raises(DataError) as caught:
        read_coco(stored(tmp_path, content), CLASSES)
    assert words in str(caught.value) and "truth.json" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words", "left"),
    [
        (lambda c: c["images"][1].update(id=7), "images[0].id: id 7 appears twice", 0),
        (lambda c: c["images"][1].update(id="7"), "images[1].id: id 7 appears twice", 0),
        (lambda c: c["images"][1].update(id="x"), "images[1].id: 'x', not a whole number", 2),
        (lambda c: c["images"][1].update(id=True), "images[1].id: True, not a whole number", 2),
        (lambda c: c["images"][1].pop("file_name"), "images[1].file_name: missing", 2),
        (lambda c: c["images"][1].update(file_name="cam 1/瓶.jpg"), "images[1].file_name: images[0] has this name", 2),
        (lambda c: c["images"][0].update(width="wide"), "images[0].width: 'wide', not a whole number", 0),
        (lambda c: c["images"].append(3), "images[2]: not an object", 2),
        (lambda c: c["annotations"][1].update(image_id=8), "annotations[1].image_id: no picture has id 8", 1),
        (lambda c: c["annotations"][1].pop("image_id"), "annotations[1].image_id: missing", 1),
        (lambda c: c["annotations"][1].update(category_id=8), "annotations[1].category_id: 8 is not in 'cat", 1),
        (lambda c: c["annotations"][1].update(category_id="crack"), "annotations[1].category_id: 'crack', not", 1),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3]), "annotations[1].bbox: [1, 2, 3] is not 4 finite", 1),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3, float("nan")]), "annotations[1].bbox", 1),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3, 1e400]), "annotations[1].bbox", 1),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3, 10**400]), "annotations[1].bbox", 1),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3, True]), "annotations[1].bbox", 1),
        (lambda c: c["annotations"][1].update(bbox="1 2 3 4"), "annotations[1].bbox", 1),
        (lambda c: c["annotations"][1].pop("bbox"), "annotations[1].bbox: None, and there is no polygon", 1),
        (lambda c: c["annotations"][1].update(bbox=[], segmentation={"counts": "a"}), "only a mask (RLE)", 1),
        (lambda c: c["annotations"][1].update(bbox=None, segmentation=[[1, 2, 3]]), "annotations[1].segmentation", 1),
        (lambda c: c["annotations"][1].update(iscrowd="maybe"), "annotations[1].iscrowd: 'maybe' is neither", 1),
        (lambda c: c["annotations"][1].update(iscrowd=[0]), "annotations[1].iscrowd: [0] is neither", 1),
        (lambda c: c["annotations"].insert(1, "x"), "annotations[1]: not an object", 2),
        (lambda c: c["categories"][0].update(id=2), "annotations[0].category_id: categories[1].id: id 2 appears", 0),
        (lambda c: c["categories"][0].pop("name"), "annotations[1].category_id: categories[0].name: missing", 1),
    ],
)
def test_bad_entries_are_left_out_and_named(tmp_path: Path, change: Any, words: str, left: int) -> None:
    content = coco()
    change(content)
    truth = read_coco(stored(tmp_path, content), CLASSES)
    problems = [*truth.columns.bad_images, *truth.lost, *(one for many in truth.bad.values() for one in many)]
    texts = list(map(str, problems))
    assert any(words in text for text in texts), texts
    assert all("truth.json: " in text and "\n" not in text for text in texts) and not any(p.harmless for p in problems)
    good = sum(len(entry.boxes) for entry in truth)
    rows = [one for one in problems if "annotations[" in one.where]
    assert good == left and good + len(rows) == len(content["annotations"]) == truth.columns.annotation_count


def test_odd_entries_that_say_what_they_mean(tmp_path: Path) -> None:
    content = coco()
    content["images"].append({"id": 3, "file_name": "b.jpg"})  # the same twice
    content["images"][0].update(id="7", width="200", height=100.0)
    content["categories"].append({"id": 9, "name": "CRACK"})
    content["categories"].append({"id": 10, "name": None})  # of no annotation
    rows: list[dict[str, Any]] = [
        {"image_id": 7.0, "category_id": "4", "bbox": [1, 2, 3, 4], "iscrowd": "false"},
        {"image_id": "3", "category_id": 9, "bbox": [1, 2, 3, 4], "iscrowd": " TRUE "},
        {"image_id": 3, "category_id": 4, "segmentation": [[1, 2, 5, 2, 5, 9], [7, 7, 8, 7, 8, 12]]},
    ]
    content["annotations"] += rows
    truth = read_coco(stored(tmp_path, content), CLASSES)
    assert not truth.lost and not truth.bad and not truth.columns.bad_images and truth.merged_ids == 1
    assert truth[0].size == (100, 200) and truth[0].crowd.tolist() == [True, False, False]
    assert truth[1].crowd.tolist() == [True, False] and truth[1].labels.tolist() == [0, 0]
    np.testing.assert_array_equal(truth[1].boxes[1], [1, 2, 8, 12])
    assert len(truth.names) == 2 and "1 category id of a class that has another" in truth.notices[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n"images": [,]}', r"truth\.json:2: not valid JSON"),
        ("", "truth.json:1: not valid JSON"),
        ("[]", "list of detections"),
        ("3", "images: missing"),
        ("[" * 100_000, "not valid JSON"),
        ('{"images": [{"id": ' + "9" * 5000 + "}]}", "not valid JSON"),
    ],
)
def test_not_coco(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_coco(stored(tmp_path, text), CLASSES)
    with pytest.raises(DataError, match="cannot be read"):
        read_coco(tmp_path / "none.json", CLASSES)


def test_large_ids_of_either_kind(tmp_path: Path) -> None:
    """Ids beyond 32 bits, among small ones, name what they name."""
    big = (1 << 62) + 1
    content = coco()
    content["images"][1]["id"] = -big
    content["categories"][0]["id"] = big
    content["annotations"][1].update(category_id=big, image_id=-big, id=big)
    content["annotations"].append({"image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4], "id": big})
    truth = read_coco(stored(tmp_path, content), CLASSES)
    assert [image.image_id for image in truth] == [7, -big] and truth.category_ids == (big, 2)
    assert [image.labels.tolist() for image in truth] == [[1, 1], [0]] and truth.columns.repeated_ids == 1
    for huge in (1 << 63, 1e30, -(1 << 70)):
        content["annotations"][0]["image_id"] = huge
        (problem,) = read_coco(stored(tmp_path, content), CLASSES).lost
        assert "annotations[0].image_id: " in str(problem) and "not a whole number" in problem.message


def test_many_entries_at_once_are_what_each_is_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(20, 2000, (300, 2))
    images = [
        {"id": int(i), "file_name": f"{i}.jpg", "height": h, "width": w}
        for i, (h, w) in zip(rng.permutation(300), sizes.tolist(), strict=True)
    ]
    rows = []
    for _ in range(1000):
        image = images[int(rng.integers(300))]
        box = rng.uniform(-0.02, 0.9, 2).tolist() + rng.choice([0, 0.05, 0.1, 0.5], 2).tolist()
        px = [v * image[side] for v, side in zip(box, ("width", "height", "width", "height"), strict=True)]
        rows.append({"image_id": image["id"], "category_id": 2, "bbox": px, "iscrowd": int(rng.integers(2))})
    truth = read_coco(stored(tmp_path, {**coco(), "images": images, "annotations": rows}), CLASSES)
    for first, last in ((0, 300), (0, 1), (17, 90), (299, 300)):
        boxes, labels, crowd, counts = truths_of(truth, first, sizes[first:last])
        alone = [truth_of(truth[i], tuple(sizes[i].tolist()))[:3] for i in range(first, last)]
        assert counts.tolist() == [len(one[1]) for one in alone]
        for found, parts in zip((boxes, labels, crowd), zip(*alone, strict=True), strict=True):
            np.testing.assert_array_equal(found, np.concatenate(parts))
    assert 0 < len(truths_of(truth, 0, sizes)[0]) < 1000, "some lie outside, some have no area"
