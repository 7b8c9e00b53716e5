"""Where label files lie, and which of them belong to no picture."""

from pathlib import Path

import pytest

from data.labels.label_places import LabelPlaces, find_orphans, label_path


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a b.jpg", "labels/train/a b.txt"),
        ("Images/train/a.b.JPG", "labels/train/a.b.txt"),
        ("images/set/IMAGES/瓶.png", "images/set/labels/瓶.txt"),
        ("images/train/a.png", "labels/train/txt/a.txt"),
        ("pictures/a.png", "pictures/a.txt"),
        ("images/train/a.png", "images/train/a.txt"),
    ],
)
def test_where_labels_lie(tmp_path: Path, image: str, label: str) -> None:
    (tmp_path / label).parent.mkdir(parents=True)
    (tmp_path / label).touch()
    assert label_path(tmp_path / image) == tmp_path / label


def test_missing_label_names_the_likeliest_place(tmp_path: Path) -> None:
    assert label_path(tmp_path / "images" / "a.png") == tmp_path / "labels" / "a.txt"
    assert label_path(tmp_path / "pictures" / "a.png") == tmp_path / "pictures" / "a.txt"


def test_labels_root_keeps_sub_folders(tmp_path: Path) -> None:
    root = tmp_path / "truth"
    (root / "cam1").mkdir(parents=True)
    (root / "cam1" / "a.txt").touch()
    (root / "b.txt").touch()
    assert label_path(tmp_path / "images/train/cam1/a.png", root) == root / "cam1" / "a.txt"
    assert label_path(tmp_path / "images/train/cam1/b.png", root) == root / "b.txt"
    assert label_path(tmp_path / "shots/b.png", root) == root / "b.txt"


def test_orphans(tmp_path: Path) -> None:
    names = (
        "i/a.jpg",
        "i/c.PNG",
        "l/a.txt",
        "l/b.txt",
        "l/classes.txt",
        "l/train.txt",
        "l/a.TXT",
        "l/z.xml",
        "l/classes_3.txt",
        "l/a.json",
    )
    for name in (*names, "l/other.json", "l/README.roboflow.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    pairs = [(tmp_path / "i/a.jpg", tmp_path / "l/a.txt")]
    found = find_orphans(pairs, {tmp_path / "l/train.txt"})
    assert [path.name for path in found] == ["a.TXT", "a.json", "b.txt", "classes_3.txt", "z.xml"]
    assert find_orphans([(tmp_path / "no/a.jpg", tmp_path / "none/a.txt")], ()) == []


def test_places_of_many_pictures_are_those_of_each(tmp_path):
    """With and without a root, sub-folders, names with several dots, labels beside pictures or nowhere."""
    names = [
        "images/train/a.jpg",
        "images/train/sub/a.b.png",
        "images/c.JPG",
        "plain/d.png",
        ".e.jpg",
        "images/train/f",
    ]
    for text in (
        "labels/train/txt/a.txt",
        "labels/train/sub/a.b.txt",
        "images/c.txt",
        "labels/plain/d.txt",
        "own/sub/a.b.txt",
    ):
        (tmp_path / text).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / text).write_text("")
    for root in (None, tmp_path / "own", tmp_path / "none"):
        places = LabelPlaces(root)
        for name in names * 2:
            assert places.find(tmp_path / name) == label_path(tmp_path / name, root)
