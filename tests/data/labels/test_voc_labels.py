"""One VOC file: its boxes by hand, hostile and odd content, where its folder is looked for."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.labels.voc_labels import read_voc, truth_of_voc, xml_folders
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, read_records
from tests.data import trees
from utils.words.errors import DataError

NAMES = ("knot", "crack")
LABELS = {name: label for label, name in enumerate(NAMES)}


def item(name="knot", edges=(1, 1, 10, 10), extra=""):
    box = "".join(
        f"<{edge}>{value}</{edge}>" for edge, value in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
    )
    return f"<object><name>{name}</name>{extra}<bndbox>{box}</bndbox></object>"


def stored(folder, *objects, head="<annotation>", tail="</annotation>"):
    path = folder / "x.xml"
    content = "\n".join((head, *objects, tail))
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def truth(path, size=(100, 200)):
    return truth_of_voc(read_voc(path), size, LABELS, NAMES)


def test_pixels_are_counted_from_one_ends_included(tmp_path):
    path = stored(tmp_path, item("CRACK ", (1, 1, 200, 100)), item(edges=(21, 31, 60.5, 40)))
    boxes, labels, crowd, problems = truth(path)
    np.testing.assert_allclose(boxes, [[0, 0, 1, 1], [0.1, 0.3, 0.3025, 0.4]], atol=1e-7)
    assert labels.tolist() == [1, 0] and not crowd.any() and problems == [] and boxes.dtype == np.float32


def test_a_tool_that_counts_from_zero(tmp_path):
    boxes, _, _, problems = truth(stored(tmp_path, item(edges=(0, 0, 5, 5))), size=(20, 20))
    np.testing.assert_allclose(boxes, [[0, 0, 0.25, 0.25]])
    assert [p.reason for p in problems] == ["clipped"]


def test_difficult_objects_do_not_count(tmp_path):
    path = stored(tmp_path, item(extra="<difficult>1</difficult>"), item(extra="<difficult>0</difficult>"))
    _, labels, crowd, problems = truth(path)
    assert labels.tolist() == [0, 0] and crowd.tolist() == [True, False]
    assert problems[0].reason == "difficult" and problems[0].harmless


def test_parts_of_an_object_are_not_objects(tmp_path):
    part = "<part><name>crack</name><bndbox><xmin>5</xmin></bndbox></part>"
    boxes, labels, _, problems = truth(stored(tmp_path, item(extra=part)))
    assert labels.tolist() == [0] and len(boxes) == 1 and problems == []


@pytest.mark.parametrize(
    ("size", "expected"),
    [("<width>200</width><height>100</height>", (100, 200)), ("<width>0</width><height>0</height>", None), ("", None)],
)
def test_size(tmp_path, size, expected):
    assert read_voc(stored(tmp_path, f"<size>{size}<depth>3</depth></size>")).size == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    head = '<?xml version="1.0" encoding="iso-8859-1"?>' if encoding == "latin-1" else ""
    path = tmp_path / "x.xml"
    path.write_bytes(f"{head}<annotation>{item('Ästung')}</annotation>".encode(encoding))
    assert read_voc(path).objects[0].texts["name"] == "Ästung"


@pytest.mark.parametrize(
    ("objects", "line", "reason", "words"),
    [
        ((item(), item(edges=(5, 5, 4, 9))), 3, "empty_box", "without width or height"),
        ((item(edges=(5, 5, 300, 9)),), 2, "outside", "lies outside the picture"),
        ((item(edges=(-50, 5, 20, 9)),), 2, "outside", "lies outside the picture"),
        ((item(edges=("a", 5, 20, 9)),), 2, "not_a_number", "xmin 'a' is not a plain number"),
        ((item(edges=("1_0", 5, 20, 9)),), 2, "not_a_number", "xmin '1_0'"),
        ((item(edges=("1,5", 5, 20, 9)),), 2, "not_a_number", "xmin '1,5'"),
        ((item(edges=(1, "nan", 20, 9)),), 2, "non_finite", "ymin is NaN"),
        ((item(edges=(1, "1e400", 20, 9)),), 2, "non_finite", "ymin is NaN or infinite"),
        (("<object><name>knot</name></object>",), 2, "columns", "lacks xmin, ymin, xmax, ymax"),
        (
            ("<object><name>knot</name><bndbox><xmin>1</xmin></bndbox></object>",),
            2,
            "columns",
            "lacks ymin, xmax, ymax",
        ),
        ((item(name=" "),), 2, "class_id", "without a name"),
    ],
)
def test_bad_objects_are_left_out_with_their_line(tmp_path, objects, line, reason, words):
    boxes, labels, _, problems = truth(stored(tmp_path, *objects))
    assert len(boxes) == len(labels) == len(objects) - 1
    assert [p.reason for p in problems] == [reason] and words in problems[0].message
    assert problems[0].where.endswith(f"x.xml:{line}")


def test_an_unknown_class_always_stops(tmp_path):
    with pytest.raises(DataError, match=r"x\.xml:3: class 'crak' is not in the data YAML; did you mean 'crack'\?"):
        truth(stored(tmp_path, item(), item("crak")))


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<annotation>'


@pytest.mark.parametrize(
    ("head", "tail", "words"),
    [
        (BOMB, "<folder>&b;</folder></annotation>", ":1: holds a document type or entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd">\n<annotation>', "</annotation>", ":1: holds a document type"),
        ("<annotation>", "&other;</annotation>", ":2: not well-formed xml: undefined entity"),
        ("<annotation>", "", "not well-formed xml"),
        ("", "", "not well-formed xml"),
        ("<html>", "</html>", ":1: starts with <html>, not with <annotation>"),
        ("<annotation>" + "<a>" * 50, "</a>" * 50 + "</annotation>", ":1: too many or too deeply nested"),
        ("<annotation>" + "<a/>" * 200_001, "</annotation>", ":1: too many or too deeply nested"),
        ('<?xml version="1.0" encoding="no-such"?><annotation>', "</annotation>", ":1: "),
        ("\0\1", "", "not well-formed xml"),
    ],
)
def test_what_is_no_annotation(tmp_path, head, tail, words):
    with pytest.raises(DataError) as caught:
        read_voc(stored(tmp_path, head=head, tail=tail))
    assert words in str(caught.value) and "x.xml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_huge_text_is_not_kept(tmp_path):
    path = stored(tmp_path, item("k" * 3_000_000))
    assert len(read_voc(path).objects[0].texts["name"]) <= 1_000


def test_bad_files_are_left_out_and_the_books_balance(tmp_path):
    trees.write_voc(tmp_path, trees.make_truth(0))
    home = tmp_path / "Annotations/train"
    (home / "all 0.xml").write_text("<annotation>")
    (home / "all 1.xml").write_text(trees.voc([], size=(99, 99)))
    (home / "all 2.xml").unlink()
    (home / "all 2.xml").mkdir()
    yaml = {"train": "images/train", "val": "images/val", "names": list(trees.NAMES)}
    (tmp_path / "own.yaml").write_text(json.dumps(yaml))
    for source in (tmp_path, tmp_path / "own.yaml"):
        description, _ = read_description(source)
        data_report = read_records(description, "train", ReadPolicy(bad_data="skip", drop_duplicates=True)).data_report
        assert data_report.skipped == {"unreadable_label": 2, "size_mismatch": 1}
        assert data_report.found == data_report.used + 3 and data_report.boxes == 6
        with pytest.raises(DataError, match=r"all 0\.xml:1: not well-formed xml.*and 2 more problems"):
            read_records(description, "train", ReadPolicy(bad_data="error", drop_duplicates=False))


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        ("images/train", ["Annotations/train", "Annotations", "labels/train", "images/train"]),
        ("JPEGImages", ["Annotations", "JPEGImages"]),
        ("train", ["Annotations/train", "Annotations", "labels/train", "train"]),
        (
            "images/train/cam",
            ["Annotations/cam", "Annotations", "Annotations/train", "labels/train", "images/train/cam"],
        ),
    ],
)
def test_folders(tmp_path, home, expected):
    for name in ("Annotations/train", "Annotations/cam", "labels/train", "images/train/cam", "JPEGImages", "train"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    found = [str(path.relative_to(tmp_path)) for path in xml_folders(tmp_path / home)]
    assert [name for name in found if name != "labels"] == expected
    assert xml_folders(Path("/")) is not None
