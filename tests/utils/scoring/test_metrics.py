from pathlib import Path

import numpy as np
import pytest
import torch

from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.scoring.metrics import CONFIDENCES, confusion, curves
from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record


def record(boxes, labels, crowd=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4) / 100
    flags = np.zeros(len(boxes), bool) if crowd is None else np.array(crowd)
    return Record(Path("x.png"), 1, (100, 100), boxes, np.array(labels, np.int64), flags)


def detections(boxes, scores, labels):
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    return Detections(boxes, torch.tensor(scores), torch.tensor(labels, dtype=torch.long))


def matched(records, found, classes):
    """At IoU 0.5."""
    return match(pair_up(records, found, classes), MatchRule())


def confusion_at(records, found, classes, confidence):
    pairs = pair_up(records, found, classes)
    return confusion(pairs, match(pairs.class_blind, MatchRule()), confidence)


def test_matching_by_hand():
    """Best score takes the truth; its duplicate, the wrong class and the loose box are misses."""
    truth = record([[0, 0, 10, 10], [50, 50, 60, 60]], [0, 1])
    found = detections(
        [[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60], [50, 50, 60, 56], [50, 50, 60, 54]],
        [0.9, 0.8, 0.7, 0.6, 0.5],
        [0, 0, 0, 1, 1],
    )
    matching = matched([truth], {0: found}, 2)
    assert matching.hit.tolist() == [True, False, False, True, False] and matching.counts.all()


def test_crowd_is_neither_hit_nor_false_alarm():
    truth = record([[0, 0, 50, 50]], [0], crowd=[True])
    matching = matched([truth], {0: detections([[0, 0, 50, 40], [70, 70, 80, 80]], [0.9, 0.8], [0, 0])}, 1)
    assert matching.false.tolist() == [False, True] and not matching.hit.any() and not len(matching.pairs.truth)


def test_ignore_regions_by_hand():
    """A region of no class (0..50 square) forgives every class inside it, by the share of the detection's own area; it
    takes no hit from a truth box, misses nothing, and forgives nothing outside.
    """
    truth = record([[0, 0, 50, 50], [10, 10, 20, 20]], [EVERY_CLASS, 1], crowd=[True, False])
    found = detections(
        [
            [10, 10, 20, 20],  # class 1 on its truth: a hit, although it lies in the region
            [10, 10, 20, 20],  # class 0 inside: forgiven
            [30, 30, 34, 34],  # class 2 inside, tiny against the region: forgiven
            [46, 0, 54, 10],  # class 0, exactly half inside: forgiven
            [46, 0, 56, 10],  # class 0, 40 % inside: a false alarm
            [60, 60, 70, 70],  # class 1 outside: a false alarm
        ],
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
        [1, 0, 2, 0, 0, 1],
    )
    matching = matched([truth], {0: found}, 3)
    assert matching.pairs.scores[matching.counts].tolist() == pytest.approx([0.9, 0.5, 0.4])
    assert matching.hit.tolist() == [True] + [False] * 5 and matching.pairs.truth.labels.tolist() == [1]
    result = curves(matching)
    assert result.recall[1, 0] == 1 and result.precision[1, 0] == 0.5
    assert np.isnan(result.recall[0]).all(), "a class with nothing to find stays undefined"
    assert not truth.good and record([[0, 0, 50, 50]], [EVERY_CLASS], crowd=[True]).good


def test_a_region_of_one_class_forgives_that_class_only():
    truth = record([[0, 0, 50, 50]], [0], crowd=[True])
    matching = matched([truth], {0: detections([[5, 5, 9, 9], [5, 5, 9, 9]], [0.9, 0.8], [0, 1])}, 2)
    assert matching.false.tolist() == [False, True] and not matching.hit.any()


def test_curves_by_hand():
    truth = record([[0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50], [60, 60, 70, 70]], [0, 0, 0, 0])
    found = detections([[0, 0, 10, 10], [80, 80, 90, 90], [20, 20, 30, 30]], [0.8, 0.6, 0.4], [0, 0, 0])
    result = curves(matched([truth], {0: found}, 2))
    at = {c: int(np.searchsorted(CONFIDENCES, c)) for c in (0.1, 0.5, 0.7, 0.9)}
    assert result.precision[0, at[0.1]] == pytest.approx(2 / 3) and result.recall[0, at[0.1]] == 0.5
    assert result.precision[0, at[0.5]] == 0.5 and result.recall[0, at[0.5]] == 0.25
    assert result.precision[0, at[0.7]] == 1 and result.recall[0, at[0.7]] == 0.25
    assert result.precision[0, at[0.9]] == 1 and result.recall[0, at[0.9]] == 0
    assert np.isnan(result.recall[1]).all()
    assert CONFIDENCES[result.best()] <= 0.4


def test_no_truth_has_no_best():
    assert curves(matched([record([], [])], {0: detections([], [], [])}, 1)).best() is None


def test_confusion_by_hand():
    """Truth 0 found as 1, truth 1 missed, a false alarm of class 0, a faint detection, a good picture."""
    truth = record([[0, 0, 10, 10], [50, 50, 60, 60], [80, 80, 90, 90]], [0, 1, 1])
    boxes = [[0, 0, 10, 10], [20, 20, 30, 30], [80, 80, 90, 90], [50, 50, 60, 60]]
    found = detections(boxes, [0.9, 0.8, 0.7, 0.1], [1, 0, 1, 1])
    good, nothing = record([], []), detections([], [], [])
    counts = confusion_at([truth, good], {0: found, 1: nothing}, 2, confidence=0.25)
    assert counts.tolist() == [[0, 0, 1], [1, 1, 0], [0, 1, 1]]


def test_confusion_leaves_crowd_out():
    truth = record([[0, 0, 50, 50]], [0], crowd=[True])
    found = detections([[5, 5, 20, 20], [70, 70, 80, 80]], [0.9, 0.8], [0, 1])
    assert confusion_at([truth], {0: found}, 2, confidence=0.25).tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_what_lies_in_a_region_to_ignore_leaves_a_good_picture_good():
    good = record([[0, 0, 50, 50]], [EVERY_CLASS], crowd=[True])
    found = detections([[5, 5, 20, 20]], [0.9], [0])
    assert confusion_at([good], {0: found}, 1, confidence=0.25).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(("label", "background"), [(0, 0), (1, 1), (EVERY_CLASS, 0)])
def test_a_region_forgives_the_same_in_the_confusion_matrix_as_in_matching(label, background):
    """A false alarm of class 0 in a region of class 1 is one in both; of its own class, or of none, in neither."""
    truth = record([[0, 0, 50, 50]], [label], crowd=[True])
    found = {0: detections([[10, 10, 40, 40]], [0.9], [0])}
    assert matched([truth], found, 2).false.tolist() == [background == 1]
    assert confusion_at([truth], found, 2, 0.5)[0].tolist() == [0, 0, background]
