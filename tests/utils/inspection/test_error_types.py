import numpy as np
import pytest
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.inspection.error_types import DetectionKind, TruthKind, error_types
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.values.record import EVERY_CLASS

D, T = DetectionKind, TruthKind


def test_six_pictures():
    """Picture 0: hit, duplicate. 1: own class, IoU 0.39. 2: other class, exact. 3: hit. 4: nothing near."""
    errors = error_types(match(pair_up(*six_pictures(), 2), MatchRule()))
    assert errors.kind.tolist() == [D.HIT, D.DUPLICATE, D.LOCALISATION, D.CLASS, D.HIT, D.BACKGROUND]
    assert errors.partner.tolist() == [0, 0, 1, 2, 3, -1]
    assert errors.truth_kind.tolist() == [T.HIT, T.LOCALISATION, T.CLASS, T.HIT, T.MISSED]
    total = {"hit": 2, "duplicate": 1, "class": 1, "localisation": 1, "both": 0, "background": 1, "missed": 1}
    assert errors.counts() == total
    assert errors.counts(1) == {**total, "hit": 0, "duplicate": 0, "background": 0}, (
        "oil; its box of picture 3 is missed"
    )


def test_six_pictures_above_a_threshold():
    """From 0.7 on the hit of picture 3 and everything of 0.6 and less are gone; its bubble is missed."""
    errors = error_types(match(pair_up(*six_pictures(), 2), MatchRule()), 0.7)
    assert errors.kind.tolist() == [D.HIT, D.UNUSED, D.UNUSED, D.CLASS, D.UNUSED, D.UNUSED]
    assert errors.truth_kind.tolist() == [T.HIT, T.MISSED, T.CLASS, T.MISSED, T.MISSED]


@pytest.mark.parametrize(
    ("box", "label", "kind"),
    [
        ([0, 0, 20, 8], 1, D.BOTH),  # IoU 0.4 with another class
        ([0, 0, 20, 1], 0, D.BACKGROUND),  # IoU 0.05, centre (10, 0.5) in the box all the same
        ([0, 0, 20, 2], 0, D.LOCALISATION),  # IoU 0.1: near
        ([60, 60, 62, 62], 0, D.UNUSED),  # in the region to ignore
        ([30, 0, 50, 10], 1, D.LOCALISATION),  # IoU 200 / 420 with its own class
    ],
)
def test_kinds_by_hand(box, label, kind):
    truth = record([[0, 0, 20, 20], [30, 0, 50, 21], [55, 55, 95, 95]], [0, 1, EVERY_CLASS], crowd=[False, False, True])
    errors = error_types(match(pair_up([truth], {0: detections((box, 0.5, label))}, 2), MatchRule()))
    assert errors.kind.tolist() == [kind]


def test_the_first_kind_that_holds():
    """On another class's box and near its own: a class error, unless it lies on its own as well: a duplicate."""
    truth = record([[0, 0, 20, 20], [0, 0, 20, 18], [0, 0, 20, 6]], [0, 1, 1])
    found = detections(([0, 0, 20, 18], 0.9, 1), ([0, 0, 20, 19], 0.8, 1), ([0, 0, 20, 6], 0.7, 0))
    errors = error_types(match(pair_up([truth], {0: found}, 2), MatchRule()))
    assert errors.kind.tolist() == [D.HIT, D.DUPLICATE, D.CLASS] and errors.partner.tolist() == [1, 1, 2]


def test_by_centre_a_small_detection_finds_and_repeats():
    truth, tiny = record([[0, 0, 40, 40]], [0]), [19, 19, 21, 21]
    pairs = pair_up([truth], {0: detections((tiny, 0.9, 0), (tiny, 0.8, 0), (tiny, 0.7, 1))}, 2)
    assert error_types(match(pairs, MatchRule("center"))).kind.tolist() == [D.HIT, D.DUPLICATE, D.CLASS]
    assert error_types(match(pairs, MatchRule())).kind.tolist() == [D.BACKGROUND] * 3


@given(cases)
def test_every_detection_and_every_box_has_one_kind(case):
    matching = match(pair_up(case.records, case.found, case.classes), MatchRule())
    errors = error_types(matching)
    assert np.array_equal(errors.kind == D.HIT, matching.hit)
    assert np.array_equal(errors.kind == D.UNUSED, ~matching.counts)
    assert (errors.truth_kind == T.HIT).sum() == matching.hit.sum()
    parts = [errors.counts(k) for k in range(case.classes)]
    assert errors.counts() == {name: sum(part[name] for part in parts) for name in parts[0]}
