"""Rare, common and frequent classes, by hand."""

import pytest

from utils.scoring.frequency import frequency_lines, frequency_scores, trained_as
from utils.values.report import ClassRow


def row(name, ap50=None, ap=None):
    return ClassRow(name, 1, 1, None, None, ap50, ap)


def test_scores_of_groups_by_hand():
    rows = [row("Scratch", 0.9, 0.5), row("hole", 0.5, 0.3), row("dent", 0.4, 0.2), row("chip", 0.3, 0.1), row("rust")]
    trained = {"scratch": 101, "hole": 100, "dent": 11, "chip": 10, "rust": 1}
    table = frequency_scores(rows, trained)["frequency"]
    assert table["frequent"] == {"classes": 1, "AP50": 0.9, "AP": 0.5}
    assert table["common"] == {"classes": 2, "AP50": pytest.approx(0.45), "AP": pytest.approx(0.25)}
    assert table["rare"] == {"classes": 1, "AP50": 0.3, "AP": 0.1}, "rust has no truth"
    assert frequency_lines({"frequency": table}) == [
        "rare, 1 to 10 training pictures, 1 class: AP50 0.300, AP 0.100",
        "common, 11 to 100 training pictures, 2 classes: AP50 0.450, AP 0.250",
        "frequent, more than 100 training pictures, 1 class: AP50 0.900, AP 0.500",
    ]


def test_a_class_is_as_frequent_as_what_finds_it():
    """bubble and void of the checkpoint find void, what was trained as oil finds nothing; the last is no class."""
    trained = {"oil": 500, "bubble": 5, "void": 20}
    names, labels = ("Bubble", "void", "oil", "unknown defect"), (0, 0, 1, 2)
    assert trained_as(trained, names, labels, ("Void", "crack")) == {"void": 25, "crack": 500}
    assert trained_as({}, names, labels, ("Void", "crack")) == {"void": 0, "crack": 0}


def test_a_group_without_classes_is_not_said():
    table = frequency_scores([row("a", 0.9, 0.5), row("b", 0.1, 0.0)], {"a": 500, "b": 1})["frequency"]
    assert table["common"] == {"classes": 0, "AP50": None, "AP": None}
    assert [line.split(",")[0] for line in frequency_lines({"frequency": table})] == ["rare", "frequent"]


@pytest.mark.parametrize("trained", [{}, {"a": 500, "b": 101}, {"a": 500, "b": 0}, {"a": 500}])
def test_nothing_to_say_of_one_group(trained):
    assert frequency_scores([row("a", 0.9, 0.5), row("b", 0.1, 0.0)], trained) == {}
    assert frequency_lines({}) == []
