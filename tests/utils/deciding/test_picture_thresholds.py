import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.deciding.test_threshold_choice import matched
from tests.utils.glass_cases import NAMES, Case, cases, detections, record, six_pictures
from utils.deciding.decisions import Cost, decide, one_threshold_curve, picture_scores
from utils.deciding.picture_thresholds import ForEscape, ForOverkill, for_least_cost


def test_six_pictures_for_least_cost():
    """50 : 1: both classes from the shared 0.5, the lowest score of each: 2 escapes, 1 overkill. 1 : 50: the shared
    0.95 (3 escapes, no overkill) cannot be bettered; oil has nothing above it and ends above its best alarm.
    """
    case = Case(*six_pictures(), 2)
    assert for_least_cost(matched(case), NAMES, Cost(50, 1)) == (0.3, 0.3)
    assert for_least_cost(matched(case), NAMES, Cost(1, 50)) == (0.8, 0.9)


@pytest.mark.parametrize(("share", "expected"), [(0.0, (0.8, 0.9)), (0.6, (0.8, 0.9)), (0.67, (0.3, 0.3))])
def test_six_pictures_for_overkill(share, expected):
    """Of two good pictures one may be rejected where two thirds are allowed: then both classes go down to the shared
    0.5, the lowest score of each (2 escapes). Else bubble stays above the alarm of 0.5 and finds 0.95.
    """
    matching = matched(Case(*six_pictures(), 2))
    for caution in (0.0, 1.0):  # no class is below the shared threshold
        assert ForOverkill(matching, NAMES, share).thresholds(caution) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.8, (0.8, 0.9)), (0.79, (0.3, 0.3)), (0.0, (0.3, 0.3))])
def test_six_pictures_for_escape(share, expected):
    """Of four bad pictures three may pass where four fifths are allowed: 0.95 finds one and rejects no good one. Else
    0.5 finds two; the other two are found at no threshold, whatever is allowed.
    """
    matching = matched(Case(*six_pictures(), 2))
    for caution in (0.0, 1.0):  # no class is above the shared threshold
        assert ForEscape(matching, NAMES, share).thresholds(caution) == expected


def test_what_may_escape_need_not():
    """Four pictures found at 0.9 to 0.6, a good one that fires at 0.2: four fifths may pass, none does."""
    box = [10, 10, 30, 30]
    records = [record([box], [0]) for _ in range(4)] + [record([], [])]
    found = {k: detections((box, score, 0)) for k, score in enumerate((0.9, 0.8, 0.7, 0.6, 0.2))}
    matching = matched(Case(records, found, 1))
    (threshold,) = ForEscape(matching, ("a",), 0.8).thresholds()
    assert 0.2 < threshold <= 0.6


@given(cases, st.sampled_from([Cost(50, 1), Cost(1, 50), Cost(1, 1)]))
def test_never_dearer_than_one_threshold(case, cost):
    matching = matched(case)
    scores = picture_scores(matching)
    if not (scores.good.any() and scores.bad.any()):
        return
    decisions = decide(scores, np.array(for_least_cost(matching, case.names, cost)))
    paid = cost.escape * decisions.escape.events + cost.overkill * decisions.overkill.events
    assert paid <= one_threshold_curve(scores).costs(cost).min()


@given(cases, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_overkill_keeps_its_allowance_and_one_threshold_lets_no_fewer_escape(case, share):
    matching = matched(case)
    scores = picture_scores(matching)
    good = int(scores.good.sum())
    if not (good and scores.bad.any()):
        return
    allowed = max(int(share * (good + 1) + 1e-6) - 1, 0)
    chosen = ForOverkill(matching, case.names, share)
    free, cautious = (decide(scores, np.array(chosen.thresholds(caution))) for caution in (0.0, 1.0))
    assert free.overkill.events <= allowed and cautious.overkill.events <= allowed
    curve = one_threshold_curve(scores)
    assert free.escape.events <= curve.escapes[curve.overkills <= allowed].min()
    assert free.escape.events <= cautious.escape.events


@given(cases, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_escape_keeps_its_allowance_and_one_threshold_rejects_no_fewer(case, share):
    """Where no threshold finds so many, as many are found as by the lowest."""
    matching = matched(case)
    scores = picture_scores(matching)
    bad = int(scores.bad.sum())
    if not (bad and scores.good.any()):
        return
    never = int((scores.bad & ~np.isfinite(scores.hits).any(1)).sum())
    allowed = max(int(share * (bad + 1) + 1e-6) - 1, never)
    chosen = ForEscape(matching, case.names, share)
    free, cautious = (decide(scores, np.array(chosen.thresholds(caution))) for caution in (0.0, 1.0))
    assert free.escape.events <= allowed and cautious.escape.events <= allowed
    curve = one_threshold_curve(scores)
    assert free.overkill.events <= curve.overkills[curve.escapes <= allowed].min()
    assert free.overkill.events <= cautious.overkill.events
