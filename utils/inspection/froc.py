"""FROC: how much is found against how often there is a false alarm (Bunch et al. 1978)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.inspection.intervals import Rate, rate
from utils.inspection.thresholds import sweep
from utils.scoring.matching import Matching

REPORTED = (0.01, 0.05, 0.1, 0.5, 1.0)  # false alarms per picture


@dataclass(frozen=True)
class FrocPoint:
    """What is found at a threshold (None: several at once); `recall` is None without truth."""

    threshold: float | None
    recall: Rate | None
    false_alarms: int
    pictures: int

    @property
    def false_per_picture(self) -> float:
        """False alarms over all pictures, good and bad."""
        return self.false_alarms / self.pictures

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        recall = self.recall and self.recall.plain()
        return {**vars(self), "recall": recall, "false_per_picture": self.false_per_picture}


@dataclass(frozen=True, eq=False)
class Froc:
    """`hits` and `false_alarms` (S,) int64 at falling `thresholds` (S,), the first of which lets nothing pass."""

    thresholds: np.ndarray
    hits: np.ndarray
    false_alarms: np.ndarray
    pictures: int
    truth: int

    def at(self, false_per_picture: float) -> FrocPoint:
        """The point that finds most with at most so many false alarms per picture, at its highest threshold."""
        return self.point(self.index_at(false_per_picture))

    def index_at(self, false_per_picture: float) -> int:
        """The index of that point."""
        allowed = self.false_alarms <= budget(false_per_picture, self.pictures)
        return int(np.argmax(np.where(allowed, self.hits, -1)))

    def point(self, index: int) -> FrocPoint:
        """The point of that index."""
        found = rate(self.hits[index], self.truth)
        return FrocPoint(float(self.thresholds[index]), found, int(self.false_alarms[index]), self.pictures)


def budget(false_per_picture: float, pictures: int) -> int:
    """How many false alarms that allows: 0.29 of 100 pictures is 29, whatever floating point says."""
    return int(false_per_picture * pictures + 1e-6)


def froc(matching: Matching, label: int | None = None) -> Froc:
    """The curve of all classes pooled under one threshold, or of the class `label`."""
    pairs = matching.pairs
    counts, truth = matching.counts, np.ones(len(pairs.truth), bool)
    if label is not None:
        counts, truth = counts & (pairs.detections.labels == label), pairs.truth.labels == label
    hit = matching.hit[counts]
    thresholds, hits, false_alarms = sweep(pairs.scores[counts], hit, ~hit)
    return Froc(thresholds, hits, false_alarms, pairs.pictures, int(truth.sum()))
