"""Remap, merge, ignore and single class: tables by hand, mistakes with their line, the same on real label files."""

import json

import numpy as np
import pytest

from data.labels.classes import ClassMap, read_classes
from data.sets.data_yaml import read_description
from data.sets.name_lists import read_names
from data.sets.split_reading import ReadPolicy, read_records
from tests.data import trees
from utils.values.record import EVERY_CLASS
from utils.words.errors import ConfigError
from utils.words.yamlio import parse_yaml

NAMES = "names: [scratch_light, Scratch, dust, hair, bubble]\n"
ERROR = ReadPolicy(bad_data="error", drop_duplicates=False, workers=1)


def classes(text):
    document = parse_yaml(text, "t.yaml")
    return read_classes(document, read_names(document, ["train"]))["train"]


@pytest.mark.parametrize(
    ("table", "names", "targets"),
    [
        ("", "scratch_light Scratch dust hair bubble", (0, 1, 2, 3, 4)),
        ("remap:\n", "scratch_light Scratch dust hair bubble", (0, 1, 2, 3, 4)),
        ("remap: {}\n", "scratch_light Scratch dust hair bubble", (0, 1, 2, 3, 4)),
        ("remap: {scratch_light: scratch, dust: ignore}\n", "Scratch hair bubble", (0, 0, -1, 1, 2)),
        ("remap: {SCRATCH: scratch_light}\n", "scratch_light dust hair bubble", (0, 0, 1, 2, 3)),
        ("remap: {dust: dirt, hair: DIRT}\n", "scratch_light Scratch dirt bubble", (0, 1, 2, 2, 3)),
        ("remap: {dust: hair, hair: Ignore}\n", "scratch_light Scratch bubble", (0, 1, -1, -1, 2)),
        ("remap: {dust: hair, hair: bubble}\n", "scratch_light Scratch bubble", (0, 1, 2, 2, 2)),
        ("remap: {dust: dust, bubble: 7}\n", "scratch_light Scratch dust hair 7", (0, 1, 2, 3, 4)),
    ],
)
def test_tables(table, names, targets):
    found = classes(NAMES + table)
    assert found.names == tuple(names.split()) and found.targets == targets
    assert found.sources == ("scratch_light", "Scratch", "dust", "hair", "bubble")
    moved, crowd = found.relabel(np.arange(5), np.array([False, True, False, False, False]))
    assert moved.tolist() == list(targets)
    assert crowd.tolist() == [i == 1 or target == EVERY_CLASS for i, target in enumerate(targets)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("remap:\n  dust: ignore\n  scrach: Scratch\n", "t.yaml:4: 'scrach' is not in names; did you mean 'Scratch'?"),
        ("remap:\n  zzz: Scratch\n", "t.yaml:3: 'zzz' is not in names; names has scratch_light, Scratch"),
        ("remap: [dust]\n", "t.yaml:2: 'remap' must map names to names"),
        ("remap: dust\n", "t.yaml:2: 'remap' must map names to names"),
        ("remap:\n  dust:\n", "t.yaml:3: 'dust' becomes no name"),
        ("remap:\n  dust: ' '\n", "t.yaml:3: 'dust' becomes no name"),
        ("remap:\n  dust: [a]\n", "t.yaml:3: 'dust' becomes no name"),
        ("remap:\n  dust: ~\n", "t.yaml:3: 'dust' becomes no name"),
        ("remap:\n  yes: dust\n", "t.yaml:3: 'yes' is not in names"),
        ("remap:\n  dust: a\n  Dust: b\n", "t.yaml:4: 'Dust' appears twice"),
        ("remap:\n  dust: a\n  dust: b\n", "t.yaml:4: key 'dust' appears twice"),
        ("remap:\n  hair: bubble\n  dust: hair\n  bubble: dust\n", "goes in a circle: dust -> hair -> bubble -> dust"),
        ("remap:\n  dust: hair\n  hair: dust\n", "t.yaml:4: goes in a circle: dust -> hair -> dust"),
        (
            "remap: {scratch_light: ignore, scratch: ignore, dust: ignore, hair: dust, bubble: hair}\n",
            "t.yaml:2: every class is ignored",
        ),
        ("remap:\n  ? [dust]\n  : a\n", "t.yaml:3: a key must be"),
        ("remap:\n  2: Scratch\n", "t.yaml:3: '2' is not in names"),
    ],
)
def test_mistakes_name_their_line(text, words):
    with pytest.raises(ConfigError) as caught:
        classes(NAMES + text)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_that_another_class_has_already(tmp_path, monkeypatch):
    """It would be two classes that are called the same."""
    monkeypatch.chdir(tmp_path)
    trees.text(tmp_path / "texts.json", json.dumps([["crack", "fissure"], ["dust"], ["hair"]]))
    names = "names: texts.json\n"
    with pytest.raises(ConfigError, match=r"t\.yaml:3: 'Fissure' is another name of 'crack'; write that one"):
        classes(names + "remap:\n  dust: Fissure\n")
    with pytest.raises(ConfigError, match="'fissure' is another name of 'crack'"):
        classes(names + "remap: {crack: crack, dust: fissure}\n")
    assert classes(names + "remap: {crack: fissure, dust: fissure}\n").names == ("fissure", "hair")
    assert classes(names + "remap: {dust: crack}\n").synonyms == (("crack", "fissure"), ("hair",))


def test_a_class_called_ignore_is_a_class_unless_said():
    assert classes("names: [a, ignore]\n").names == ("a", "ignore")
    assert classes("names: [a, ignore]\nremap: {ignore: ignore}\n").names == ("a",)
    with pytest.raises(ConfigError, match=r"t\.yaml:2: names has a class called 'ignore'"):
        classes("names: [a, ignore]\nremap: {a: ignore}\n")


def test_names_that_differ_in_blanks_and_case_are_one_name():
    with pytest.raises(ConfigError, match="classes 0 and 1 are both called 'black  SPOT'"):
        classes("names: [black spot, 'black  SPOT']\n")


def test_category_ids_follow_the_name_then_the_first_source():
    found = classes(NAMES + "remap: {scratch_light: scratch, dust: dirt, hair: dirt}\n")
    assert found.names == ("Scratch", "dirt", "bubble") and found.category_ids((50, 10, 40, 30, 20)) == (10, 40, 20)
    assert found.words() == "scratch_light + Scratch -> Scratch, dust + hair -> dirt"


def test_single_class():
    found = classes(NAMES + "remap: {dust: ignore}\n").single()
    assert found.names == ("defect",) and found.targets == (0, 0, EVERY_CLASS, 0, 0)
    assert ClassMap.plain([["a", "b"]]).single().names == ("defect",)


@pytest.mark.parametrize("layout", ["yolo", "voc flat", "coco", "gcd"])
def test_remapped_records(tmp_path, layout):
    """Knot and crack become one, resin spots go: the same rows in every layout, and the data report says how many."""
    truth = trees.make_truth(3)
    trees.LAYOUTS[layout](tmp_path, truth)
    places = {
        split: str(place[0].relative_to(tmp_path)) for split, place in read_description(tmp_path)[0].splits.items()
    }
    yaml = {**places, "names": list(trees.NAMES), "remap": {"knot": "Crack", "Resin  Spot": "ignore"}}
    (tmp_path / "own.yaml").write_text(json.dumps(yaml))
    description, notices = read_description(tmp_path / "own.yaml")
    assert description.names == ("crack",) and "Knot + crack -> crack, resin spot -> ignore" in notices[0]
    result = read_records(description, "train", ERROR)
    rows = [row for rows in truth["train"].values() for row in rows]
    ignored = sum(row[0] == 2 for row in rows)
    assert ignored and result.names == ("crack",) and len(result.category_ids) == 1
    assert result.data_report.boxes == len(rows) - ignored and result.data_report.labels["ignored"] == ignored
    assert f"ignored {ignored}" in result.data_report.summary()
    for record in result.records:
        assert sorted(record.labels) == sorted(-1 if k == 2 else 0 for k, *_ in truth["train"][record.path.stem])
        np.testing.assert_array_equal(record.crowd, record.labels == EVERY_CLASS)
        assert record.good == (not (record.labels == 0).any())
    single = read_records(description.single_class(), "train", ERROR)
    assert single.names == ("defect",) and single.data_report.boxes == result.data_report.boxes
