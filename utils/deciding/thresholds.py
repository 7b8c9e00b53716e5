"""Score thresholds: a detection counts where its score >= the threshold. Ties stand and fall together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NEVER = 2.0  # above every score: nothing counts
LOWEST = 0.001  # the confidence at which val.py gathers detections; below it nothing is known
CUT = 0.02  # where the least of many detections scores more, a file was cut; detectors see something below it


def least_known(results: Sequence[Mapping[str, Any]]) -> float:
    """The score from which on detections that another program made are known: LOWEST, unless it wrote only such that
    score much more.
    """
    least = min((float(row["score"]) for row in results), default=LOWEST)
    return least if least > CUT else LOWEST


def sweep(scores: np.ndarray, *flags: np.ndarray) -> tuple[np.ndarray, ...]:
    """Every threshold that makes a difference: NEVER, then the distinct `scores` (M,) falling, (S + 1,) in all; and for
    each of `flags` (M,) bool how many of it score at least that: (S + 1,) int64.
    """
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1) if len(falling) else np.zeros(0, np.int64)
    counts = [np.append(0, flag[order].cumsum()[last]) for flag in flags]
    return np.append(NEVER, falling[last]), *counts


def settled(scores: np.ndarray, threshold: float, lowest: float = LOWEST) -> float:
    """A threshold that parts `scores` (M,) as `threshold` does, in the middle of the gap and short to write.

    Another batch size moves a score by its last digits; halfway between two scores that changes no decision. Above the
    best score it lies halfway to 1 (NEVER if that is a score). Below the worst it lies halfway to `lowest`, the
    confidence from which scores are known: a clean validation does not say that whatever scores more is a defect. Read
    as float32 or float64 it parts the scores alike. Without scores, `threshold`.
    """
    above, below = scores[scores >= threshold], scores[scores < threshold]
    if not len(scores):
        return threshold
    low = float(below.max(initial=min(lowest, scores.min())))
    if not len(above) and low >= 1:
        return NEVER
    return _between(low, float(above.min(initial=1.0)))


def _between(low: float, high: float) -> float:
    """The number of fewest digits in the middle half of low..high, else `high` itself."""
    for digits in range(1, 10):
        value = round((low + high) / 2, digits)
        central = low + (high - low) / 4 <= value <= high - (high - low) / 4
        if central and np.float32(low) < np.float32(value) <= np.float32(high):
            return value
    return high
