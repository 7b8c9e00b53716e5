"""No label is lost without a word: every row of txt, COCO and VOC labels is a box, or counted and named; in memory and
by the index alike. A row never becomes another box."""

import copy
import json
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.index.split_index import read_indexed
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy
from tests.data.trees import HEIGHT, WIDTH, picture, text
from utils.words.errors import DataError, UserError

SKIP = ReadPolicy(bad_data="skip", drop_duplicates=True, workers=1)
ERROR = ReadPolicy(bad_data="error", drop_duplicates=False, workers=1)
EASY = ReadPolicy(bad_data="skip", drop_duplicates=True, allow_empty=True, workers=1)
NAMES = ["crack", "oil"]
ROW = "0 0.5 0.5 0.2 0.4"
BOX = [0.4, 0.3, 0.6, 0.7]  # of ROW


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def description(home, **keys):
    keys = {"train": "images/train", "val": "images/val", "names": NAMES, **keys}
    text(home / "data.yaml", json.dumps(keys))
    (home / "images/val").mkdir(parents=True, exist_ok=True)
    return read_description(home / "data.yaml")[0]


def read(home, policy=SKIP, **keys):
    """Train, in memory and by the index: the same records and the same report, whose rows balance."""
    described = description(home, **keys)
    plain, indexed = (read_indexed(described, "train", policy, use) for use in ("never", "always"))
    assert plain.data_report.plain() == indexed.data_report.plain()
    for one, other in zip(plain.records, indexed.records, strict=True):
        assert one.path == other.path and np.array_equal(one.boxes, other.boxes)
    report, labels = plain.data_report, plain.data_report.labels
    used = report.boxes + labels["ignored"] + labels["duplicates_dropped"]
    lost = sum(report.rows_dropped.values()) + sum(report.rows[name] for name in ("left_out", "elsewhere", "orphaned"))
    assert report.rows["read"] == used + lost and report.found == report.used + sum(report.skipped.values())
    assert used - labels["duplicates_dropped"] == sum(len(record.boxes) for record in plain.records)
    return plain


def yolo(home, *labels):
    """A picture for each label text."""
    for number, rows in enumerate(labels):
        picture(home / f"images/train/p{number}.png")
        text(home / f"labels/train/p{number}.txt", rows)
    return home


def coco(names, rows=None):
    """A json of one box in each picture, or of `rows`."""
    images = [{"id": i, "file_name": name, "width": WIDTH, "height": HEIGHT} for i, name in enumerate(names, 1)]
    one = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": [4, 5, 20, 30], "iscrowd": 0}
        for i in range(1, len(names) + 1)
    ]
    return {
        "images": images,
        "annotations": one if rows is None else rows,
        "categories": [{"id": 1, "name": "crack"}, {"id": 2, "name": "oil"}],
    }


def coco_home(home, pictures, content):
    for name in pictures:
        picture(home / "images/train" / name)
    text(home / "t.json", json.dumps(content))
    return {"annotations": {"train": "t.json"}}


# Rows of more than five numbers

MORE = {
    "2 points": "0 .7 .7 .2 .2 .65 .65 .75 .75",
    "1 point": "0 .5 .5 .4 .4 .45 .5",
    "3 points": "0 .5 .5 .4 .4 .45 .5 .5 .5 .55 .6",
    "confidence and track": "0 .5 .5 .2 .4 .9 1",
    "confidence and a far track": "0 .5 .5 .2 .4 .9 17",
    "flags": "1 .5 .5 .2 .4 0 1",
    "four flags": "1 .5 .5 .2 .4 0 1 1 0",
    "hidden points": "0 .5 .5 .4 .4 0 0 0 0",
    "points on one spot": "0 .5 .5 .5 .5 .5 .5 .5 .5",
    "points with visibility": "0 .5 .5 .4 .4 .45 .5 2 .55 .5 1",
}


@pytest.mark.parametrize("row", MORE.values(), ids=MORE)
@pytest.mark.parametrize("among", [0, 5])
def test_a_box_with_more_behind_it_is_never_another_box(tmp_path, row, among):
    home = yolo(tmp_path, *[row] * 3, *[ROW] * among)
    with pytest.raises(DataError, match=r"p0\.txt:1: \d+ numbers"):
        read(home, ERROR)
    if among:
        report = read(home).data_report
        assert report.skipped == {"no_usable_row": 3} and report.used == report.boxes == among
    else:
        with pytest.raises(DataError, match="3 of 3 pictures are bad"):
            read(home)
    result = read(home, ERROR, rows="boxes")
    _, x, y, w, h = map(float, row.split()[:5])
    expected = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    np.testing.assert_allclose(result.records[0].boxes, [expected], atol=1e-6)
    assert result.data_report.labels["more_columns"] == 3


def test_mixed_lengths_tell_nothing_and_kpt_shape_does(tmp_path):
    home = yolo(tmp_path, *MORE.values())
    with pytest.raises(DataError, match="numbers"):
        read(home)
    home = yolo(tmp_path / "pose", *[MORE["2 points"]] * 3, ROW)
    assert read(home, ERROR, kpt_shape=[2, 2]).data_report.boxes == 4
    with pytest.raises(DataError, match=r"p0\.txt:1: 9 numbers; kpt_shape says 14"):
        read(home, ERROR, kpt_shape=[3, 3])


POLYGONS = {
    "turned boxes": ["0 .5 .3 .7 .5 .5 .7 .3 .5", "1 .2 .2 .3 .3 .2 .4 .1 .3"],
    "upright boxes": ["0 .4 .3 .6 .3 .6 .7 .4 .7"],
    "most can be nothing else": ["0 .7 .2 .9 .3 .8 .8", "0 .1 .8 .3 .9 .2 .95", "0 .4 .4 .5 .4 .45 .5"],
    "many lengths": ["0 .4 .4 .5 .4 .45 .5" + " .44 .5" * more for more in range(6)],
}


@pytest.mark.parametrize("rows", POLYGONS.values(), ids=POLYGONS)
def test_polygons_go_on_working(tmp_path, rows):
    result = read(yolo(tmp_path, *rows), ERROR)
    assert result.data_report.labels["polygon"] == result.data_report.boxes == len(rows)
    for record, row in zip(result.records, rows, strict=True):
        xy = np.array(row.split()[1:], float).reshape(-1, 2)
        np.testing.assert_allclose(record.boxes, [[*xy.min(0), *xy.max(0)]], atol=1e-6)
    said = read(yolo(tmp_path / "said", "0 .4 .4 .5 .4 .45 .5"), ERROR, rows="polygons")
    np.testing.assert_allclose(said.records[0].boxes, [[0.4, 0.4, 0.5, 0.5]], atol=1e-6)


# Names

SPELLINGS = {
    "letter case": ("A.PNG", "a.png"),
    "escapes": ("part%20é%231.png", "part é#1.png"),
    "NFD in the json": (unicodedata.normalize("NFD", "Körper.png"), "Körper.png"),
    "NFC in the json": ("Körper.png", unicodedata.normalize("NFD", "Körper.png")),
    "all at once": (unicodedata.normalize("NFD", "K%C3%96rper 1.PNG"), "körper 1.png"),
    "backslashes": ("..\\other\\sub\\x.png", "sub/x.png"),
    "another machine": ("C:\\Data\\images\\train\\x.png", "x.png"),
    "another machine, folders": ("/home/me/set/b/x.png", "b/x.png"),
    "a folder too many": ("train2017/x.png", "x.png"),
    "a folder too few": ("x.png", "deep/er/x.png"),
    "dot": ("./x.png", "x.png"),
}


@pytest.mark.parametrize(("given", "name"), SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("listed", [False, True])
def test_another_spelling_is_matched(tmp_path, given, name, listed):
    keys = coco_home(tmp_path, [name, "plain.png"], coco([given, "plain.png"]))
    if listed:
        text(tmp_path / "images/train/t.json", (tmp_path / "t.json").read_text())
        keys = {"train": "images/train/t.json"}
        if given.startswith(("C:", "/home", "..", "train2017")) or name.startswith("deep"):
            with pytest.raises(DataError, match="1 box of it are lost"):  # which folder is meant, nobody says
                read(tmp_path, ERROR, **keys)
            return
    result = read(tmp_path, ERROR, **keys)
    assert result.data_report.boxes == 2 and result.data_report.labels["missing"] == 0


UNCLEAR = {
    "two folders": (["x.png"], ["a/x.png", "b/x.png"]),
    "two folders of two": (["c/x.png", "d/x.png"], ["a/x.png", "b/x.png"]),
    "two spellings of one": (["X.png", "x.PNG"], ["x.pnG"]),
    "one spelling of two": (["x.PNg"], ["x.png", "X.png"]),
    "another name": (["y.png"], ["x.png"]),
    "another kind": (["x.jpg"], ["x.png"]),
}


@pytest.mark.parametrize(("given", "names"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_cannot_be_matched_is_refused_or_left_out(tmp_path, given, names):
    fine = [f"p{number}.png" for number in range(9)]
    keys = coco_home(tmp_path, [*names, *fine], coco([*given, *fine]))
    with pytest.raises(
        DataError, match=r"t\.json: images\[0\]: '.*' matches no picture, or several.* box would be lost"
    ):
        read(tmp_path, ERROR, **keys)
    report = read(tmp_path, SKIP, **keys).data_report
    assert report.rows["orphaned"] == len(given) and report.boxes == 9
    if "another" not in str(given) and given[0].lower().rpartition("/")[2] == names[0].lower().rpartition("/")[2]:
        assert report.skipped == {"unclear_entry": len(names)}, "they must not pass as good parts"


def test_a_json_of_all_splits_and_of_more(tmp_path):
    picture(tmp_path / "images/val/v.png")
    keys = coco_home(tmp_path, ["x.png", "good.png"], coco(["x.png", "v.png"]))
    report = read(tmp_path, ERROR, **keys).data_report
    assert report.rows == {"read": 2, "left_out": 0, "elsewhere": 1, "orphaned": 0}
    assert report.labels["not_in_json"] == 1 and any("1 picture not in the COCO json" in n for n in report.notices)
    keys = coco_home(tmp_path / "b", ["x.png"], coco(["x.png", "gone.png"]))
    report = read(tmp_path / "b", ERROR, **keys).data_report
    assert report.rows["orphaned"] == 1 and any("1 box" in n and "'gone.png'" in n for n in report.notices)


@pytest.mark.parametrize("label", ["p1.TXT", "P1.txt", "p1.Txt", unicodedata.normalize("NFD", "ö1.txt")])
def test_label_files_of_another_spelling(tmp_path, label):
    stem = unicodedata.normalize("NFC", label[:-4]).lower()
    home = yolo(tmp_path, ROW)
    picture(home / f"images/train/{stem}.png")
    text(home / f"labels/train/{label}", ROW)
    report = read(home, ERROR).data_report
    assert report.boxes == 2 and report.labels["orphans"] == 0 and any("another spelling" in n for n in report.notices)


@pytest.mark.parametrize("orphan", ["x.txt", "x.TXT", "x.xml", "X.XML", "p0.TXT"])
def test_orphans_are_named_and_stop_an_evaluation_where_a_label_is_missing(tmp_path, orphan):
    home = yolo(tmp_path, ROW, ROW)
    content = ROW if "t" in orphan.lower().partition(".")[2] else ""
    text(home / f"labels/train/{orphan}", content or "<annotation><object><name>oil</name></object></annotation>")
    report = read(home, ERROR).data_report
    assert report.labels["orphans"] == report.rows["orphaned"] == 1 and any(orphan in n for n in report.notices)
    picture(home / "images/train/bare.png")
    with pytest.raises(DataError, match=f"{orphan}: belongs to no picture, and 'bare.png' has no label"):
        read(home, ERROR)
    assert read(home).data_report.rows["orphaned"] == 1


# Crowd, fractions, masks: one json each

ROWS = {
    "0": ({"iscrowd": "0"}, "box"),
    "false": ({"iscrowd": "false"}, "box"),
    "No": ({"iscrowd": "No"}, "box"),
    "0.0": ({"iscrowd": 0.0}, "box"),
    "null": ({"iscrowd": None}, "box"),
    "blank": ({"iscrowd": ""}, "box"),
    "one": ({"iscrowd": "1"}, "ignored"),
    "true": ({"iscrowd": True}, "ignored"),
    "maybe": ({"iscrowd": "maybe"}, "bad_flag"),
    "two": ({"iscrowd": 2}, "bad_flag"),
    "dict": ({"iscrowd": {}}, "bad_flag"),
    "fractions": ({"bbox": [0.1, 0.2, 0.3, 0.4]}, "fraction"),
    "first pixel": ({"bbox": [0, 0, 1, 1]}, "box"),
    "three numbers": ({"bbox": [1, 2, 3]}, "columns"),
    "texts": ({"bbox": ["1", "2", "3", "4"]}, "not_a_number"),
    "nan": ({"bbox": [1, 2, 3, float("nan")]}, "non_finite"),
    "huge": ({"bbox": [1, 2, 3, 10**400]}, "non_finite"),
    "negative": ({"bbox": [9, 9, -3, 4]}, "empty_box"),
    "polygon only": ({"bbox": None, "segmentation": [[4, 5, 24, 5, 24, 36]]}, "box"),
    "mask only": ({"bbox": [], "segmentation": {"counts": "abc", "size": [9, 9]}}, "no_box"),
    "nothing": ({"bbox": None}, "no_box"),
    "picture id as text": ({"image_id": "1"}, "box"),
    "unknown picture": ({"image_id": 77}, "no_picture"),
    "class as text": ({"category_id": "1"}, "box"),
    "class as float": ({"category_id": 1.0}, "box"),
    "half a class": ({"category_id": 1.5}, "class_id"),
    "unknown class": ({"category_id": 9}, "class_id"),
    "negative class": ({"category_id": -1}, "class_id"),
}


@pytest.mark.parametrize(("change", "end"), ROWS.values(), ids=ROWS)
def test_one_row_goes_one_way(tmp_path, change, end):
    names = [f"{number}.png" for number in range(6)]
    content = coco(names)
    content["annotations"].append({**content["annotations"][0], "id": 99, "bbox": [4, 5, 20, 30.5], **change})
    keys = coco_home(tmp_path, names, content)
    report = read(tmp_path, SKIP, **keys).data_report
    ways = {"box": report.boxes - 6, "ignored": report.labels["ignored"], **report.rows_dropped}
    assert ways.pop(end) == 1 and not any(ways.values()) and report.rows["read"] == 7
    if end in ("box", "ignored"):
        assert read(tmp_path, ERROR, **keys).data_report.rows == report.rows
    else:
        with pytest.raises(DataError, match=r"t\.json: (annotations\[6\]|images\[0\]).*--bad-data skip"):
            read(tmp_path, ERROR, **keys)


@pytest.mark.parametrize(
    "name", ["010", "12:30", "1_000", "0x1F", "0o17", "1.10", "yes", "null", "1e3", "2024-01-01", ".5"]
)
def test_names_are_as_written(tmp_path, name):
    text(
        tmp_path / "images/train/x.xml",
        f"<annotation><object><name>{name}</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
        "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>",
    )
    picture(tmp_path / "images/train/x.png")
    for names in (f"[{name}, 1.1]", f"{{0: {name}, 1: 1.1}}"):
        text(tmp_path / "own.yaml", f"train: images/train\nval: images/train\nnames: {names}\nnc: '2'\n")
        described, _ = read_description(tmp_path / "own.yaml")
        assert described.names == (name, "1.1")
        assert read_indexed(described, "train", ERROR, "never").data_report.boxes == 1


# Messes, made at random

HOSTILE = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1.5,
        "",
        "x",
        "1",
        "0.5",
        [],
        {},
        [1],
        [1, 2, 3, 4],
        10**30,
        float("nan"),
        "a/../b",
        "\0",
        "\ud800",
        "É.PNG",
        -(2**63),
    ]
)
TXT_ROWS = st.sampled_from(
    [
        ROW,
        "",
        "1 .2 .2 .1 .1",
        "0 1 2",
        "0 nan 0 0 0",
        "0 2 2 1 1",
        "-1 .5 .5 .1 .1",
        "x",
        *MORE.values(),
        "0 .4 .3 .6 .3 .6 .7 .4 .7",
    ]
)
LABEL_NAMES = st.sampled_from(
    ["p0.txt", "p1.txt", "P1.txt", "p2.TXT", "p3.txt", "q.txt", "p3.xml", "q.xml", "classes.txt", "p1.json"]
)


@st.composite
def mutated(draw, base):
    """A json with some values replaced, removed or repeated."""
    content = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 5))):
        rows = content[draw(st.sampled_from(["images", "annotations", "categories"]))]
        index = draw(st.integers(0, max(len(rows) - 1, 0)))
        what = draw(st.sampled_from(["value", "value", "drop key", "drop", "repeat", "replace"]))
        if not rows or what == "repeat":
            rows.append(copy.deepcopy(rows[index]) if rows else draw(HOSTILE))
        elif what == "drop":
            del rows[index]
        elif what == "replace" or not isinstance(rows[index], dict) or not rows[index]:
            rows[index] = draw(HOSTILE)
        else:
            key = draw(st.sampled_from(sorted(rows[index])))
            rows[index].pop(key) if what == "drop key" else rows[index].update({key: draw(HOSTILE)})
    return content


def survive(home, rows_there, **keys):
    """Either a UserError of one line, or books that balance and count every row there is."""
    for policy in (EASY, ERROR):
        try:
            result = read(home, policy, **keys)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert rows_there is None or result.data_report.rows["read"] == rows_there


PICTURES = [f"p{number}.png" for number in range(6)]


@pytest.mark.faults
@settings(max_examples=400)
@given(content=mutated(coco(PICTURES)), listed=st.booleans())
def test_any_coco_json(content, listed):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        keys = coco_home(home, PICTURES, content)
        if listed:
            (home / "t.json").rename(home / "images/train/t.json")
        survive(home, len(content["annotations"]), **({"train": "images/train/t.json"} if listed else keys))


@pytest.mark.faults
@settings(max_examples=300)
@given(labels=st.dictionaries(LABEL_NAMES, st.lists(TXT_ROWS, max_size=4), max_size=7), bad=st.booleans())
def test_any_txt_labels(labels, bad):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number in range(4):
            picture(home / f"images/train/p{number}.png")
        if bad:
            text(home / "images/train/p0.png", "no picture")
        rows = 0
        for name, lines in labels.items():
            text(home / "labels/train" / name, "\n".join(lines))
            rows += sum(bool(line) for line in lines) if name.lower().endswith(".txt") and name != "classes.txt" else 0
        survive(home, rows)


VOC = (
    "<annotation><size><width>64</width><height>48</height></size><object><name>crack</name><difficult>0</difficult>"
    "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object></annotation>"
)
PARTS = [
    "<annotation>",
    "crack",
    "64",
    "<size>",
    "</size>",
    "<bndbox>",
    "<difficult>0</difficult>",
    "<xmin>5</xmin>",
    ">30<",
    ">40<",
    "</object>",
    "name",
]
WITH = [
    "",
    "yes",
    "maybe",
    "0.1",
    "-5",
    "nan",
    "1e400",
    "<xmin>0.1</xmin>",
    "<Annotation>",
    "<object>",
    "&x;",
    "\0",
    "é",
    "oil",
    "0",
    ">0<",
]


@pytest.mark.faults
@settings(max_examples=300)
@given(changes=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(PARTS), st.sampled_from(WITH)), max_size=4))
def test_any_voc_xml(changes):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        files = [VOC] * 4
        for number, old, new in changes:
            files[number] = files[number].replace(old, new, 1)
        for number, content in enumerate(files):
            picture(home / f"images/train/p{number}.png")
            text(home / f"Annotations/train/p{number}.xml", content)
        survive(home, None)
