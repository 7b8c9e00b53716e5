"""A label that has lost its picture never makes a good part of another, wherever it lies and however it is named; and
sets whose labels serve other splits, or whose good pictures have none, go on working."""

import json
import shutil

import pytest

from data.index.split_index import read_indexed
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy
from tests.data.trees import picture, text, voc
from tests.faults.test_labels import ROW, coco
from utils.words.errors import DataError

ERROR = ReadPolicy(bad_data="error", drop_duplicates=False, workers=1)
COUNT = ReadPolicy(bad_data="count", drop_duplicates=False, workers=1)
NAMES = ["crack", "oil"]
XML = voc([(0, 4, 5, 30, 40)], NAMES)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def read(home, policy=ERROR, split="val", **keys):
    """In memory and by the index; the same is said."""
    keys = {"train": "images/train", "val": "images/val", "names": NAMES, **keys}
    text(home / "data.yaml", json.dumps(keys))
    described, _ = read_description(home / "data.yaml")
    plain, indexed = (read_indexed(described, split, policy, use).data_report for use in ("never", "always"))
    assert plain.plain() == indexed.plain()
    return plain


PLACES = [f"{split}/x{number}" for split in ("train", "val") for number in range(4)]


def txt_set(home):
    """Pictures of both splits are called alike: x0 to x3."""
    for place in PLACES:
        picture(home / f"images/{place}.png")
        text(home / f"labels/{place}.txt", ROW)
    return {}


def voc_set(home):
    txt_set(home)
    shutil.rmtree(home / "labels")
    for place in PLACES:
        text(home / f"Annotations/{place}.xml", XML)
    return {}


def coco_set(home):
    txt_set(home)
    shutil.rmtree(home / "labels")
    for split in ("train", "val"):
        text(home / f"{split}.json", json.dumps(coco([f"x{number}.png" for number in range(4)])))
    return {"annotations": {split: f"{split}.json" for split in ("train", "val")}}


def train_has_txt(home):
    keys = coco_set(home)
    for number in range(4):
        text(home / f"labels/train/x{number}.txt", ROW)
    return {"annotations": {"val": keys["annotations"]["val"]}}


def root_set(home):
    """One root for the labels of each split."""
    txt_set(home)
    (home / "labels").rename(home / "truth")
    return {"labels": {split: f"truth/{split}" for split in ("train", "val")}}


def beside(home):
    txt_set(home)
    for place in PLACES:
        (home / f"labels/{place}.txt").rename(home / f"images/{place}.txt")
    return {}


def move(one, other):
    def change(home):
        (home / other).parent.mkdir(parents=True, exist_ok=True)
        (home / one).rename(home / other)

    return change


def first(*changes):
    def change(home):
        for one in changes:
            one(home)

    return change


RENAMED = move("images/val/x3.png", "images/val/part.png")
MOVED = move("images/val/x3.png", "images/val/sub/x3.png")
LOST = {
    "renamed, txt": (txt_set, RENAMED),
    "renamed, xml": (voc_set, RENAMED),
    "renamed, json": (coco_set, RENAMED),
    "renamed, json beside txt of the other split": (train_has_txt, RENAMED),
    "renamed, own roots": (root_set, RENAMED),
    "label renamed": (txt_set, move("labels/val/x3.txt", "labels/val/part.txt")),
    "label called like the classes": (txt_set, move("labels/val/x3.txt", "labels/val/classes_3.txt")),
    "label called like a readme": (txt_set, move("labels/val/x3.txt", "labels/val/readme_3.txt")),
    "all pictures in a sub-folder": (
        txt_set,
        first(*(move(f"images/val/x{n}.png", f"images/val/sub/x{n}.png") for n in (2, 3))),
    ),
    "picture in a sub-folder": (txt_set, MOVED),
    "picture in a sub-folder of a sub-folder": (txt_set, move("images/val/x3.png", "images/val/a/b/x3.png")),
    "label in a sub-folder": (txt_set, move("labels/val/x3.txt", "labels/val/sub/x3.txt")),
    "label in a sub-folder, other case": (txt_set, move("labels/val/x3.txt", "labels/val/sub/X3.TXT")),
    "label above": (txt_set, move("labels/val/x3.txt", "labels/x3.txt")),
    "label beside the folders": (txt_set, move("labels/val/x3.txt", "labels/old/x3.txt")),
    "label above its root": (root_set, move("truth/val/x3.txt", "truth/x3.txt")),
    "label above its picture": (beside, move("images/val/x3.txt", "images/x3.txt")),
    "xml in a sub-folder": (voc_set, move("Annotations/val/x3.xml", "Annotations/val/one/two/x3.xml")),
    "txt among xml": (
        voc_set,
        first(move("Annotations/val/x3.xml", "s"), move("labels.txt", "Annotations/val/x3.txt")),
    ),
    "picture came from train": (
        txt_set,
        first(move("images/train/x3.png", "images/val/y.png"), move("labels/train/x3.txt", "labels/train/y.txt")),
    ),
    "one stem in two folders": (
        txt_set,
        first(
            move("images/val/x3.png", "images/val/a/x3.png"),
            move("labels/val/x3.txt", "labels/val/a/x3.txt"),
            move("images/val/x2.png", "images/val/b/x3.png"),
            move("labels/val/x2.txt", "labels/val/x3.txt"),
        ),
    ),
    "one stem in two folders, the other flat": (
        txt_set,
        first(move("images/val/x3.png", "images/val/a/x2.png"), move("labels/val/x3.txt", "labels/val/b/x2.txt")),
    ),
    "not in the json, but a txt": (
        coco_set,
        first(RENAMED, lambda home: text(home / "labels/val/part.txt", ROW)),
    ),
    "no txt, but in a json": (
        txt_set,
        first(
            lambda home: (home / "labels/val/x3.txt").unlink(),
            lambda home: text(home / "annotations/val.json", json.dumps(coco([f"x{n}.png" for n in range(4)]))),
        ),
    ),
}


@pytest.mark.parametrize(("make", "change"), LOST.values(), ids=LOST)
def test_a_lost_label_is_refused_and_counted(tmp_path, make, change):
    keys = make(tmp_path)
    text(tmp_path / "labels.txt", ROW)
    assert read(tmp_path, **keys).boxes == 4
    change(tmp_path)
    with pytest.raises(DataError, match=r"would be lost|matches no picture|for it"):
        read(tmp_path, **keys)
    report = read(tmp_path, COUNT, **keys)
    assert report.bad >= 1 and [one for one in report.problems if not one.harmless]


def shared_labels(home):
    """One flat folder for both splits, reached by the key."""
    for split in ("train", "val"):
        for number in range(3):
            picture(home / f"images/{split}/{split}{number}.png")
            text(home / f"truth/{split}{number}.txt", ROW)
    return {"labels": {"train": "truth", "val": "truth"}}


def linked_labels(home):
    """labels/train and labels/val lead to one folder."""
    shared_labels(home)
    (home / "labels").mkdir()
    for split in ("train", "val"):
        (home / "labels" / split).symlink_to(home / "truth", target_is_directory=True)
    return {}


def one_json(name):
    def make(home):
        names = [f"{split}{number}.png" for split in ("train", "val") for number in range(3)]
        for one in names:
            home_of = "train" if one.startswith("train") else "val"
            picture(home / f"images/{home_of}/{one}")
        text(home / "all.json", json.dumps(coco([name(one) for one in names])))
        return {"annotations": {"train": "all.json", "val": "all.json"}}

    return make


def json_of_val_only(home):
    """The other split has the same json in its folder of txt, and labels of its own."""
    one_json(lambda name: name)(home)
    for number in range(3):
        text(home / f"labels/train/train{number}.txt", ROW)
    return {"annotations": {"val": "all.json"}}


def lists(home):
    """Lists of a folder of which some pictures are in no split, and one split is not named at all."""
    txt_set(home)
    for name in ("images/val/spare.png", "images/test/good.png", "images/test/t.png"):
        picture(home / name)
    for name in ("val/spare", "test/good", "test/t"):
        text(home / f"labels/{name}.txt", ROW)
    text(home / "val.txt", "\n".join(f"images/val/x{number}.png" for number in range(4)) + "\nimages/val/good.png")
    return {"val": "val.txt"}


def sub_folders(home):
    """The same names in every sub-folder, and texts that are no labels."""
    txt_set(home)
    for line in ("a", "b"):
        picture(home / f"images/val/{line}/x0.png")
        text(home / f"labels/val/{line}/x0.txt", ROW)
    text(home / "labels/val/classes.txt", "crack\noil")
    text(home / "labels/val/README.roboflow.txt", "words")
    return {}


def txt_and_xml(home):
    """Two files for each picture, in the tree of the GCD."""
    txt_set(home)
    for split in ("train", "val"):
        (home / f"labels/{split}").rename(home / "keep")
        (home / "keep").rename(home / f"labels.{split}")
        (home / f"labels/{split}").mkdir(parents=True)
        (home / f"labels.{split}").rename(home / f"labels/{split}/txt")
        for number in range(4):
            text(home / f"labels/{split}/xml/x{number}.xml", XML)
    return {}


VALID = {
    "txt": txt_set,
    "xml": voc_set,
    "jsons": coco_set,
    "json of one, txt of the other": train_has_txt,
    "own roots": root_set,
    "shared": shared_labels,
    "linked": linked_labels,
    "one json": one_json(lambda name: name),
    "one json with folders": one_json(lambda name: f"{name.rstrip('0123456789.pngx')}/{name}"),
    "json of one of both": json_of_val_only,
    "lists": lists,
    "sub-folders": sub_folders,
    "txt and xml": txt_and_xml,
    "beside": beside,
}


@pytest.mark.parametrize("make", VALID.values(), ids=VALID)
@pytest.mark.parametrize("split", ["train", "val"])
def test_good_pictures_without_labels_go_on_working(tmp_path, make, split):
    keys = make(tmp_path)
    for one in ("train", "val"):
        picture(tmp_path / f"images/{one}/good.png")
    report = read(tmp_path, split=split, **keys)
    assert report.labels["missing"] >= 1 and report.labels["orphans"] == 0 and report.bad == 0
    assert not report.problems and report.rows["orphaned"] == 0


def test_empty_labels_and_copies_are_no_loss(tmp_path):
    txt_set(tmp_path)
    picture(tmp_path / "images/val/good.png")
    text(tmp_path / "labels/val/gone.txt", "")
    text(tmp_path / "labels/val/old/x0.txt", ROW)
    report = read(tmp_path)
    assert report.labels["orphans"] == 1 and report.bad == 0 and report.labels["missing"] == 1


NO_OBJECTS = {
    "deeper": XML.replace("<object>", "<objects><object>").replace("</object>", "</object></objects>"),
    "upper case": XML.upper().replace("XMIN", "xmin"),
    "capital": XML.replace("object>", "Object>"),
    "prefix": XML.replace("<annotation>", '<annotation xmlns:v="v">').replace("object>", "v:object>"),
    "two boxes": XML.replace("</object>", "<bndbox><xmin>1</xmin></bndbox></object>"),
    "box of another case": XML.replace("bndbox>", "BndBox>"),
    "box outside": XML.replace("</annotation>", "<bndbox><xmin>1</xmin></bndbox></annotation>"),
}


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_an_object_that_is_not_read_is_refused(tmp_path, content):
    voc_set(tmp_path)
    text(tmp_path / "Annotations/val/x1.xml", content)
    with pytest.raises(DataError, match=r"x1\.xml:\d+: has .* mend or remove it"):
        read(tmp_path)
    assert read(tmp_path, COUNT).skipped == {"unreadable_label": 1}


def test_parts_of_an_object_have_boxes_of_their_own(tmp_path):
    voc_set(tmp_path)
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    text(tmp_path / "Annotations/val/x1.xml", XML.replace("</object>", f"{part}{part}</object>"))
    assert read(tmp_path).boxes == 4
