"""Every layout gives the same records; folders that cannot be read in one way are refused with advice."""

import json
import shutil
from pathlib import Path

import pytest

from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, read_records
from tests.data import trees
from utils.words.errors import ConfigError, DataError

ERROR = ReadPolicy(bad_data="error", drop_duplicates=False, workers=2)
SKIP = ReadPolicy(bad_data="skip", drop_duplicates=True, workers=2)


def read(source, split, policy=ERROR, **keys):
    result = read_records(read_description(source, **keys)[0], split, policy)
    data_report = result.data_report
    assert data_report.found == data_report.used + sum(data_report.skipped.values()) and data_report.used == len(
        result.records
    )
    return result


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("layout", trees.LAYOUTS)
def test_a_bare_folder_in_any_layout(tmp_path, layout, seed):
    truth = trees.make_truth(seed)
    home = tmp_path / "数据 set"
    trees.LAYOUTS[layout](home, truth)
    before = trees.snapshot(home)
    description, notices = read_description(home)
    assert sorted(description.names) == sorted(trees.NAMES) and len(notices) == 1 and "no data.yaml" in notices[0]
    for split in trees.SPLITS:
        result = read(home, split)
        assert trees.rows_of(result) == trees.rows_wanted(truth, split)
        assert result.data_report.labels["missing"] == 0
    assert trees.snapshot(home) == before


@pytest.mark.parametrize("layout", [name for name in trees.LAYOUTS if name.startswith(("yolo", "gcd", "voc"))])
def test_the_same_through_a_yaml(tmp_path, layout):
    """With a YAML the folders are named and the kind of labels is still told from what is there."""
    truth = trees.make_truth(2)
    trees.LAYOUTS[layout](tmp_path, truth)
    places = {
        split: str(place[0].relative_to(tmp_path)) for split, place in read_description(tmp_path)[0].splits.items()
    }
    names = [name.upper() for name in trees.NAMES]
    (tmp_path / "own.yaml").write_text(json.dumps({**places, "names": names}))
    for split in trees.SPLITS:
        found = trees.rows_of(read(tmp_path / "own.yaml", split))
        wanted = trees.rows_wanted(truth, split)
        assert found == {stem: sorted((n.upper(), *box) for n, *box in rows) for stem, rows in wanted.items()}


def test_roboflow_yaml(tmp_path):
    truth = trees.make_truth(0)
    trees.write_roboflow(tmp_path, truth)
    (tmp_path / "classes.txt").unlink()
    yaml = {"train": "../train/images", "val": "../valid/images", "nc": 3, "names": list(trees.NAMES)}
    (tmp_path / "data.yaml").write_text(json.dumps(yaml))
    for split in trees.SPLITS:
        assert trees.rows_of(read(tmp_path, split)) == trees.rows_wanted(truth, split)


@pytest.mark.parametrize("name", ["val", "validation"])
def test_both_json_names_give_the_ids(tmp_path, name):
    trees.write_gcd(tmp_path, trees.make_truth(0), json_names=("train", name))
    assert [r.image_id for r in read(tmp_path, "val").records] == [100, 101, 102, 103]


def test_repeated_annotation_ids_are_said(tmp_path):
    trees.write_mmioc(tmp_path, trees.make_truth(0))
    path = tmp_path / "val/annotations/val.json"
    content = json.loads(path.read_text())
    content["annotations"] = [{**row, "id": 1} for row in content["annotations"]]
    path.write_text(json.dumps(content))
    result = read(tmp_path, "val")
    said = f"{len(content['annotations']) - 1} annotations with the id of another one; every box is read"
    assert any(said in notice for notice in result.data_report.notices)
    assert result.data_report.boxes == len(content["annotations"])


def test_labels_key_may_point_at_xml(tmp_path):
    truth = trees.make_truth(0)
    trees.write_voc(tmp_path, truth, labels="truth/xml")
    yaml = {"train": "images/train", "val": "images/val", "names": list(trees.NAMES), "labels": {"train": "truth"}}
    (tmp_path / "data.yaml").write_text(json.dumps(yaml))
    assert trees.rows_of(read(tmp_path, "train")) == trees.rows_wanted(truth, "train")


def test_txt_beside_xml_decides_and_differences_are_said(tmp_path):
    truth = trees.make_truth(0)
    trees.write_yolo(tmp_path, truth)
    trees.write_voc(tmp_path, truth)
    result = read(tmp_path, "train")
    assert trees.rows_of(result) == trees.rows_wanted(truth, "train") and result.data_report.notices == ()
    trees.text(tmp_path / "Annotations/train/all 0.xml", trees.voc([]))
    (tmp_path / "labels/train/all 1.txt").unlink()
    result = read(tmp_path, "train")
    assert trees.rows_of(result) == trees.rows_wanted(truth, "train")
    kinds, differ = result.data_report.notices
    assert kinds == "labels of 6 pictures are txt, of 1 picture VOC xml"
    assert differ.startswith("txt and xml differ in the number of boxes for 1 of 6 pictures") and "all 0" in differ


def test_coco_beside_xml_gives_ids_only(tmp_path):
    truth = trees.make_truth(0)
    trees.write_voc(tmp_path, truth, labels="labels/{}")
    trees.write_coco(tmp_path, {split: {stem: [] for stem in stems} for split, stems in truth.items()})
    result = read(tmp_path, "train")
    assert trees.rows_of(result) == trees.rows_wanted(truth, "train") and result.records[0].image_id == 100
    assert any("xml and COCO differ" in notice and "xml is used" in notice for notice in result.data_report.notices)


def test_list_files_resolve_against_path(tmp_path):
    """A list beside the YAML, with ./images/... entries: they lie below `path`, which data.root replaces."""
    truth = trees.make_truth(0)
    trees.write_yolo(tmp_path / "far/set", truth)
    for split in trees.SPLITS:
        lines = [f"./images/{split}/{stem}.png" for stem in truth[split]]
        trees.text(tmp_path / f"cfg/splits/{split}.txt", "\n".join(lines))
    keys = {"train": "splits/train.txt", "val": "splits/val.txt", "names": list(trees.NAMES)}
    yaml = tmp_path / "cfg/own.yaml"
    yaml.write_text(json.dumps({"path": "../far/set", **keys}))
    for split in trees.SPLITS:
        assert trees.rows_of(read(yaml, split)) == trees.rows_wanted(truth, split)
    yaml.write_text(json.dumps({"path": "../nowhere", **keys}))
    with pytest.raises(DataError, match="nowhere does not exist"):
        read(yaml, "train")
    assert trees.rows_of(read(yaml, "val", root=tmp_path / "far/set")) == trees.rows_wanted(truth, "val")
    with pytest.raises(DataError, match=r"data\.root: .*gone does not exist"):
        read(yaml, "val", root=tmp_path / "gone")
    with pytest.raises(ConfigError, match=r"data\.root .*but --data is a folder"):
        read(tmp_path / "far/set", "val", root=tmp_path)


SHIPPED = Path(__file__).parents[3] / "cfg" / "data"
SHARED = Path(__file__).parents[4] / "shared" / "data"


WITHOUT_PICTURES = {SHIPPED / "defects-union.yaml", *SHIPPED.glob("world-*.yaml")}  # of their own


@pytest.mark.parametrize("path", sorted(set(SHIPPED.glob("*.yaml")) - WITHOUT_PICTURES), ids=lambda p: p.stem)
def test_shipped_yamls(path, tmp_path):
    """They are sound without their pictures: names, split lists, and one line that says where the data belongs."""
    shutil.copytree(SHIPPED, tmp_path / "cfg")
    with pytest.raises(DataError, match=rf"{path.name}:\d+: path: .*datasets/.* does not exist"):
        read_description(tmp_path / "cfg" / path.name)
    for folder in ("Images/train", "Images/validation", "images/train_add", "images/val_add"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    if path.stem.startswith("MMIOC"):
        trees.write_gcd(tmp_path / "data", trees.make_truth(0), json_names=("train", "train"))
        trees.write_mmioc(tmp_path / "data/1-14", trees.make_truth(0))
    description, notices = read_description(path, root=tmp_path / "data")
    from_json = path.stem in ("MMIOC-1M", "MMIOC-Closed")
    assert len(notices) == from_json and len(description.names) >= 3 + (not from_json)
    for split in description.splits.values():
        if split[0].suffix == ".txt":
            lines = split[0].read_text(encoding="utf-8").splitlines()
            assert lines == sorted(set(lines)) and all(line.startswith("./images/") for line in lines)


def test_the_two_gcd_files_number_the_same_classes_differently():
    from utils.words.class_names import class_map
    from utils.words.yamlio import read_yaml

    one, two = (list(read_yaml(SHIPPED / f"{n}.yaml").data["names"].values()) for n in ("GCD", "GCD-Part-1"))
    assert class_map(two, one, "x") == (1, 3, 0, 2, 4), "spec 7.1: Part-1 -> GCD"


def mmioc_open(home):
    """A tree with the published categories, numbered backwards; one class of each split's picture list."""
    names = {s: tuple((SHIPPED / f"names/mmioc-open-{s}.txt").read_text().splitlines()) for s in trees.SPLITS}
    truth = {s: {f"{s} {k}": [(k, 1, 2, 30, 40)] for k in (0, 7, len(names[s]) - 1)} for s in trees.SPLITS}
    trees.write_mmioc(home / "1-14", truth, {s: names[s] for s in trees.SPLITS})
    for split in trees.SPLITS:
        listed = {f"{stem}.png": rows for stem, rows in truth[split].items()}
        content = trees.coco(listed, names[split], range(len(names[split]), 0, -1))
        trees.text(home / "1-14" / split / f"annotations/{split}.json", content)
    return names, truth


def test_mmioc_open_from_its_tree(tmp_path):
    names, truth = mmioc_open(tmp_path)
    description, notices = read_description("MMIOC-Open", root=tmp_path)
    assert notices == () and (len(names["train"]), len(names["val"])) == (94, 64)
    assert set(names["train"]) & set(names["val"]) == {"Cracks", "Pockmarks"}
    assert {"D0w0", "Topbasi", "damged"} < set(names["train"]), "as published"
    for split in trees.SPLITS:
        result = read("MMIOC-Open", split, root=tmp_path)
        assert result.names == description.names_of(split) == names[split]
        assert result.category_ids == tuple(range(len(names[split]), 0, -1)) and result.data_report.notices == ()
        assert trees.rows_of(result) == trees.rows_wanted(truth, split, names[split])


@pytest.mark.parametrize("json_names", [("train", "val"), ("train", "train"), ("train", "validation")])
@pytest.mark.parametrize("name", ["MMIOC-Closed", "MMIOC-1M"])
def test_mmioc_names_come_from_the_json(tmp_path, name, json_names):
    """The txt files of the published tree are not read: the json is the truth."""
    truth = trees.make_truth(0)
    trees.write_gcd(tmp_path, truth, json_names=json_names)
    for path in tmp_path.rglob("*.txt"):
        path.write_text("77 0.5 0.5 0.1 0.1")
    for split in trees.SPLITS:
        result = read(name, split, root=tmp_path)
        assert result.names == trees.NAMES and trees.rows_of(result) == trees.rows_wanted(truth, split)


MISSING = {
    "everything": (
        "",
        r"data\.root: .* it should hold 1-14/train/images, 1-14/val/images, 1-14/train/annotations/train",
    ),
    "pictures": ("1-14/val/images", r"MMIOC-Open\.yaml:\d+: val: .*/1-14/val/images does not exist"),
    "json": ("1-14/val/annotations/val.json", r"yaml:\d+: annotations of val: .*/annotations/val\.json does not exist"),
}


@pytest.mark.parametrize("what", MISSING)
def test_mmioc_open_says_what_is_missing(tmp_path, what):
    place, words = MISSING[what]
    mmioc_open(tmp_path / "set")
    (tmp_path / "set" / place).rename(tmp_path / "gone")
    with pytest.raises(DataError, match=words):
        read_description("MMIOC-Open", root=tmp_path / "set")


def test_mmioc_without_its_json(tmp_path):
    with pytest.raises(DataError, match=r"it should hold .*Images/validation, labels/train/annotations/\*\.json"):
        read_description("MMIOC-1M", root=tmp_path / "gone")
    trees.write_gcd(tmp_path, trees.make_truth(0))
    folder = tmp_path / "labels/validation/annotations"
    (folder / "validation.json").rename(tmp_path / "x.json")
    with pytest.raises(
        DataError, match=r"of val: .*/annotations holds no json, or several; put val\.json \(COCO\) there"
    ):
        read_description("MMIOC-1M", root=tmp_path)
    folder.rmdir()
    with pytest.raises(DataError, match="labels/validation/annotations does not exist"):
        read_description("MMIOC-1M", root=tmp_path)


COUNTS = {
    "neu-det": ((1207, 2784), (297, 702)),
    "deeppcb": ((451, 3114), (150, 956)),
    "agdd-glass": ((131, 362), (44, 119)),
    "wood": ((839, 2081), (260, 634)),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real sets are not on this machine")
@pytest.mark.parametrize("name", COUNTS)
def test_split_lists_give_the_real_sets(name):
    for split, counts in zip(trees.SPLITS, COUNTS[name], strict=True):
        data_report = read(SHIPPED / f"{name}.yaml", split, root=SHARED / name).data_report
        assert (data_report.used, data_report.boxes) == counts and data_report.used == data_report.found


def plant(change):
    """The YOLO tree with one mistake in it."""

    def planted(home):
        trees.write_yolo(home, trees.make_truth(0))
        change(home)

    return planted


def numbers_without_names(home):
    (home / "classes.txt").unlink()


def numbers_and_xml(home):
    numbers_without_names(home)
    trees.write_voc(home, trees.make_truth(0))


MISTAKES = {
    "no names": (numbers_without_names, "the labels are numbers; write .*classes.txt with one class name per line"),
    "xml names cannot number txt": (numbers_and_xml, "the labels are numbers; write .*classes.txt"),
    "no val": (lambda h: shutil.rmtree(h / "images/val"), "no folder called val or valid or validation with pictures"),
    "no split": (lambda h: (h / "images").rename(h / "all"), "11 pictures but no folders train and val; .* yourself"),
    "two vals": (lambda h: trees.picture(h / "images/valid/x.png"), "val may be images/val and images/valid"),
    "two trains": (lambda h: trees.picture(h / "train/images/x.png"), "train may be images/train and train/images"),
    "empty line": (lambda h: trees.text(h / "classes.txt", "a\n\nb"), r"classes\.txt:2: an empty line"),
    "twins": (lambda h: trees.text(h / "classes.txt", "a\nb\nA"), r"classes\.txt:3: 'A' is also on line 1"),
    "no class": (lambda h: trees.text(h / "classes.txt", "\n"), r"classes\.txt: is empty"),
    "latin": (lambda h: (h / "classes.txt").write_bytes(b"\xff"), r"classes\.txt: is not UTF-8"),
    "two lists": (lambda h: trees.text(h / "labels/classes.txt", "a"), "name different classes; keep one"),
    "nothing": (shutil.rmtree, "data YAML not found"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_folders_that_cannot_be_read(tmp_path, name):
    change, words = MISTAKES[name]
    home = tmp_path / "set"
    plant(change)(home)
    before = trees.snapshot(tmp_path)
    with pytest.raises(ConfigError, match=words) as caught:
        read_description(home)
    assert "\n" not in str(caught.value) and str(home) in str(caught.value) and trees.snapshot(tmp_path) == before


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ConfigError, match="without data.yaml and without pictures"):
        read_description(tmp_path)


def test_a_folder_of_good_pictures_has_no_names(tmp_path):
    for split in trees.SPLITS:
        trees.picture(tmp_path / split / "x.png")
    with pytest.raises(ConfigError, match=r"no classes\.txt, COCO json or VOC xml names the classes"):
        read_description(tmp_path)


def test_a_broken_coco_that_would_be_the_only_truth_is_an_error(tmp_path):
    trees.write_coco(tmp_path, trees.make_truth(0))
    (tmp_path / "classes.txt").write_text("\n".join(trees.NAMES))
    (tmp_path / "annotations/val.json").write_text("{}")
    with pytest.raises(DataError, match=r"val\.json: images: missing"):
        read(tmp_path, "val")


def test_coco_names_leave_out_what_only_stands_above(tmp_path):
    trees.write_roboflow(tmp_path, trees.make_truth(0), "coco")
    for folder in ("train", "valid"):
        path = tmp_path / folder / "_annotations.coco.json"
        content = json.loads(path.read_text())
        for category in content["categories"]:
            category["supercategory"] = "defects"
        content["categories"].insert(0, {"id": 0, "name": "defects", "supercategory": "none"})
        path.write_text(json.dumps(content))
    assert read_description(tmp_path)[0].names == trees.NAMES
