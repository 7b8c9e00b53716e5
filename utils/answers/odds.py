"""From a score to how likely it is right: Platt's sigmoid (Platt 1999), fitted as Lin, Lin and Weng (2007) advise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.deciding.thresholds import LOWEST

LEAST = 10  # of right ones and of wrong ones, for a fit to mean anything
DIGITS = 6  # of slope and offset, so that a file holds what was fitted
_STEPS = 100


@dataclass(frozen=True)
class Odds:
    """p = 1 / (1 + exp(-(slope * logit(score) + offset))). A higher score is never less likely right: slope >= 0."""

    slope: float
    offset: float

    def __call__(self, scores: np.ndarray | float) -> np.ndarray:
        """Probabilities of scores 0..1, in their shape."""
        return np.exp(-np.logaddexp(0, -(self.slope * _logit(scores) + self.offset)))


def fit_odds(scores: np.ndarray, right: np.ndarray) -> Odds | None:
    """The sigmoid for `scores` (N,) of which those `right` (N,) bool are so; None where there are too few of either to
    tell. By Newton's method on the log loss, the targets drawn in a little as Platt does.
    """
    positives, negatives = int(right.sum()), int((~right).sum())
    if min(positives, negatives) < LEAST:
        return None
    targets = np.where(right, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    columns = np.stack((_logit(scores), np.ones(len(scores))), 1)
    at = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    loss = _log_loss(columns @ at, targets)
    for _ in range(_STEPS):
        p = np.exp(-np.logaddexp(0, -(columns @ at)))
        slope = columns.T @ (p - targets)
        bend = (columns * (p * (1 - p))[:, None]).T @ columns + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        share = 1.0
        while share > 1e-6 and (new := _log_loss(columns @ (at - share * step), targets)) > loss:
            share /= 2
        at = at - share * step
        if loss - new < 1e-9 * len(scores):
            break
        loss = new
    if at[0] < 0:  # the scores tell nothing: the share of right ones is all there is to say
        at = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    return Odds(*(float(f"{value:.{DIGITS}g}") for value in at))


def _logit(scores: np.ndarray | float) -> np.ndarray:
    p = np.clip(scores, LOWEST, 1 - 1e-6)  # nothing found says that nothing scores more than that, and no more
    return np.log(p / (1 - p))


def _log_loss(x: np.ndarray, targets: np.ndarray) -> float:
    return float((np.logaddexp(0, x) - targets * x).sum())
