from dataclasses import replace

import numpy as np
import torch
from hypothesis import given

from tests.utils.glass_cases import NAMES, cases, detections, evaluated, record, six_pictures
from utils.scoring import coco
from utils.scoring.box_pairs import pair_up
from utils.scoring.evaluation import DEFAULT_CONFIDENCE, Evaluation
from utils.scoring.matching import MatchRule, match
from utils.values.record import EVERY_CLASS


def test_six_pictures():
    evaluation = evaluated(*six_pictures(), NAMES)
    assert evaluation.matching.hit.sum() == 2 and len(evaluation.results) == 6
    assert evaluation.class_blind.hit.sum() == 3, "the bubble found as oil too"
    assert evaluation.files == tuple(f"p{n}.png" for n in range(1, 7))
    assert evaluation.report.instances == 5 and evaluation.report.good_images == 2
    assert [(row.images, row.instances) for row in evaluation.report.classes] == [(3, 3), (2, 2)]
    assert evaluation.confidence == evaluation.report.confidence and evaluation.confusion.sum() == 9


def test_every_part_is_worked_out_once():
    evaluation = evaluated(*six_pictures(), NAMES)
    assert evaluation.matched_by(MatchRule()) is evaluation.matching and evaluation.pairs is evaluation.pairs
    assert evaluation.matched_by(MatchRule("center")).pairs is evaluation.pairs
    assert evaluation.truth is evaluation.truth and evaluation.confusion is evaluation.confusion


def test_boxes_that_hardly_overlap_are_paired_for_a_rule_that_asks_for_little():
    """IoU 36 / 764 = 0.047, and the centre of neither lies in the other."""
    found = {0: detections(([14, 14, 34, 34], 0.9, 0))}
    evaluation = evaluated([record([[0, 0, 20, 20]], [0])], found, NAMES)
    assert not len(evaluation.pairs.iou) and not evaluation.matching.hit.any()
    assert evaluation.matched_by(MatchRule(iou=0.04)).hit.all()


def test_without_truth_the_confidence_is_the_default():
    assert evaluated([record([], [])], {0: detections()}, NAMES).confidence == DEFAULT_CONFIDENCE


@given(cases)
def test_class_blind_is_pairing_anew_with_one_class(case):
    alike = [replace(one, labels=np.where(one.labels == EVERY_CLASS, EVERY_CLASS, 0)) for one in case.records]
    found = {index: replace(one, labels=torch.zeros_like(one.labels)) for index, one in case.found.items()}
    pairs, anew = pair_up(case.records, case.found, case.classes), pair_up(alike, found, 1)
    blind = pairs.class_blind
    for name in ("detection", "truth_box", "iou", "centred", "scores"):
        assert np.array_equal(getattr(blind, name), getattr(anew, name)), name
    for name in ("share", "share_centred"):  # a region forgives its own class, whatever is compared
        assert np.array_equal(getattr(blind, name), getattr(pairs, name)), name
    hits = [match(one, MatchRule()).hit for one in (blind, anew)]
    assert np.array_equal(*hits)


@given(cases)
def test_confusion_adds_up(case):
    """Every sure detection that is not forgiven is in one row, every truth box in one column."""
    evaluation = evaluated(case.records, case.found, case.names)
    sure = evaluation.pairs.scores >= evaluation.confidence
    labels = evaluation.pairs.detections.labels[sure & evaluation.class_blind.counts]
    assert np.array_equal(evaluation.confusion[:-1].sum(1), np.bincount(labels, minlength=case.classes))
    truth = np.bincount(evaluation.pairs.truth.labels, minlength=case.classes)
    assert np.array_equal(evaluation.confusion[:, :-1].sum(0), truth)


def test_losses_are_handed_on():
    records, found = [record([], [])], {0: detections()}
    evaluation = Evaluation(records, NAMES, (1, 2), coco.results_json(records, found, (1, 2)), {"box": 0.5})
    assert evaluation.report.losses == {"box": 0.5}
