import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import data
from data.files.data_report import DataReport
from data.sets.data_yaml import DataDescription, read_description
from data.sets.other_pictures import OtherPictures
from data.sets.split_reading import ReadPolicy, RecordSet, read_records
from utils.words.errors import ConfigError, DataError

SKIP = ReadPolicy(bad_data="skip", drop_duplicates=True, workers=2)
ERROR = ReadPolicy(bad_data="error", drop_duplicates=False, workers=2)
ROW = "0 0.5 0.5 0.2 0.4\n"


def assert_rows_balance(data_report: DataReport) -> None:
    rows, labels = data_report.rows, data_report.labels
    used = data_report.boxes + labels["ignored"] + labels["duplicates_dropped"]
    lost = sum(data_report.rows_dropped.values()) + rows["left_out"] + rows["elsewhere"] + rows["orphaned"]
    assert rows["read"] == used + lost, data_report


class Home:
    """A small set on disk: train and val with pictures of 40 x 20 (width x height)."""

    def __init__(self, root: Path, count: int = 4) -> None:
        self.root = root
        for split in ("train", "val"):
            for number in range(count):
                self.picture(f"images/{split}/瓶 {number}.png", ROW * (number % 2))

    def picture(self, name: str, label: str | None = None, size: tuple[int, int] = (40, 20)) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(path)
        if label is not None:
            self.write(name.replace("images", "labels", 1).rpartition(".")[0] + ".txt", label)
        return path

    def write(self, name: str, content: str | dict[str, Any]) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def describe(self, **keys: Any) -> DataDescription:
        keys = {"train": "images/train", "val": "images/val", "names": ["knot", "crack"], **keys}
        return read_description(self.write("data.yaml", json.dumps(keys)))[0]

    def read(self, policy: ReadPolicy = SKIP, split: str = "train", **keys: Any) -> RecordSet:
        result = read_records(self.describe(**keys), split, policy)
        data_report = result.data_report
        assert data_report.found == data_report.used + sum(data_report.skipped.values()) and data_report.used == len(
            result.records
        )
        assert "\n" not in data_report.summary()
        assert_rows_balance(data_report)
        json.dumps(data_report.plain(), allow_nan=False)
        return result

    def coco(self, names: list[str], boxes: int = 1, first: int = 50) -> dict[str, Any]:
        images = [{"id": first + i, "file_name": name, "width": 40, "height": 20} for i, name in enumerate(names)]
        rows = [
            {"image_id": image["id"], "category_id": 9, "bbox": [4, 5, 20, 10], "iscrowd": 1}
            for image in images
            for _ in range(boxes)
        ]
        return {"images": images, "annotations": rows, "categories": [{"id": 9, "name": "Knot"}]}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "数据 set")


def names(result: RecordSet) -> list[str]:
    return [record.path.name for record in result.records]


def test_plain_set(home: Home) -> None:
    result = home.read()
    assert names(result) == [f"瓶 {i}.png" for i in range(4)]
    assert [r.image_id for r in result.records] == [1, 2, 3, 4] and result.category_ids == (1, 2)
    record = result.records[1]
    np.testing.assert_allclose(record.pixel_boxes(), [[16, 6, 24, 14]], atol=1e-4)
    assert record.size == (20, 40) and record.labelled and record.crowd.tolist() == [False]
    data_report = result.data_report
    assert (data_report.found, data_report.used, data_report.good, data_report.boxes) == (
        4,
        4,
        2,
        2,
    ) and data_report.labels["empty"] == 2
    assert data_report.summary().startswith("train: 4 pictures found = 4 used (2 good) + 0 skipped, 2 boxes")
    assert home.read(ERROR).data_report.plain() == data_report.plain()


def test_unknown_split(home: Home) -> None:
    with pytest.raises(ConfigError, match="no 'test' split"):
        read_records(home.describe(), "test", SKIP)


def test_folders_are_walked_in_order_and_links_end(home: Home) -> None:
    home.picture("images/train/b/deep.JPG", ROW)
    home.picture("images/train/.hidden.png", ROW)
    home.picture("images/train/.cache/x.png", ROW)
    os.symlink(home.root / "images/train", home.root / "images/train/a")
    os.symlink(home.root / "images/val", home.root / "images/train/c")
    result = home.read()
    paths = [record.path.as_posix() for record in result.records]
    assert paths == sorted(paths) and len(paths) == 9 and result.data_report.skipped == {"hidden": 1}


def test_duplicates_in_listing_are_counted(home: Home) -> None:
    result = home.read(ERROR, train=["images/train", "images/train/*.png", "images/train/瓶 1.png"])
    assert result.data_report.skipped == {"listed_twice": 5} and len(result.records) == 4


def test_list_file(home: Home) -> None:
    lines = ["images/train/瓶 0.png", "./images/train/瓶 1.png", "", str(home.root / "images/val/瓶 0.png")]
    home.write("lists/all.txt", "\ufeff" + "\r\n".join(lines))
    assert len(home.read(ERROR, train="lists/all.txt").records) == 3
    home.write("lists/all.txt", "\n".join([*lines, "images/none.png", "data.yaml", "a\0b.png"]))
    result = home.read(train="lists/all.txt")
    assert result.data_report.skipped == {"missing_picture": 2, "not_a_picture": 1}
    assert [p.where.rpartition(":")[2] for p in result.data_report.problems] == ["5", "6", "7"]
    with pytest.raises(DataError, match=r"all\.txt:5: 'images/none.png' does not exist.*2 more problems.*--bad-data"):
        home.read(ERROR, train="lists/all.txt")


def test_neither_folder_nor_list(home: Home) -> None:
    home.write("movie.mp4", "x")
    with pytest.raises(DataError, match="data.yaml:1: train: .*movie.mp4 is no folder"):
        home.read(train="movie.mp4")


def test_no_pictures(home: Home) -> None:
    (home.root / "empty").mkdir()
    with pytest.raises(DataError, match="train: no pictures found"):
        home.read(train="empty")


def test_bad_pictures(home: Home) -> None:
    home.write("images/train/text.jpg", "hello")
    (home.root / "images/train/folder.png").mkdir()
    (home.root / "images/train/dangling.png").symlink_to("nowhere")
    os.mkfifo(home.root / "images/train/pipe.png")
    result = home.read()
    assert result.data_report.skipped == {"unreadable": 4} and len(result.records) == 4
    assert [p.where.rpartition("/")[2] for p in result.data_report.problems] == [
        "dangling.png", "folder.png", "pipe.png", "text.jpg",
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"dangling\.png: cannot be read.*, and 3 more problems; run with --bad-data"):
        home.read(ERROR)
    home.write("images/train/text2.jpg", "hello")
    with pytest.raises(DataError, match="train: 5 of 9 pictures are bad, first"):
        home.read()


def test_limit_of_bad_pictures(tmp_path: Path) -> None:
    home = Home(tmp_path, count=203)
    for number in range(101):
        home.write(f"images/train/x{number}.jpg", "")
        if number == 99:
            assert home.read().data_report.skipped == {"unreadable": 100}
    with pytest.raises(DataError, match="101 of 304 pictures are bad"):
        home.read()


def test_bad_rows(home: Home) -> None:
    home.write("labels/train/瓶 1.txt", ROW + "0 1 2\n" + ROW + "0 nan 0 0 0\n" + ROW.replace("0.2", "1.002"))
    result = home.read()
    data_report = result.data_report
    assert data_report.rows_dropped == {"columns": 1, "non_finite": 1} and data_report.labels["clipped"] == 1
    assert data_report.labels["duplicate_rows"] == data_report.labels["duplicates_dropped"] == 1
    assert len(result.records[1].boxes) == 2 and "dropped columns 1" in data_report.summary()
    with pytest.raises(DataError, match=r"瓶 1\.txt:2: 3 numbers.*, and 1 more problem; run with --bad-data skip"):
        home.read(ERROR)
    kept = home.read(ReadPolicy(bad_data="skip", drop_duplicates=False)).data_report
    assert kept.labels["duplicate_rows"] == 1 and kept.labels["duplicates_dropped"] == 0 and kept.boxes == 4


def test_a_picture_without_a_usable_row_is_not_a_good_part(home: Home) -> None:
    home.write("labels/train/瓶 0.txt", "0 0.5 nan 0.1 0.1\n")
    home.write("labels/train/瓶 1.txt", "0 0.5 0.5 0.1\n" + ROW)
    result = home.read()
    report = result.data_report
    assert "瓶 0.png" not in [record.path.name for record in result.records] and report.used == 3
    assert report.skipped == {"no_usable_row": 1} and report.rows_dropped == {"columns": 1}
    assert report.rows["left_out"] == 1 and report.bad == 2
    assert "瓶 0.txt:1" in str(report.problems[0])


def test_an_entry_without_a_usable_box_is_not_a_good_part(home: Home) -> None:
    content = home.coco([f"瓶 {number}.png" for number in range(4)])
    for entry in content["annotations"]:
        if entry["image_id"] == content["images"][0]["id"]:
            entry["bbox"][2] = 0
    home.write("truth.json", content)
    result = home.read(annotations={"train": "truth.json"})
    assert result.data_report.skipped == {"no_usable_row": 1} and result.data_report.good == 0


def test_a_set_whose_rows_are_all_wrong_is_not_a_set_of_good_parts(home: Home) -> None:
    for number in range(3):
        home.write(f"labels/train/瓶 {number}.txt", "0 320 200 50 40\n")
    with pytest.raises(DataError, match="3 of 4 pictures are bad.*looks like pixels"):
        home.read()


@pytest.mark.parametrize("policy", [SKIP, ERROR])
def test_class_beyond_the_names_always_stops(home: Home, policy: ReadPolicy) -> None:
    home.write("labels/train/瓶 2.txt", "\n2 0.5 0.5 0.1 0.1\n")
    with pytest.raises(DataError, match=r"瓶 2\.txt:2: class 2, but the data YAML names 2"):
        home.read(policy)


def test_unreadable_label_is_not_a_good_part(home: Home) -> None:
    (home.root / "labels/train/瓶 0.txt").unlink()
    (home.root / "labels/train/瓶 0.txt").mkdir()
    assert home.read().data_report.skipped == {"unreadable_label": 1}
    with pytest.raises(DataError, match=r"瓶 0\.txt: is a folder, not a regular file"):
        home.read(ERROR)


def test_missing_labels(home: Home) -> None:
    for number in range(2):
        (home.root / f"labels/train/瓶 {number}.txt").unlink()
    result = home.read(ERROR)
    assert result.data_report.labels["missing"] == 2 and [r.labelled for r in result.records] == [
        False,
        False,
        True,
        True,
    ]
    (home.root / "labels/train/瓶 2.txt").unlink()
    with pytest.raises(DataError, match=r"3 of 4 pictures have no label, first looked for .*labels/train/瓶 0\.txt"):
        home.read()
    allowed = ReadPolicy(bad_data="error", drop_duplicates=False, allow_empty=True)
    assert home.read(allowed).data_report.labels["missing"] == 3


def test_labels_key_and_published_layout(home: Home) -> None:
    home.picture("Images/validation/p.jpg")
    home.write("labels/validation/txt/p.txt", ROW)
    assert home.read(split="val", val="Images/validation").data_report.boxes == 1
    home.write("truth/p.txt", ROW * 2)
    assert home.read(ERROR, "val", val="Images/validation", labels={"val": "truth"}).data_report.boxes == 2


def test_orphans_and_twins(home: Home) -> None:
    home.write("labels/train/nobody.txt", ROW)
    home.picture("images/train/瓶 1.jpg")
    data_report = home.read(ERROR).data_report
    assert data_report.labels["orphans"] == 1 and data_report.boxes == 3
    assert len(data_report.notices) == 2 and "same stem" in data_report.notices[0]
    assert "1 label file of no picture with 1 row, first " in data_report.notices[1]


def test_found_coco_gives_ids_only(home: Home) -> None:
    listed = [f"瓶 {i}.png" for i in (3, 2, 1, 0)]
    home.write("annotations/train.json", home.coco(listed))
    result = home.read(ERROR)
    assert [r.image_id for r in result.records] == [53, 52, 51, 50] and result.category_ids == (9, 11)
    assert result.data_report.boxes == 2, "boxes still come from txt"
    assert len(result.data_report.notices) == 1 and "for 2 of 4 pictures" in result.data_report.notices[0]
    home.write("annotations/train.json", home.coco(listed[:3]))
    result = home.read(ERROR)
    assert [r.image_id for r in result.records] == [1, 2, 3, 4] and result.category_ids == (1, 2)
    assert "1 picture without an id" in result.data_report.notices[0]
    home.write("annotations/train.json", "{}")
    assert "not used for picture ids: " in home.read(ERROR).data_report.notices[0]


def test_coco_in_the_published_place_and_with_more_pictures(home: Home) -> None:
    content = home.coco([f"瓶 {i}.png" for i in range(4)] + ["other.png"])
    home.write("labels/train/annotations/train.json", content)
    result = home.read(ERROR)
    assert result.records[0].image_id == 50 and any("1 picture more" in n for n in result.data_report.notices)


def test_annotations_key_gives_the_boxes(home: Home) -> None:
    home.write("truth.json", home.coco([f"瓶 {i}.png" for i in range(4)]))
    result = home.read(ERROR, annotations={"train": "truth.json"})
    record = result.records[0]
    np.testing.assert_allclose(record.pixel_boxes(), [[4, 5, 24, 15]], atol=1e-5)
    assert record.crowd.tolist() == [True] and record.image_id == 50
    assert result.data_report.boxes == 0 and result.data_report.labels["ignored"] == 4
    assert "COCO is used" in result.data_report.notices[0]
    home.write("truth.json", home.coco(["瓶 0.png"]))
    with pytest.raises(DataError, match=r"1\.png: is not in the COCO json, but .*1\.txt has 1 row for it"):
        home.read(ERROR, annotations={"train": "truth.json"})
    for label in (home.root / "labels/train").iterdir():
        label.unlink()
    with pytest.raises(DataError, match=r"3 of 4 pictures have no label, first looked for .*truth\.json"):
        home.read(ERROR, annotations={"train": "truth.json"})


def test_annotations_of_another_size(home: Home) -> None:
    content = home.coco([f"瓶 {i}.png" for i in range(4)])
    content["images"][1].update(width=20, height=40)
    home.write("truth.json", content)
    assert home.read(annotations={"train": "truth.json"}).data_report.skipped == {"size_mismatch": 1}


@pytest.mark.parametrize(
    ("place", "prefix"),
    [
        ("images/train/t.json", ""),
        ("t.json", "images/train/"),
        ("annotations/t.json", ""),
        ("annotations/t.json", "train/"),
    ],
)
def test_coco_split(home: Home, place: str, prefix: str) -> None:
    home.write(place, home.coco([f"{prefix}瓶 {i}.png" for i in (2, 0)] + [f"{prefix}gone.png"]))
    result = home.read(train=place)
    assert names(result) == ["瓶 0.png", "瓶 2.png"] and [r.image_id for r in result.records] == [51, 50]
    assert result.data_report.skipped == {"missing_picture": 1} and result.category_ids == (9, 11)
    with pytest.raises(DataError, match="gone.png' is not beside"):
        home.read(ERROR, train=place)


def test_two_coco_splits_with_the_same_ids(home: Home) -> None:
    home.write("a.json", home.coco(["images/train/瓶 0.png"]))
    home.write("b.json", home.coco(["images/train/瓶 1.png"]))
    result = home.read(ERROR, train=["a.json", "b.json"])
    assert [r.image_id for r in result.records] == [1, 2] and "ids are 1..N" in result.data_report.notices[0]


def test_nothing_is_written(home: Home) -> None:
    description = home.describe()
    before = sorted((p, p.stat().st_mtime_ns) for p in home.root.rglob("*"))
    read_records(description, "train", SKIP)
    assert sorted((p, p.stat().st_mtime_ns) for p in home.root.rglob("*")) == before


SHARED = Path(data.__file__).resolve().parents[2] / "shared" / "data"
COUNTS = {"wood": ((839, 2081, 70), (260, 634, 21)), "coco128": ((128, 929, 2), (32, 244, 0))}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real sets are not on this machine")
@pytest.mark.parametrize("name", COUNTS)
def test_real_sets(name: str) -> None:
    description, _ = read_description(SHARED / name)
    for split, counts in zip(("train", "val"), COUNTS[name], strict=True):
        result = read_records(description, split, ERROR)
        data_report = result.data_report
        assert (data_report.used, data_report.boxes, data_report.good) == counts and data_report.notices == ()
        explicit = DataDescription(
            **{**vars(description), "annotations": {split: SHARED / name / f"annotations/{split}.json"}}
        )
        other = read_records(explicit, split, SKIP)
        assert_agreement(result, other)


def assert_agreement(txt: RecordSet, coco: RecordSet) -> None:
    for a, b in zip(txt.records, coco.records, strict=True):
        assert (a.path, a.image_id, a.size) == (b.path, b.image_id, b.size)
        assert sorted(a.labels) == sorted(b.labels)
        gaps = np.abs(a.pixel_boxes()[:, None] - b.pixel_boxes()[None]).max(2)
        assert (gaps.min(1, initial=9) < 1).all() and (gaps.min(0, initial=9) < 1).all()


def test_labels_of_one_split_that_another_reads_too(tmp_path: Path) -> None:
    """Pictures of both are numbered alike, all labels lie in one folder: val would be judged by the truth of train."""
    home = Home(tmp_path / "flat", count=0)
    for split, numbers in (("train", (0, 1, 2, 3)), ("val", (0, 3, 7))):
        for number in numbers:
            home.picture(f"images/{split}/{number:03}.png")
    for number in (0, 1, 3):
        home.write(f"labels/{number:03}.txt", ROW)
    keys = {"labels": {"train": "labels", "val": "labels"}}
    for split, other in (("train", "val"), ("val", "train")):
        (said,) = home.read(split=split, **keys).data_report.notices
        assert said.startswith(f"2 label files read for pictures of {other}, too, first ") and "000.txt" in said
    for number in (0, 3):
        (tmp_path / "flat" / "images" / "val" / f"{number:03}.png").rename(
            tmp_path / "flat" / "images" / f"{number}.png"
        )
    assert home.read(**keys).data_report.notices == ()


@pytest.mark.parametrize("pictures", ["images/{}", "{}/images", "{}"])
def test_where_each_split_has_its_labels_the_other_is_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: str
) -> None:
    """It may be of a million pictures."""
    home = Home(tmp_path / "set", count=0)
    for split in ("train", "val"):
        home.picture(f"{pictures.format(split)}/a.png")
        home.write(f"{pictures.format(split).replace('images', 'labels')}/a.txt", ROW)
    monkeypatch.setattr(OtherPictures, "by_split", property(lambda _: pytest.fail("listed")))
    assert home.read(train=pictures.format("train"), val=pictures.format("val")).data_report.boxes == 1
