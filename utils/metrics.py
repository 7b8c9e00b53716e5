"""Precision and recall from matched detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from utils.boxes import pairwise_inside, pairwise_iou
from utils.structures import EVERY_CLASS, Detections, Record

CONFIDENCES = np.linspace(0, 1, 1000)
NOTHING, IGNORED = -1, -2  # what a detection takes when it takes no truth box


@dataclass(frozen=True, eq=False)
class Matches:
    """All detections of a data set: `scores` (M,), `labels` (M,), `hit` (M,) bool; `truth` (K,) boxes per class."""

    scores: np.ndarray
    labels: np.ndarray
    hit: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True, eq=False)
class Curves:
    """Precision and recall (K, 1000) over the confidences 0..1; NaN rows for classes without truth."""

    precision: np.ndarray
    recall: np.ndarray

    def f1(self) -> np.ndarray:
        """(K, 1000) harmonic mean."""
        return 2 * self.precision * self.recall / np.maximum(self.precision + self.recall, 1e-9)

    def best(self) -> int | None:
        """Index of the confidence with the best mean F1 over classes, None without any truth."""
        defined = ~np.isnan(self.recall[:, 0])
        return int(self.f1()[defined].mean(0).argmax()) if defined.any() else None


def match(records: Sequence[Record], found: Mapping[int, Detections], classes: int, threshold: float = 0.5) -> Matches:
    """Each detection, best score first, takes the free truth box of its class that it overlaps most, if IoU >=
    `threshold`.

    Truth marked crowd is left out, and with it the detections that match nothing but lie in such a region of their
    class or of every class: with a share >= `threshold` of their own area, as COCO has it.
    """
    scores, labels, hits = [np.zeros(0)], [np.zeros(0, np.int64)], [np.zeros(0, bool)]
    truth = np.zeros(classes, np.int64)
    for index, record in enumerate(records):
        one = found[index]
        taken = _match_picture(record, one, threshold)
        counts = taken != IGNORED
        np.add.at(truth, record.labels[~record.crowd], 1)
        scores.append(one.scores.numpy()[counts])
        labels.append(one.labels.numpy()[counts])
        hits.append(taken[counts] >= 0)
    return Matches(np.concatenate(scores), np.concatenate(labels), np.concatenate(hits), truth)


def _match_picture(record: Record, found: Detections, threshold: float) -> np.ndarray:
    """(M,) index of the truth box each detection takes, NOTHING, or IGNORED where it lies in a crowd region."""
    taken = np.full(len(found), NOTHING)
    if not len(record.boxes) or not len(found):
        return taken
    boxes = found.boxes.new_tensor(record.pixel_boxes())
    overlap = pairwise_iou(found.boxes, boxes).numpy()
    overlap[:, record.crowd] = pairwise_inside(found.boxes, boxes[torch.from_numpy(record.crowd)]).numpy()
    same = (found.labels.numpy()[:, None] == record.labels) | (record.labels == EVERY_CLASS)
    overlap[~same] = 0
    near = overlap >= threshold
    free = ~record.crowd
    for i in np.flatnonzero(near.any(1)):
        candidates = np.where(near[i] & free, overlap[i], 0)
        if candidates.any():
            taken[i] = candidates.argmax()
            free[taken[i]] = False
        elif (near[i] & record.crowd).any():
            taken[i] = IGNORED
    return taken


def curves(matches: Matches) -> Curves:
    """Precision and recall of each class at every confidence; precision is 1 where nothing is detected."""
    classes = len(matches.truth)
    precision, recall = np.full((classes, len(CONFIDENCES)), np.nan), np.full((classes, len(CONFIDENCES)), np.nan)
    for label in matches.truth.nonzero()[0]:
        mine = matches.labels == label
        order = np.argsort(matches.scores[mine])
        scores, hits = matches.scores[mine][order], matches.hit[mine][order]
        first = np.searchsorted(scores, CONFIDENCES)  # detections from here on have at least that confidence
        kept_hits = np.append(hits[::-1].cumsum()[::-1], 0)[first]
        kept = len(scores) - first
        precision[label] = np.where(kept > 0, kept_hits / np.maximum(kept, 1), 1.0)
        recall[label] = kept_hits / matches.truth[label]
    return Curves(precision, recall)


def confusion(
    records: Sequence[Record], found: Mapping[int, Detections], classes: int, confidence: float, threshold: float = 0.5
) -> np.ndarray:
    """(K + 1, K + 1) counts over detections of at least `confidence`: rows predicted, columns truth, background last.

    Each detection, best score first, takes the free truth box of any class that it overlaps most, if IoU >=
    `threshold`. A good picture in which nothing is found counts once as background found as background. Crowd is
    left out as in `match`.
    """
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    for index, record in enumerate(records):
        one = found[index].keep(found[index].scores >= confidence)
        anything = replace(record, labels=np.where(record.crowd, EVERY_CLASS, 0))
        taken = _match_picture(anything, replace(one, labels=torch.zeros_like(one.labels)), threshold)
        for label, truth in zip(one.labels.tolist(), taken.tolist(), strict=True):
            if truth != IGNORED:
                counts[label, record.labels[truth] if truth >= 0 else classes] += 1
        missed = np.setdiff1d(np.flatnonzero(~record.crowd), taken)
        np.add.at(counts, (classes, record.labels[missed]), 1)
        counts[classes, classes] += record.good and not len(one)
    return counts
