"""Base, synonym and new classes."""

import csv
import math
from collections import Counter
from pathlib import Path

import pytest

import utils
from utils.scoring.novelty import group_lines, group_names, group_scores, harmonic_mean
from utils.values.report import ClassRow
from utils.words.vocabulary import Vocabulary

MMIOC = Path(utils.__file__).resolve().parents[2] / "shared" / "spec" / "mmioc"


def test_groups():
    trained = Vocabulary.from_lists([("Cracks",), ("Lignum Live Knot",), ("dent", "dimple"), ("--",)])
    evaluated = Vocabulary.from_lists(
        [("Cracks",), ("cracks_",), ("WoodLive-knot",), ("dimple",), ("hollow", "Dent"), ("crack",), ("__",)]
    )
    assert group_names(trained, evaluated) == [
        *("identical", "synonym", "synonym", "synonym", "synonym"),
        *("new", "new"),  # nothing is left of "--" and "__"
    ]


@pytest.mark.skipif(not MMIOC.is_dir(), reason="no ../shared/spec/mmioc")
def test_mmioc():
    def names(split):
        return (MMIOC / f"mmioc_zero_shot_{split}_classes.txt").read_text(encoding="utf-8").splitlines()

    groups = dict(
        zip(names("val"), group_names(*(Vocabulary.from_names(names(s)) for s in ("train", "val"))), strict=True)
    )
    with (MMIOC / "mmioc_zero_shot_name_map.csv").open(encoding="utf-8") as file:
        relation = {row["val_class"]: row["relation_by_name"] for row in csv.DictReader(file)}
    assert relation.keys() == groups.keys()
    assert {name for name, group in groups.items() if group == "identical"} == {"Cracks", "Pockmarks"}
    found = {name for name, group in groups.items() if group == "synonym"}
    assert len(found) == 8 and all(name.startswith("Wood ") for name in found)
    assert Counter(relation[name] for name in found).keys() <= {"synonym", "variant", "identical"}


@pytest.mark.parametrize(
    ("base", "novel", "mean"), [(0.4, 0.4, 0.4), (0.6, 0.3, 0.4), (0.5, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]
)
def test_harmonic_mean(base, novel, mean):
    assert harmonic_mean(base, novel) == harmonic_mean(novel, base) == pytest.approx(mean)


def test_what_was_not_measured_stays_so():
    assert math.isnan(harmonic_mean(float("nan"), 0.5)) and math.isnan(harmonic_mean(0.0, float("nan")))
    with pytest.raises(AssertionError):
        harmonic_mean(-1, 0.5)


def row(ap50, ap):
    return ClassRow("x", 1, 1, None, None, ap50, ap)


def test_scores_of_groups_by_hand():
    rows = [row(0.9, 0.5), row(0.5, 0.3), row(0.4, 0.2), row(None, None)]
    table = group_scores(rows, ["identical", "synonym", "new", "new"])["novelty"]
    assert table["identical"] == {"classes": 1, "AP": 0.5, "AP50": 0.9}
    assert table["new"] == table["novel"] == {"classes": 1, "AP": 0.2, "AP50": 0.4}
    assert table["base"] == {"classes": 2, "AP": pytest.approx(0.4), "AP50": pytest.approx(0.7)}
    assert table["harmonic_mean"]["AP"] == pytest.approx(2 * 0.4 * 0.2 / 0.6)
    assert any("novel of 1 classes: AP50 0.400, AP 0.200" in line for line in group_lines({"novelty": table}))


def test_groups_without_classes_have_no_scores():
    table = group_scores([row(0.4, 0.2)], ["new"])["novelty"]
    assert table["base"] == {"classes": 0, "AP": None, "AP50": None} and table["harmonic_mean"]["AP"] is None


def test_nothing_to_say_when_every_name_was_trained():
    assert group_scores([row(0.4, 0.2)], ["identical"]) == {} == group_scores([], [])


def test_chance_line():
    chance = {"permutations": 3, "AP50": [0.1, 0.2, 0.3], "AP": [None, None, None]}
    assert group_lines({"chance": chance}) == ["chance, 3 permutations of the vectors: AP50 0.200 (0.100 to 0.300)"]
