"""Does a confidence of 0.8 mean that 80 % are right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.intervals import Rate, rate
from utils.scoring.matching import Matching


@dataclass(frozen=True)
class ReliabilityBin:
    """Detections of low <= score < high (the last bin: <= high), their mean score and share of hits; None without."""

    low: float
    high: float
    score: float | None
    precision: Rate | None

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**vars(self), "precision": self.precision and self.precision.plain()}


@dataclass(frozen=True)
class Calibration:
    """`bins` of equal width, and `ece`, the expected calibration error: the mean over detections of the distance
    between mean score and precision of their bin (Naeini et al. 2015); None without detections.
    """

    bins: tuple[ReliabilityBin, ...]
    ece: float | None

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"bins": [one.plain() for one in self.bins], "ece": self.ece}


def calibration(matching: Matching, label: int | None = None, bins: int = 10) -> Calibration:
    """Reliability of the scores of all classes, or of the class `label`."""
    pairs = matching.pairs
    counts = matching.counts
    if label is not None:
        counts = counts & (pairs.detections.labels == label)
    return reliability(pairs.scores[counts], matching.hit[counts], bins)


def reliability(scores: np.ndarray, hit: np.ndarray, bins: int = 10) -> Calibration:
    """Of any `scores` (N,) 0..1, of which those where `hit` (N,) bool were right."""
    edges = np.arange(bins + 1) / bins
    place = np.minimum(np.searchsorted(edges, scores, "right") - 1, bins - 1)
    total, hits = np.bincount(place, minlength=bins), np.bincount(place[hit], minlength=bins)
    sums = np.bincount(place, scores, minlength=bins)
    rows = tuple(
        ReliabilityBin(float(low), float(high), float(s / n) if n else None, rate(h, n))
        for low, high, s, n, h in zip(edges, edges[1:], sums, total, hits, strict=False)
    )
    return Calibration(rows, float(np.abs(sums - hits).sum() / len(scores)) if len(scores) else None)
