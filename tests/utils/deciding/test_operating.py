"""What thresholds are expected to do: intervals that hold on pictures to come."""

import numpy as np
import pytest
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record
from tests.utils.inspection.coverage import coverage
from tests.utils.inspection.drawn_results import draw
from utils.deciding.cross_fit import PARTS, CrossFit, cross_fit
from utils.deciding.intervals import Rate
from utils.deciding.operating import expected_point, operating_point
from utils.deciding.threshold_choice import for_false_alarms
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match

NAMES = ["a", "b", "c"]


@pytest.mark.parametrize(("classes", "pictures"), [(1, 200), (10, 200), (10, 1000)])
def test_intervals_hold_on_pictures_to_come(classes, pictures):
    """Of 60 trials 95 % are 57; 52 or fewer are less likely than 2 %. Where many thresholds are chosen, what is seen on
    the pictures that chose them does not hold.
    """
    before, after = coverage(classes, pictures, 0.1, 60, seed=1)
    assert (after[:4] >= 52 / 60).all(), after
    assert after[4] <= 0.11
    assert classes == 1 or before[3] < 0.8, before


@given(cases)
def test_thresholds_that_nobody_chose_are_judged_as_they_are(case):
    """The same for every part: nothing to be expected but what is seen."""
    matching = match(pair_up(case.records, case.found, case.classes), MatchRule())
    thresholds = [0.5] * case.classes
    part = np.arange(len(case.records)) % PARTS
    fit = CrossFit(part, np.tile(thresholds, (part.max() + 1, 1)))
    assert expected_point(matching, thresholds, fit) == operating_point(matching, thresholds)


def test_boxes_of_one_picture_say_less_than_boxes_of_many():
    """All 40 boxes of 10 pictures are found, of 10 others none: 20 tosses of a coin, not 800."""
    truth = [[10 * k, 0, 10 * k + 9, 9] for k in range(40)]
    records = [record(truth, [0] * 40) for _ in range(20)]
    found = {k: detections(*([(box, 0.9, 0) for box in truth] if k % 2 else [])) for k in range(20)}
    recall = operating_point(match(pair_up(records, found, 1), MatchRule()), [0.5]).pooled.recall
    assert (recall.events, recall.total) == (400, 800) and recall.worth == pytest.approx(20)
    one = Rate(10, 20)
    assert (recall.low, recall.high) == pytest.approx((one.low, one.high))


def test_a_class_that_one_picture_shows():
    """20 boxes of class 1 in one picture, all found: no more than that picture's escape says."""
    boxes = [[10 * k, 0, 10 * k + 9, 9] for k in range(20)]
    records = [record([[0, 0, 9, 9]], [0])] * 19 + [record(boxes, [1] * 20)]
    found = {k: detections(([0, 0, 9, 9], 0.9, 0)) for k in range(19)}
    found[19] = detections(*((box, 0.9, 1) for box in boxes))
    point = operating_point(match(pair_up(records, found, 2), MatchRule()), [0.5, 0.5])
    assert [str(one.recall) for one in point.classes] == [
        "19 of 19 (at least 83.2 %)",
        "20 of 20 (at least 20.7 %)",
    ]


def test_a_part_has_no_say_in_its_own_thresholds():
    matching, part = draw(50, 3, np.random.default_rng(3)), np.arange(50) % PARTS
    fit = cross_fit(matching, part, lambda some: for_false_alarms(some, NAMES, 0.1))
    for one in range(PARTS):
        others = matching.of_pictures(part != one)
        assert others.pairs.pictures == 40 and len(others.taken) == len(others.pairs.scores)
        assert fit.limits[one].tolist() == list(for_false_alarms(others, NAMES, 0.1))
