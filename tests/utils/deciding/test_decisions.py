import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.deciding.decisions import Cost, decide, one_threshold_curve, parse_cost, picture_scores
from utils.deciding.intervals import Rate
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.values.record import EVERY_CLASS
from utils.words.errors import ConfigError


def scores_of(records, found, classes, rule=None):
    return picture_scores(match(pair_up(records, found, classes), rule or MatchRule()))


def test_six_pictures():
    """At 0.5 defects are found in pictures 0 and 3: pictures 1 (too loose) and 2 (wrong class) escape, both with some
    alarm; good picture 4 is rejected. At 0.6 picture 3 escapes too, and 1 and 3 are silent. At 0.96 nothing is left.
    """
    scores = scores_of(*six_pictures(), 2)
    at = [decide(scores, t) for t in (0.5, 0.6, 0.96)]
    assert [one.escape for one in at] == [Rate(2, 4), Rate(3, 4), Rate(4, 4)]
    assert [one.overkill for one in at] == [Rate(1, 2), Rate(0, 2), Rate(0, 2)]
    assert [one.silent for one in at] == [Rate(0, 4), Rate(2, 4), Rate(4, 4)]
    assert np.allclose(scores.alarms[2], [-np.inf, 0.8]) and np.isneginf(scores.hits[2]).all()


def test_six_pictures_by_class_and_by_centre():
    """Bubbles from 0.9, oil from 0.5. By IoU only picture 0 is found; by centre picture 1 too. Picture 4 passes."""
    for rule, escapes in ((MatchRule(), 3), (MatchRule("center"), 2)):
        decisions = decide(scores_of(*six_pictures(), 2, rule), np.array([0.9, 0.5]))
        assert decisions.escape == Rate(escapes, 4) and decisions.overkill == Rate(0, 2)


def test_six_pictures_cost():
    """Thresholds that matter: 0.95 finds picture 0; 0.5 finds 3 and rejects 4. At 50 : 1 that is 200, 150, 101; at
    1 : 50 it is 4, 3, 52.
    """
    curve = one_threshold_curve(scores_of(*six_pictures(), 2))
    assert np.allclose(curve.thresholds, [2, 0.95, 0.5])
    assert curve.escapes.tolist() == [4, 3, 2] and curve.overkills.tolist() == [0, 0, 1]
    assert curve.costs(Cost(50, 1)).tolist() == [200, 150, 101] and curve.cheapest(Cost(50, 1)) == 2
    assert curve.costs(Cost(1, 50)).tolist() == [4, 3, 52] and curve.cheapest(Cost(1, 50)) == 1
    assert curve.cheapest(Cost(1, 1)) == 2, "3 either way: fewer escapes"
    assert curve.costs_per_picture(Cost(50, 1)).tolist() == pytest.approx([200 / 6, 25, 101 / 6])


def test_not_measurable_is_none_never_0():
    bad, good = record([[0, 0, 9, 9]], [0]), record([], [])
    only_bad, only_good = (
        decide(scores_of([bad], {0: detections()}, 1), 0.5),
        decide(scores_of([good], {0: detections()}, 1), 0.5),
    )
    assert only_bad.overkill is None and only_bad.escape == Rate(1, 1)
    assert only_good.escape is None and only_good.silent is None and only_good.overkill == Rate(0, 1)
    assert only_bad.lines()[1] == "overkill not measurable: no good pictures" and only_bad.plain()["overkill"] is None


def test_a_detection_in_an_ignore_region_does_not_reject_a_good_picture():
    good = record([[0, 0, 50, 50]], [EVERY_CLASS], crowd=[True])
    inside, outside = (detections((box, 0.9, 0)) for box in ([5, 5, 20, 20], [70, 70, 80, 80]))
    decisions = decide(scores_of([good, good], {0: inside, 1: outside}, 1), 0.5)
    assert decisions.overkill == Rate(1, 2)


@given(cases, st.integers(1, 6))
def test_equals_deciding_on_what_is_left(case, fifth):
    """Escape and overkill at a threshold are those of detections thrown away below it before any matching."""
    threshold = float(np.float32(fifth / 5))
    kept = {i: one.keep(one.scores >= threshold) for i, one in case.found.items()}
    at = decide(scores_of(case.records, case.found, case.classes), threshold)
    assert at == decide(scores_of(case.records, kept, case.classes), 0.0)


@given(cases)
def test_monotone_and_the_curve_agrees_with_decide(case):
    scores = scores_of(case.records, case.found, case.classes)
    curve = one_threshold_curve(scores)
    assert (np.diff(curve.escapes) <= 0).all() and (np.diff(curve.overkills) >= 0).all()
    for threshold, escapes, overkills in zip(curve.thresholds, curve.escapes, curve.overkills, strict=True):
        at = decide(scores, threshold)
        assert (at.escape.events if at.escape else 0, at.overkill.events if at.overkill else 0) == (escapes, overkills)
    assert at.silent is None or at.silent.events <= at.escape.events


def test_cost_is_read():
    assert parse_cost("escape=50,overkill=1") == parse_cost(" overkill = 1 , escape=5e1") == Cost(50, 1)
    for wrong in (
        "",
        "escape=1",
        "escape=1,escape=2",
        "escape=-1,overkill=1",
        "escape=x,overkill=1",
        "a=1,overkill=1",
        "escape=nan,overkill=1",
        "escape=inf,overkill=1",
        "escape=0,overkill=0",
    ):
        with pytest.raises(ConfigError, match="--cost"):
            parse_cost(wrong)
