import numpy as np
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.deciding.froc import REPORTED, budget, class_frocs, froc
from utils.deciding.intervals import Rate
from utils.deciding.thresholds import NEVER
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match


def test_six_pictures():
    """Hits 0.95, 0.5; false alarms 0.8, 0.6, 0.5, 0.5; 5 boxes. 0.5 per picture are 3 alarms, too few to go down to
    0.5, and 0.8 and 0.6 find nothing more: 0.95 stays. 1 per picture are 6.
    """
    curve = froc(match(pair_up(*six_pictures(), 2), MatchRule()))
    assert np.allclose(curve.thresholds, [NEVER, 0.95, 0.8, 0.6, 0.5])
    assert curve.hits.tolist() == [0, 1, 1, 1, 2] and curve.false_alarms.tolist() == [0, 0, 1, 2, 4]
    points = [curve.at(rate) for rate in (0.1, 0.5, 1)]
    assert [point.recall for point in points] == [Rate(1, 5), Rate(1, 5), Rate(2, 5)]
    assert [point.false_per_picture for point in points] == [0, 0, 4 / 6]


def test_six_pictures_by_class_and_by_centre():
    """Bubble: hits 0.95, 0.5, alarms 0.6, 0.5 of 3 boxes. Oil by centre: hit 0.5 (picture 1), alarm 0.8, of 2 boxes."""
    pairs = pair_up(*six_pictures(), 2)
    bubble, oil = class_frocs(match(pairs, MatchRule()))[0], class_frocs(match(pairs, MatchRule("center")))[1]
    assert bubble.hits.tolist() == [0, 1, 1, 2] and bubble.false_alarms.tolist() == [0, 0, 1, 2] and bubble.truth == 3
    assert oil.hits.tolist() == [0, 0, 1] and oil.false_alarms.tolist() == [0, 1, 1] and oil.truth == 2


@given(cases)
def test_monotone_bounded_and_blind_to_the_order_of_pictures(case):
    curve = froc(match(pair_up(case.records, case.found, case.classes), MatchRule()))
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.hits) >= 0).all() and (np.diff(curve.false_alarms) >= 0).all()
    assert curve.hits[-1] <= curve.truth
    recalls = [curve.at(rate).recall for rate in REPORTED]
    assert all(
        a is None if curve.truth == 0 else a.events <= b.events for a, b in zip(recalls, recalls[1:], strict=False)
    )
    other = case.shuffled(range(len(case.records))[::-1])
    again = froc(match(pair_up(other.records, other.found, other.classes), MatchRule()))
    assert np.array_equal(curve.hits, again.hits) and np.array_equal(curve.false_alarms, again.false_alarms)


def test_counts_without_intervals():
    """The curve does not know which boxes are of one picture, and its points are chosen on these pictures."""
    counts = froc(match(pair_up(*six_pictures(), 2), MatchRule())).at(1).counts()
    assert counts == {
        "threshold": 0.5,
        "recall": {"events": 2, "total": 5, "value": 0.4},
        "false_alarms": 4,
        "pictures": 6,
        "false_per_picture": 4 / 6,
    }


def test_without_truth_recall_is_not_measurable():
    curve = froc(match(pair_up([record([], [])], {0: detections(([0, 0, 9, 9], 0.5, 0))}, 1), MatchRule()))
    assert curve.at(1).recall is None and curve.false_alarms[-1] == 1 and curve.at(1).counts()["recall"] is None


def test_budget_is_exact():
    assert [budget(0.29, 100), budget(0.1, 30), budget(0.1, 9), budget(0, 9)] == [29, 3, 0, 0]
