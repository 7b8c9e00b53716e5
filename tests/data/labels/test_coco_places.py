"""Where the json of a split is looked for, and which one a folder gives."""

import pytest

from data.labels.coco_places import all_jsons, find_coco, json_in


def touched(home, *names):
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    return [home / name for name in names]


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("images/val", "annotations/val.json"),
        ("val2017", "annotations/instances_val2017.json"),
        ("Images/validation", "labels/validation/annotations/validation.json"),
        ("Images/validation", "labels/validation/annotations/val.json"),
        ("Images/validation", "labels/validation/annotations/train.json"),
        ("val/images", "val/annotations/val.json"),
        ("val/images", "val/annotations/train.json"),
        ("valid", "valid/_annotations.coco.json"),
    ],
)
def test_usual_places(tmp_path, entry, place):
    (path,) = touched(tmp_path, place)
    touched(tmp_path, "annotations/train.json", "labels/train/annotations/train.json", "train/annotations/val.json")
    assert find_coco(tmp_path, "val", [tmp_path / entry]) == path
    assert all_jsons(tmp_path, "val", [tmp_path / entry], None) == [path]


def test_the_json_of_another_split_is_not_taken(tmp_path):
    touched(tmp_path, "annotations/train.json", "images/train.json", "labels/train/annotations/train.json")
    assert find_coco(tmp_path, "val", [tmp_path / "images"]) is None
    assert all_jsons(tmp_path, "val", [tmp_path / "images/val"], None) == []


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["train.json"], "train.json"),
        (["odd name.json", "notes.txt"], "odd name.json"),
        (["train.json", "val.json"], "val.json"),
        (["validation.json", "train.json"], "validation.json"),
        (["instances_val.json", "train.json"], "instances_val.json"),
        (["train.json", "captions.json"], None),
        (["notes.txt"], None),
    ],
)
def test_the_json_of_a_folder(tmp_path, files, taken):
    touched(tmp_path, *(f"a/{name}" for name in files))
    found = json_in(tmp_path / "a", "val", [tmp_path / "Images/validation"])
    assert found == (tmp_path / "a" / taken if taken else None)


def test_all_jsons_are_those_that_are_read(tmp_path):
    one, two, own, usual = touched(tmp_path, "1/a.json", "2/a.json", "own.json", "annotations/val.json")
    assert all_jsons(tmp_path, "val", [tmp_path / "*/a.json", one], own) == [one, two, own]
    assert all_jsons(tmp_path, "val", [tmp_path / "images"], tmp_path / "gone.json") == [usual]
