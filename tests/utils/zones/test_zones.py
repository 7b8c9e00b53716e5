from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.glass_cases import NAMES, boxes, cases, detections, evaluated, random_case, record
from utils.inspection.inspection import inspect
from utils.inspection.inspection_config import InspectionConfig
from utils.quiz.truth import Truth
from utils.report.evaluation import results_json
from utils.values.record import EVERY_CLASS
from utils.values.zones_identity import ZonesIdentity, other_zones, zone_words
from utils.words.errors import DataError
from utils.zones.zones import Zone, Zones, counting_rows, judged, set_aside

FILE = ZonesIdentity.of("zones.yaml", 2, b"zones")
SIZE = (100, 100)


def rectangle(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def zones(*rows, size=(100, 100), counts="centre"):
    """Rows of (use, corners) or (use, corners, labels)."""
    made = [Zone(str(n), use == "in", np.asarray(at), *map(frozenset, rest)) for n, (use, at, *rest) in enumerate(rows)]
    return Zones(tuple(made), FILE, size, counts)


def counting(which, rows, size=SIZE):
    at = np.array([box for box, _ in rows], np.float64)
    return (~which.ignored(at, np.array([label for _, label in rows]), size)).tolist()


LEFT, RIGHT = rectangle(0, 0, 50, 100), rectangle(50, 0, 100, 100)


def test_in_and_out_by_class():
    """Bubbles (0) count on the left only, but not at its top; oil (1) everywhere but at the top left; 2 as oil."""
    which = zones(("in", LEFT, [0]), ("out", rectangle(0, 0, 50, 20)))
    at = {"left": [10, 40, 20, 60], "top left": [10, 0, 20, 30], "right": [60, 0, 70, 30], "line": [45, 40, 55, 60]}
    rows = [(box, label) for label in (0, 1, 2) for box in at.values()]
    assert counting(which, rows) == [True, False, False, False] + [True, False, True, True] * 2


def test_one_of_several_is_enough():
    which = zones(("in", rectangle(0, 0, 10, 10)), ("in", rectangle(20, 0, 30, 10), [1]))
    inner, other = [0, 0, 8, 8], [21, 0, 29, 8]
    assert counting(which, [(inner, 0), (other, 0), (inner, 1), (other, 1), ([50, 0, 58, 8], 1)]) == [1, 0, 1, 1, 0]


def test_pictures_of_other_sizes():
    """Corners grow with the picture; 1 % of another shape is borne, more is not; parts of a picture fit all."""
    which = zones(("in", LEFT))
    assert counting(which, [([0, 0, 180, 20], 0), ([0, 0, 220, 20], 0)], (200, 200)) == [True, False]
    assert not which.misfit((1000, 1009)) and not which.misfit((1009, 1000)) and not which.misfit(SIZE)
    assert which.misfit((1000, 1011)) == "1011 x 1000 px is of another shape than the 100 x 100 px of zones.yaml"
    with pytest.raises(DataError, match="of another shape"):
        which.counting(detections(), (100, 50))
    parts = zones(("in", rectangle(0, 0, 0.5, 1)), size=None)
    assert counting(parts, [([0, 0, 9, 9], 0), ([20, 0, 32, 9], 0)], (400, 50)) == [True, False]


def test_a_box_that_sticks_out_of_its_picture():
    whole = zones(("in", rectangle(0, 0, 100, 100)))
    assert counting(whole, [([-30, 0, 10, 9], 0), ([95, 95, 140, 140], 0), ([100, 100, 100, 100], 0)]) == [True] * 3


def test_touch():
    """Of a long scratch an eighth lies on the left: its centre does not. What ends at the line stays outside."""
    long, beside = [40, 10, 120, 14], [50, 10, 90, 14]
    assert counting(zones(("in", LEFT)), [(long, 0), (beside, 0)]) == [False, False]
    assert counting(zones(("in", LEFT), counts="touch"), [(long, 0), (beside, 0)]) == [True, False]
    assert counting(zones(("out", RIGHT), counts="touch"), [(long, 0), (beside, 0)]) == [True, False]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_what_the_centre_counts_touch_counts(seed):
    g = np.random.default_rng(seed)
    rows = [(rectangle(*one[:2], *one[2:]), [[0, 1], [0], [1]][n % 3]) for n, one in enumerate(boxes(g, 5))]
    uses = ["in" if g.random() < 0.5 else "out" for _ in rows]
    both = [zones(*((u, *row) for u, row in zip(uses, rows, strict=True)), counts=c) for c in ("centre", "touch")]
    at, labels = boxes(g, 260), g.integers(0, 3, 260)
    centre, touch = (one.ignored(at, labels, SIZE) for one in both)
    assert not (touch & ~centre).any()
    alone = [bool(both[1].ignored(at[k : k + 1], labels[k : k + 1], SIZE)) for k in range(0, 260, 40)]
    assert alone == touch[::40].tolist(), "however many are looked at together"


@given(st.integers(0, 2**32 - 1))
def test_mirrored(seed):
    """Centres at odd thirds of a px lie on no edge."""
    g = np.random.default_rng(seed)
    at = boxes(g, 40) + 1 / 3
    which = [(("in", "out")[n % 2], rectangle(*one), [n % 3]) for n, one in enumerate(boxes(g, 6))]
    mirrored = [(use, corners * (-1, 1) + (100, 0), labels) for use, corners, labels in which]
    labels, turned = g.integers(0, 3, 40), (100 - at[:, [2, 1, 0, 3]]) * (1, -1, 1, -1) + (0, 100, 0, 100)
    assert (zones(*which).ignored(at, labels, SIZE) == zones(*mirrored).ignored(turned, labels, SIZE)).all()


@settings(max_examples=40)
@given(cases)
def test_two_zones_that_make_the_picture_share_out_what_is_found(case):
    one, other, without = zones(("in", LEFT)), zones(("in", RIGHT)), zones(("out", LEFT))
    for found in case.found.values():
        kept = one.counting(found, SIZE), other.counting(found, SIZE)
        assert sorted(kept[0].scores.tolist() + kept[1].scores.tolist()) == sorted(found.scores.tolist())
        assert torch.equal(kept[1].boxes, without.counting(found, SIZE).boxes)


@settings(max_examples=40)
@given(cases)
def test_a_zone_that_holds_everything_changes_nothing(case):
    whole = zones(("in", rectangle(0, 0, 100, 100)))
    records = [judged(one, whole) for one in case.records]
    assert all(one is before for one, before in zip(records, case.records, strict=True))
    assert all(whole.counting(found, SIZE) is found for found in case.found.values())
    assert set_aside(records).startswith("0 of ")


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([LEFT, RIGHT, rectangle(20, 20, 70, 60)]))
def test_scores_are_those_of_pictures_without_what_lies_outside(seed, place):
    """To ignore truth that lies outside, and never to have labelled it, is one as long as no detection that counts lies
    by more than half in it: here what is outside lies there as a whole.
    """
    case, which = random_case(seed), zones(("out", place))
    edge = zones(("out", place * 1.0), counts="touch")
    records, found = [], {}
    for index, one in enumerate(case.records):
        clear = which.ignored(one.pixel_boxes(), one.labels, SIZE) == edge.ignored(one.pixel_boxes(), one.labels, SIZE)
        clear &= ~one.crowd
        records.append(replace(one, boxes=one.boxes[clear], labels=one.labels[clear], crowd=one.crowd[clear]))
        seen = case.found[index]
        at, labels = seen.boxes.numpy(), seen.labels.numpy()
        found[index] = seen.keep(torch.from_numpy(which.ignored(at, labels, SIZE) == edge.ignored(at, labels, SIZE)))
    left = {index: which.counting(one, SIZE) for index, one in found.items()}
    bare = []
    for one in records:
        inside = ~which.ignored(one.pixel_boxes(), one.labels, SIZE)
        bare.append(replace(one, boxes=one.boxes[inside], labels=one.labels[inside], crowd=one.crowd[inside]))
    results = []
    for version in ([judged(one, which) for one in records], bare):
        evaluation = evaluated(version, left, case.names)
        results.append(results_json(evaluation, inspect(evaluation, InspectionConfig()), {}))
    assert results[0]["coco"] == results[1]["coco"] and results[0]["classes"] == results[1]["classes"]
    for key in ("pictures", "operating_point", "errors"):
        assert results[0]["inspection"][key] == results[1]["inspection"][key]


def test_truth_that_does_not_count():
    """Of four boxes on the left two are to be found there, one is a crowd, one of no class; the fifth stays."""
    rows = [[0, 0, 20, 20], [0, 30, 20, 50], [0, 60, 20, 80], [0, 80, 20, 90], [60, 0, 80, 20]]
    one = record(rows, [0, 1, 0, EVERY_CLASS, 1], [False, False, True, True, False])
    seen = judged(one, zones(("out", LEFT)))
    assert seen.crowd.tolist() == [True, True, True, True, False]
    assert seen.outside.tolist() == [True, True, True, False, False] and seen.open.tolist() == [0, 0, 0, 1, 0]
    assert not seen.good and judged(replace(one, labels=np.array([0, 1, 0, -1, 0])), zones(("out", LEFT)))
    bare = judged(record(rows[:3], [0, 1, 0], [False, False, True]), zones(("out", LEFT)))
    assert bare.good and Truth.of(bare).complete() and not Truth.of(record(rows[:1], [0], [True])).complete()
    assert set_aside([seen, bare]) == "6 of 7 labelled defects lie where none counts; good without them: 1 picture"
    with pytest.raises(DataError, match=r"x\.png: 100 x 100 px is of another shape than the 20 x 10 px"):
        judged(one, zones(("out", rectangle(0, 0, 9, 9)), size=(20, 10)))


def test_what_is_of_no_class():
    """Detections of what is none of the classes have label 0; to zones they are the class after the others."""
    which = zones(("out", LEFT, [0, 2]), ("in", RIGHT, [1]))
    found = detections(([0, 0, 9, 9], 0.9, 0), ([60, 0, 69, 9], 0.5, 0))
    assert which.of_class(2).counting(found, SIZE).scores.tolist() == [0.5]
    assert which.of_class(5) is None


@settings(max_examples=40)
@given(cases)
def test_rows_of_a_file_count_as_detections_do(case):
    which = zones(("in", rectangle(10, 10, 60, 60), [0]), ("out", rectangle(30, 0, 100, 40)))
    evaluation = evaluated(case.records, case.found, case.names)
    ids = evaluation.category_ids
    left = {index: which.counting(one, SIZE) for index, one in case.found.items()}
    rows = counting_rows(which, evaluation.results, evaluation.records, ids)
    assert rows == evaluated(case.records, left, case.names).results
    assert counting_rows(None, evaluation.results, evaluation.records, ids) is evaluation.results


def test_identity():
    same, other = ZonesIdentity.of("b.yaml", 1, b"zones"), ZonesIdentity.of("zones.yaml", 2, b"zone")
    assert not other_zones(FILE, same) and other_zones(FILE, other) and other_zones(None, FILE)
    assert not other_zones(None, None)
    assert zone_words(None) == "the whole picture" and zone_words(same).startswith("b.yaml (1 zone, sha256 ")
    assert NAMES and ZonesIdentity(**FILE.plain()) == FILE
