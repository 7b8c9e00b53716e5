"""Which pictures a person should review first: those from which the next training learns most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from utils.values.boxes import pairwise_iou
from utils.values.detections import Detections
from utils.words.errors import printable

SAME_PLACE = 0.5  # IoU from which on two boxes are of one thing
FAINT_FROM = 0.25  # of its class's threshold: from here on a box below that is faint, not noise
MANY_FAINT = 10
OF_FAINT = 0.5  # what many faint boxes are worth at most: any of them may be nothing

Lesson = tuple[float, str]


def teaches(found: Detections, thresholds: Sequence[float]) -> Lesson:
    """How much a review of this picture teaches, 0..1, and the strongest reason for it, on one line.

    `found` holds boxes however faint, `thresholds` (K,) is from where on each class counts; above 1: never, and such
    boxes teach nothing. Most teach a score near its threshold (1 at it, 0 as far away as a score can be), boxes of two
    classes on one place with scores alike, then many faint boxes.
    """
    limits = np.asarray(thresholds, np.float64)[found.labels.long().cpu().numpy()]
    kept = found.keep(torch.from_numpy(limits <= 1).to(found.scores.device))
    if not len(kept):
        return 0.0, "nothing was found, however faint"
    limits = limits[limits <= 1]
    lessons = [_near(kept, limits), _disagreeing(kept, limits), _faint(kept, limits)]
    return max(lessons, key=lambda lesson: lesson[0])


def _near(found: Detections, limits: np.ndarray) -> Lesson:
    """The box whose score is nearest to its threshold, as a part of the way from there to 0 or to 1."""
    scores = _scores(found)
    above = scores >= limits
    way = np.where(above, 1 - limits, limits)
    # a threshold of 1 leaves no way above it, one of 0 none below
    away = np.divide(np.abs(scores - limits), way, out=np.zeros_like(scores), where=way > 0)
    best = int(away.argmin())
    teaching = 1 - float(away[best])
    side = "near" if teaching >= 0.5 else "far from"
    return teaching, f"{_word(found, best)} {scores[best]:.2f}, {side} its threshold {limits[best]:.2f}"


def _disagreeing(found: Detections, limits: np.ndarray) -> Lesson:
    """Two boxes of different classes on one place: the lower score over the higher, less where both are faint."""
    scores, labels = _scores(found), found.labels.cpu().numpy()
    overlap = np.triu(pairwise_iou(found.boxes, found.boxes).cpu().numpy() > SAME_PLACE)
    pairs = np.argwhere(overlap & (labels[:, None] != labels))
    if not len(pairs):
        return 0.0, ""
    one, two = pairs.T
    low, high = np.minimum(scores[one], scores[two]), np.maximum(scores[one], scores[two])
    least = np.maximum(np.minimum(limits[one], limits[two]), 1e-6)
    values = low / np.maximum(high, 1e-6) * np.minimum(high / least, 1)
    best = int(values.argmax())
    a, b = int(one[best]), int(two[best])
    words = [f"{_word(found, k)} {scores[k]:.2f}" for k in sorted((a, b), key=lambda k: -scores[k])]
    return float(values[best]), f"{words[0]} and {words[1]} on one place"


def _faint(found: Detections, limits: np.ndarray) -> Lesson:
    """Boxes that do not count, but not by far."""
    scores = _scores(found)
    count = int(((scores < limits) & (scores >= FAINT_FROM * limits)).sum())
    return OF_FAINT * min(count / MANY_FAINT, 1), f"{count} faint boxes below their thresholds"


def _scores(found: Detections) -> np.ndarray:
    return found.scores.double().cpu().numpy()


def _word(found: Detections, box: int) -> str:
    label = int(found.labels[box])
    return printable(found.names[label] if label < len(found.names) else f"class {label}")
