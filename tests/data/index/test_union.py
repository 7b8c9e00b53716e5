"""Several sets as one: classes by name, every picture and box kept, the data report balanced."""

import cv2
import numpy as np
import pytest
import yaml

from data.index.union import open_data
from data.sets import data_yaml as description
from data.sets.split_reading import ReadPolicy
from tests.data.trees import picture
from utils.config.config import DataConfig
from utils.values.channels import Channels
from utils.words.errors import ConfigError, DataError

POLICY = ReadPolicy(bad_data="error", drop_duplicates=False)


def write_set(folder, names, rows, **more):
    """A set of one training and one validation picture with `rows` of labels."""
    for split in ("train", "val"):
        picture(folder / "images" / split / f"{folder.name}.png")
        (folder / "labels" / split).mkdir(parents=True)
        (folder / "labels" / split / f"{folder.name}.txt").write_text("".join(f"{k} .5 .5 .2 .2\n" for k in rows))
    keys = {"path": str(folder), "train": "images/train", "val": "images/val", "names": names, **more}
    (folder.parent / f"{folder.name}.yaml").write_text(yaml.safe_dump(keys))


@pytest.fixture
def union(tmp_path):
    write_set(tmp_path / "steel", ["Scratch", "dent"], [0, 1, 1])
    write_set(tmp_path / "wood", ["knot", "scratch", "dust"], [1, 0, 2], remap={"dust": "ignore"})
    path = tmp_path / "both.yaml"
    path.write_text("union: [steel.yaml, wood]\n")
    (tmp_path / "wood" / "data.yaml").write_text((tmp_path / "wood.yaml").read_text())
    return path


def test_classes_are_merged_by_name(union):
    source, _ = open_data(DataConfig(data=str(union)))
    train = source.read("train", POLICY)
    assert train.names == ("Scratch", "dent", "knot") and train.category_ids == (1, 2, 3)
    assert [r.path.stem for r in train.records] == ["steel", "wood"]
    assert [r.labels.tolist() for r in train.records] == [[0, 1, 1], [0, 2, -1]]
    assert [r.image_id for r in train.records] == [1, 2]
    assert train.records[1].crowd.tolist() == [False, False, True]
    assert (
        train.data_report.found == train.data_report.used == 2
        and train.data_report.boxes == 5
        and train.data_report.labels["ignored"] == 1
    )


def test_a_name_of_two_classes_is_refused(union, tmp_path):
    """One member knows as one class what another takes for two."""
    (tmp_path / "texts.json").write_text('[["scratch", "dent"], ["bubble"]]')
    write_set(tmp_path / "glass", "texts.json", [0, 1])
    union.write_text("union: [glass.yaml, steel.yaml]\n")
    with pytest.raises(ConfigError, match=r"both\.yaml:1: 'scratch' and 'dent' are both called 'dent'; make them one"):
        open_data(DataConfig(data=str(union)))
    assert open_data(DataConfig(data=str(union), single_cls=True))[0].names == ("defect",)


def test_single_class(union):
    train = open_data(DataConfig(data=str(union), single_cls=True))[0].read("train", POLICY)
    assert train.names == ("defect",)
    assert np.concatenate([r.labels for r in train.records]).tolist() == [0, 0, 0, 0, 0, -1]


def test_root_holds_a_folder_per_member(union, tmp_path):
    for name in ("steel", "wood"):
        (tmp_path / f"{name}.yaml").write_text((tmp_path / f"{name}.yaml").read_text().replace(str(tmp_path), "/gone"))
    union.write_text("union: [steel.yaml, wood.yaml]\n")
    source, _ = open_data(DataConfig(data=str(union), root=str(tmp_path)))
    assert len(source.read("val", POLICY).records) == 2


@pytest.mark.parametrize(
    "text, words",
    [
        ("union: steel.yaml\n", r"both.yaml:1: 'union' must list two or more"),
        ("union: [steel.yaml, wood]\nnames: [a]\n", r"both.yaml:2: 'names' has no meaning beside 'union'"),
        ("union: [steel.yaml, both.yaml]\n", r"both.yaml:1: both.yaml is a union itself"),
        ("union: [steel.yaml, stel.yaml]\n", r"stel.yaml: data YAML not found"),
    ],
)
def test_mistakes(union, text, words):
    union.write_text(text)
    with pytest.raises(ConfigError, match=words):
        open_data(DataConfig(data=str(union)))


def test_members_have_the_same_planes(union, tmp_path):
    """The union carries them; members that differ, in name or in depth, are named at its line."""
    for name, more in (("steel.yaml", "channels: [gray]\n"), ("wood/data.yaml", "channels: [gray]\n")):
        with (tmp_path / name).open("a") as file:
            file.write(more)
    for path in tmp_path.glob("*/images/*/*.png"):
        assert cv2.imwrite(str(path), np.zeros((80, 100), np.uint8))
    train = open_data(DataConfig(data=str(union)))[0].read("train", POLICY)
    assert train.channels == Channels(image=("gray",)) and len(train.records) == 2
    for was, now in (("channels: [gray]", ""), ("", "bit_depth: 12\n")):
        text = (tmp_path / "steel.yaml").read_text()
        (tmp_path / "steel.yaml").write_text(text.replace(was, now) if was else text + "channels: [gray]\n" + now)
        with pytest.raises(ConfigError, match=r"both.yaml:1: steel.yaml \((r, g, b|gray)\) and data.yaml \(gray\)"):
            open_data(DataConfig(data=str(union)))


def test_shipped_union_names_seventeen_classes_and_says_where_its_members_belong(tmp_path):
    for name in ("neu-det", "wood", "agdd-glass"):
        (tmp_path / name).mkdir()
    source, _ = open_data(DataConfig(data="defects-union.yaml", root=str(tmp_path)), require=())
    assert len(source.names) == 17  # of 6 + 8 + 4; both wood and glass have cracks
    with pytest.raises(DataError, match="neu-det.yaml:.* does not exist"):
        open_data(DataConfig(data="defects-union.yaml"))


def test_every_yaml_is_parsed_once(union, tmp_path, monkeypatch):
    parsed = []
    read = description.read_yaml
    monkeypatch.setattr(description, "read_yaml", lambda path: parsed.append(path) or read(path))
    open_data(DataConfig(data=str(union)))
    assert parsed == [union, tmp_path / "steel.yaml", tmp_path / "wood" / "data.yaml"]
    parsed.clear()
    open_data(DataConfig(data=str(tmp_path / "steel.yaml")))
    assert parsed == [tmp_path / "steel.yaml"]
