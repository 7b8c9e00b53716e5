"""FROC: how much is found against how often there is a false alarm (Bunch et al. 1978)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.intervals import PerPicture, Rate, rate
from utils.deciding.thresholds import sweep
from utils.scoring.matching import Matching

REPORTED = (0.01, 0.05, 0.1, 0.5, 1.0)  # false alarms per picture


@dataclass(frozen=True)
class FrocPoint:
    """What is found at a threshold (None: several at once); `recall` is None without truth."""

    threshold: float | None
    recall: Rate | None
    false: PerPicture

    @property
    def false_alarms(self) -> int:
        """In all pictures, good and bad."""
        return self.false.events

    @property
    def false_per_picture(self) -> float:
        """False alarms over all pictures, good and bad."""
        return self.false.value

    def counts(self) -> dict[str, Any]:
        """JSON-ready values without intervals."""
        return {
            "threshold": self.threshold,
            "recall": self.recall and self.recall.counts(),
            "false_alarms": self.false_alarms,
            "pictures": self.false.pictures,
            "false_per_picture": self.false_per_picture,
        }

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        recall, false = self.recall and self.recall.plain(), [self.false.low, self.false.high]
        return {**self.counts(), "recall": recall, "false_per_picture_95": false}


@dataclass(frozen=True, eq=False)
class Froc:
    """`hits` and `false_alarms` (S,) int64 at falling `thresholds` (S,), the first of which lets nothing pass.

    What happened on these pictures: its points are for `counts`, not for intervals. A point that is looked for is one
    that these pictures chose, and the curve does not know which boxes are of one picture.
    """

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
        false = PerPicture(int(self.false_alarms[index]), self.pictures)
        return FrocPoint(float(self.thresholds[index]), found, false)


def budget(false_per_picture: float, pictures: int) -> int:
    """How many false alarms that allows: 0.29 of 100 pictures is 29, whatever floating point says."""
    return int(false_per_picture * pictures + 1e-6)


def froc(matching: Matching) -> Froc:
    """The curve of all classes pooled under one threshold."""
    pairs, counts = matching.pairs, matching.counts
    hit = matching.hit[counts]
    thresholds, hits, false_alarms = sweep(pairs.scores[counts], hit, ~hit)
    return Froc(thresholds, hits, false_alarms, pairs.pictures, len(pairs.truth))


def rows_of_classes(matching: Matching) -> list[np.ndarray]:
    """Of each class (K) the detections that count."""
    pairs, counts = matching.pairs, np.flatnonzero(matching.counts)
    order = counts[np.argsort(pairs.detections.labels[counts], kind="stable")]
    return np.split(order, np.searchsorted(pairs.detections.labels[order], np.arange(1, pairs.classes)))


def class_frocs(matching: Matching) -> list[Froc]:
    """The curve of each class (K)."""
    pairs = matching.pairs
    truth = np.bincount(pairs.truth.labels, minlength=pairs.classes)
    curves, hit = [], matching.hit
    for own, total in zip(rows_of_classes(matching), truth.tolist(), strict=True):
        thresholds, hits, false_alarms = sweep(pairs.scores[own], hit[own], ~hit[own])
        curves.append(Froc(thresholds, hits, false_alarms, pairs.pictures, total))
    return curves
