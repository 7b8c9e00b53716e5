"""Precision and recall from matched detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from utils.scoring.box_pairs import NEAREST, flatten_detections, flatten_truth, pair_up
from utils.scoring.matching import IGNORED, MatchRule
from utils.scoring.matching import match as matching_of
from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record

CONFIDENCES = np.linspace(0, 1, 1000)


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
        return int(self.f1()[defined].mean(0).round(12).argmax()) if defined.any() else None


def match(records: Sequence[Record], found: Mapping[int, Detections], classes: int, threshold: float = 0.5) -> Matches:
    """Each detection, best score first, takes the free truth box of its class that it overlaps most, if IoU >=
    `threshold`.

    Truth marked crowd is left out, and with it the detections that match nothing but lie in such a region of their
    class or of every class: with a share >= `threshold` of their own area, as COCO has it.
    """
    matching = matching_of(pair_up(records, found, classes, min(NEAREST, threshold)), MatchRule(iou=threshold))
    pairs, counts = matching.pairs, matching.counts
    truth = np.bincount(pairs.truth.labels, minlength=classes)
    return Matches(pairs.scores[counts], pairs.detections.labels[counts], matching.hit[counts], truth)


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
    kept = [found[index].keep(found[index].scores >= confidence) for index in range(len(records))]
    labels = flatten_detections(kept)[0].labels
    truth_labels = np.append(flatten_truth(records, crowd=False).labels, classes)  # NOTHING takes the last: background
    alike = [replace(record, labels=np.where(record.crowd, EVERY_CLASS, 0)) for record in records]
    one_class = {i: replace(one, labels=torch.zeros_like(one.labels)) for i, one in enumerate(kept)}
    taken = matching_of(pair_up(alike, one_class, 1, min(NEAREST, threshold)), MatchRule(iou=threshold)).taken
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(counts, (labels[taken != IGNORED], truth_labels[taken[taken != IGNORED]]), 1)
    missed = np.setdiff1d(np.arange(len(truth_labels) - 1), taken)
    np.add.at(counts, (classes, truth_labels[missed]), 1)
    counts[classes, classes] = sum(r.good and not len(one) for r, one in zip(records, kept, strict=True))
    return counts
