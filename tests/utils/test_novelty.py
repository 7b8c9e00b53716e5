"""Base, synonym and new classes."""

import csv
import math
from collections import Counter
from pathlib import Path

import pytest

import utils
from utils.novelty import group_names, harmonic_mean
from utils.vocabulary import Vocabulary

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
