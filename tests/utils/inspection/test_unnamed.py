"""What detections of no class add to those of the classes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.glass_cases import cases, detections, record
from utils.deciding.cross_fit import CrossFit, parts_of
from utils.deciding.decisions import Cost
from utils.deciding.operating import operating_point
from utils.inspection.inspection_config import InspectionConfig
from utils.inspection.unnamed import unnamed
from utils.scoring.box_pairs import pair_up
from utils.scoring.evaluation import Evaluation
from utils.scoring.matching import MatchRule, match
from utils.values.boxes import pairwise_iou
from utils.values.score_thresholds import ScoreThresholds

HERE, THERE, NEAR = [0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 10, 11]


def given_at(*values):
    return InspectionConfig(given=ScoreThresholds(values, "thresholds.yaml"))


def judged(records, named, others, config, classes=2, limits=(0.5, 0.5)):
    matching = match(pair_up(records, named, classes), MatchRule())
    blind = Evaluation(records, ("a", "b"), (1, 2), [], unnamed=others).unnamed_by(MatchRule())
    return unnamed(matching, CrossFit.fixed(len(records), limits), blind, config)


def test_by_hand():
    """Four bad pictures and two good ones. Classes find the defect of the first; unknown defects that of the second, of
    whatever class, not that of the third, where they are beside it, nor of the fourth, where they are faint. The first
    good picture is rejected by both.
    """
    records = [record([HERE], [k % 2]) for k in range(4)] + [record([], []) for _ in range(2)]
    named = {k: detections() for k in range(6)} | {0: detections((HERE, 0.9, 0)), 4: detections((HERE, 0.6, 1))}
    others = {
        0: detections((NEAR, 0.9, 0), (THERE, 0.4, 0)),
        1: detections((NEAR, 0.8, 0)),
        2: detections((THERE, 0.7, 0)),
        3: detections((HERE, 0.4, 0)),
        4: detections((NEAR, 0.9, 0), (THERE, 0.9, 0)),
        5: detections(),
    }
    got = judged(records, named, others, given_at(0.5, 0.5, 0.5))
    assert (got.found.events, got.found.total) == (1, 3)
    assert got.false.events == 2, "beside the defect of the third, and away from what rejects the first good one"
    escape, overkill, silent = got.decisions.escape, got.decisions.overkill, got.decisions.silent
    assert (escape.events, escape.total) == (2, 4) and (overkill.events, overkill.total) == (1, 2)
    assert silent.events == 1 and got.threshold == 0.5


def test_boxes_of_one_picture_hang_together():
    """Four boxes of one picture, all missed by the classes and found by what is none of them, are worth one."""
    boxes = [[20 * k, 0, 20 * k + 10, 10] for k in range(4)]
    others = {0: detections(*((box, 0.9, 0) for box in boxes))}
    got = judged([record(boxes, [0] * 4)], {0: detections()}, others, given_at(0.5, 0.5, 0.5))
    assert str(got.found) == "4 of 4 (at least 20.7 %)" and got.found.worth == pytest.approx(1)


def test_what_nobody_missed_is_not_measurable():
    got = judged([record([HERE], [0])], {0: detections((HERE, 0.9, 0))}, {0: detections()}, given_at(0.5, 0.5, 0.5))
    assert got.found is None and got.lines()[0].startswith("with unknown defects: nothing of what")
    assert got.plain()["found"] is None


@given(cases, st.randoms(use_true_random=False))
def test_as_detect_would_decide(case, random):
    """Against plain loops over pictures: what detect.py reports at these thresholds."""
    others = {
        k: detections(*((box, random.random(), 0) for box in one.boxes.tolist())) for k, one in case.found.items()
    }
    limits = (0.5,) * case.classes
    matching = match(pair_up(case.records, case.found, case.classes), MatchRule())
    names = tuple(map(str, range(case.classes)))
    blind = Evaluation(case.records, names, tuple(range(case.classes)), [], unnamed=others).unnamed_by(MatchRule())
    got = unnamed(matching, CrossFit.fixed(len(case.records), limits), blind, given_at(*limits, 0.5))
    rejected = 0
    for k, one in enumerate(case.records):
        named = case.found[k].keep(case.found[k].scores >= 0.5)
        far = others[k].keep(others[k].scores >= 0.5)
        if one.good and not one.crowd.any():
            lone = (pairwise_iou(far.boxes, named.boxes) < 0.5).all(1) if len(named) else torch.ones(len(far))
            rejected += bool(len(named) or lone.any())
    crowded = any(one.good and one.crowd.any() for one in case.records)
    alone = operating_point(matching, limits)
    if got.decisions.overkill is not None and not crowded:
        assert got.decisions.overkill.events == rejected
    if got.decisions.escape is not None:
        assert got.decisions.escape.events <= alone.decisions.escape.events, "more is found, never less"


AIMS = {
    "alarms": InspectionConfig(),
    "cost": InspectionConfig(cost=Cost(20, 1)),
    "overkill": InspectionConfig(overkill=0.1),
    "escape": InspectionConfig(escape=0.02),
}


@pytest.mark.parametrize("config", AIMS.values(), ids=AIMS)
def test_the_chosen_threshold_keeps_what_it_promises(config):
    """Right ones score 0.6 to 0.9 in bad pictures whose classes find nothing, false ones 0.1 to 0.4 everywhere."""
    rng = np.random.default_rng(0)
    records = [record([HERE], [0]) if k % 2 else record([], []) for k in range(100)]
    right, wrong = rng.uniform(0.6, 0.9, 100), rng.uniform(0.1, 0.4, 100)
    others = {
        k: detections(*([(HERE, right[k], 0)] if k % 2 else []), (THERE, wrong[k], 0)) for k in range(len(records))
    }
    nothing = {k: detections() for k in range(100)}
    matching = match(pair_up(records, nothing, 1), MatchRule())
    blind = Evaluation(records, ("a",), (1,), [], unnamed=others).unnamed_by(MatchRule())
    part = parts_of([f"{k}.png" for k in range(100)])
    got = unnamed(matching, CrossFit(part, np.full((5, 1), 0.5)), blind, config)
    assert got.decisions.escape.events <= 1 and got.false.value <= 0.1
    assert got.decisions.overkill.value <= (0.0 if config.cost else 0.1) and got.found.events >= 49


@pytest.mark.parametrize("config", AIMS.values(), ids=AIMS)
def test_classes_that_leave_nothing_open(config):
    """All bad pictures are found, all good ones rejected: whatever the threshold, no decision changes."""
    records = [record([HERE], [0]) if k % 2 else record([], []) for k in range(20)]
    found = {k: detections((HERE, 0.9, 0)) for k in range(20)}
    matching = match(pair_up(records, found, 1), MatchRule())
    others = {k: detections((THERE, 0.5, 0)) for k in range(20)}
    blind = Evaluation(records, ("a",), (1,), [], unnamed=others).unnamed_by(MatchRule())
    got = unnamed(matching, CrossFit(np.arange(20) % 5, np.full((5, 1), 0.5)), blind, config)
    assert got.found is None and got.decisions.escape.events == 0 and got.decisions.overkill.events == 10


def test_where_the_classes_keep_the_rate_of_escapes_no_good_part_is_thrown_away_for_more():
    """Of 50 bad pictures 3 escape the classes: fewer than the tenth that may. False ones score more than right ones."""
    records = [record([HERE], [0]) if k % 2 else record([], []) for k in range(100)]
    found = {k: detections(*([(HERE, 0.9, 0)] if k % 2 and k > 5 else [])) for k in range(100)}
    others = {k: detections((THERE, 0.5, 0)) if k % 2 == 0 else detections((HERE, 0.3, 0)) for k in range(100)}
    matching = match(pair_up(records, found, 1), MatchRule())
    blind = Evaluation(records, ("a",), (1,), [], unnamed=others).unnamed_by(MatchRule())
    for share, overkill in ((0.1, 0), (0.02, 50)):
        config = InspectionConfig(escape=share)
        got = unnamed(matching, CrossFit(np.arange(100) // 2 % 5, np.full((5, 1), 0.5)), blind, config)
        assert got.decisions.overkill.events == overkill and got.decisions.escape.events == (3 if overkill == 0 else 0)
