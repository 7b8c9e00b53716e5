"""Precision, recall and the confusion matrix, from matched detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.scoring.box_pairs import Pairs
from utils.scoring.matching import IGNORED, Matching

CONFIDENCES = np.linspace(0, 1, 1000)


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
        # rounded, so that equal values do not differ in their last digits; argmax then takes the lowest confidence
        return int(self.f1()[defined].mean(0).round(12).argmax()) if defined.any() else None


def curves(matching: Matching) -> Curves:
    """Precision and recall of each class at every confidence; precision is 1 where nothing is detected.

    Detections that are IGNORED count neither as hits nor as false alarms, so they are left out.
    """
    pairs, counts = matching.pairs, matching.counts
    scores, labels, hit = pairs.scores[counts], pairs.detections.labels[counts], matching.hit[counts]
    truth = np.bincount(pairs.truth.labels, minlength=pairs.classes)
    precision, recall = (np.full((pairs.classes, len(CONFIDENCES)), np.nan) for _ in range(2))
    for label in truth.nonzero()[0]:
        mine = labels == label
        order = np.argsort(scores[mine])
        rising, hits = scores[mine][order], hit[mine][order]
        first = np.searchsorted(rising, CONFIDENCES)  # detections from here on have at least that confidence
        # hits from each place to the end; the 0 is for confidences above every score
        kept_hits = np.append(hits[::-1].cumsum()[::-1], 0)[first]
        kept = len(rising) - first
        precision[label] = np.where(kept > 0, kept_hits / np.maximum(kept, 1), 1.0)
        recall[label] = kept_hits / truth[label]
    return Curves(precision, recall)


def confusion(pairs: Pairs, class_blind: Matching, confidence: float) -> np.ndarray:
    """(K + 1, K + 1) counts over detections of at least `confidence`: rows predicted, columns truth, background last.

    `class_blind` is the matching of `pairs.class_blind`: each detection, best score first, takes the free truth box of
    any class that it overlaps most, so that lower scores change nothing for those that count. A good picture in which
    nothing is found counts once as background found as background. What is IGNORED is left out.
    """
    classes, background = pairs.classes, pairs.classes
    truth_labels = np.append(pairs.truth.labels, background)  # NOTHING, which is -1, takes the last
    sure = pairs.scores >= confidence
    taken = class_blind.taken[sure]
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    rows = pairs.detections.labels[sure][taken != IGNORED]
    np.add.at(counts, (rows, truth_labels[taken[taken != IGNORED]]), 1)
    missed = np.setdiff1d(np.arange(len(pairs.truth)), taken)
    np.add.at(counts, (background, pairs.truth.labels[missed]), 1)
    found = np.bincount(pairs.detections.picture[sure][taken != IGNORED], minlength=pairs.pictures)
    counts[background, background] = (pairs.good & (found == 0)).sum()
    return counts
