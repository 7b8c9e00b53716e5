from dataclasses import replace
from functools import partial

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.glass_cases import NAMES, Case, cases, detections, record, six_pictures
from utils.deciding.decisions import Cost
from utils.deciding.froc import budget, froc
from utils.deciding.intervals import Rate
from utils.deciding.operating import operating_point
from utils.deciding.picture_thresholds import ForOverkill, for_least_cost
from utils.deciding.threshold_choice import for_false_alarms
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match


def matched(case, rule=None):
    return match(pair_up(case.records, case.found, case.classes), rule or MatchRule())


def for_overkill(matching, names, share=0.0):
    return ForOverkill(matching, names, share).thresholds()


def test_six_pictures_for_false_alarms():
    """0.1 per picture allow none of 6: bubble goes down to its hit of 0.95, halfway to the alarm of 0.6 is 0.775, 0.8
    for short; oil finds nothing and stays above its best alarm, halfway from 0.8 to 1. 0.67 allow 4: bubble goes down
    to 0.5, with alarms 0.6 and 0.5, about halfway to the lowest there is; oil would only cost.
    """
    case = Case(*six_pictures(), 2)
    strict, loose = (for_false_alarms(matched(case), NAMES, rate) for rate in (0.1, 0.67))
    assert strict == (0.8, 0.9) and loose == (0.3, 0.9)
    point = operating_point(matched(case), strict)
    assert point.pooled.recall == Rate(1, 5) and point.pooled.false_alarms == 0
    assert point.decisions.escape == Rate(3, 4) and point.decisions.overkill == Rate(0, 2)
    point = operating_point(matched(case), loose)
    assert point.pooled.recall == Rate(2, 5) and point.pooled.false_alarms == 2
    assert [one.recall for one in point.classes] == [Rate(2, 3), Rate(0, 2)]
    assert point.decisions.escape == Rate(2, 4) and point.decisions.overkill == Rate(1, 2)


def test_a_class_of_its_own_threshold_pays():
    """Class 0: hit 0.3, no alarm. Class 1: hit 0.9, alarm 0.8 on a good picture. One threshold for both either misses
    the hit of 0.3 or pays for 0.8; two need not.
    """
    bad = [record([[0, 0, 20, 20]], [0]), record([[0, 0, 20, 20]], [1])]
    rows = [([0, 0, 20, 20], 0.3, 0)], [([0, 0, 20, 20], 0.9, 1)], [([0, 0, 20, 20], 0.8, 1)]
    case = Case([*bad, record([], [])], {i: detections(*r) for i, r in enumerate(rows)}, 2)
    free = partial(for_false_alarms, per_picture=0), for_overkill
    for thresholds in (one(matched(case), NAMES) for one in (*free, partial(for_least_cost, cost=Cost(1, 1)))):
        decisions = operating_point(matched(case), thresholds).decisions
        assert decisions.escape == Rate(0, 2) and decisions.overkill == Rate(0, 1)


def test_one_threshold_for_all_is_taken_where_it_finds_more():
    """3 alarms allowed. Oil: 2 hits, 1 alarm at 0.2; bubble: 5 hits, 3 alarms at 0.6. Most per alarm is oil, after
    which bubble no longer fits: 2 hits. One threshold of 0.6 finds 5.
    """
    truth = [[20 * i, 0, 20 * i + 10, 10] for i in range(5)]
    hits = [(box, 0.6, 0) for box in truth], [(box, 0.2, 1) for box in truth[:2]]
    alarms = [([0, 50, 9, 59], 0.6, 0)] * 3, [([0, 50, 9, 59], 0.2, 1)]
    case = Case(
        [record(truth, [0] * 5), record(truth[:2], [1] * 2), record([], [])],
        {0: detections(*hits[0]), 1: detections(*hits[1]), 2: detections(*alarms[0], *alarms[1])},
        2,
    )
    point = operating_point(matched(case), for_false_alarms(matched(case), NAMES, 1.0))
    assert point.pooled.recall == Rate(5, 7) and point.pooled.false_alarms == 3


def test_between_classes_that_are_the_same_the_name_decides():
    """Each finds 1 more for 1 alarm at 0.5, and there is 1 to spend: bubble gets it, whichever number it has."""
    rows = [([0, 0, 20, 20], 0.5, k) for k in (0, 1)] + [([50, 50, 60, 60], 0.5, k) for k in (0, 1)]
    case = Case([record([[0, 0, 20, 20]] * 2, [0, 1])], {0: detections(*rows)}, 2)
    assert for_false_alarms(matched(case), NAMES, 1) == (0.3, 0.8)
    assert for_false_alarms(matched(case), NAMES[::-1], 1) == (0.8, 0.3)


@given(cases, st.sampled_from([0.0, 0.1, 0.34, 1.0, 3.0]))
def test_the_allowance_is_kept_and_one_threshold_never_finds_more(case, rate):
    matching = matched(case)
    point = operating_point(matching, for_false_alarms(matching, case.names, rate))
    assert point.pooled.false_alarms <= budget(rate, len(case.records))
    shared = froc(matching).at(rate).recall
    assert (point.pooled.recall is None) == (shared is None)
    assert shared is None or point.pooled.recall.events >= shared.events


@given(cases, st.permutations([0, 1, 2]), st.randoms(use_true_random=False))
def test_order_of_classes_and_pictures_does_not_matter(case, permutation, random):
    order = [k for k in permutation if k < case.classes]  # class order[k] becomes class k
    turned = case.shuffled(random.sample(range(len(case.records)), len(case.records)))
    place = np.append(np.argsort(order), -1)  # the last stands for EVERY_CLASS
    records = [replace(one, labels=place[one.labels]) for one in turned.records]
    found = {i: replace(one, labels=torch.from_numpy(place)[one.labels]) for i, one in turned.found.items()}
    other, names = Case(records, found, case.classes), [case.names[k] for k in order]
    first, second = (for_false_alarms(matched(c), n, 0.34) for c, n in ((case, case.names), (other, names)))
    assert [first[k] for k in order] == list(second)
    a, b = operating_point(matched(case), first), operating_point(matched(other), second)
    assert a.decisions == b.decisions and a.pooled == b.pooled
    if a.decisions.escape and a.decisions.overkill:
        for choose in (partial(for_least_cost, cost=Cost(3, 1)), partial(for_overkill, share=0.5)):
            first, second = (choose(matched(c), n) for c, n in ((case, case.names), (other, names)))
            assert [first[k] for k in order] == list(second)
