"""Thresholds, one per class, by what they decide of whole pictures: for the least cost, or a rate of overkill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from utils.inspection.decisions import (
    Cost,
    DecisionCurve,
    PictureScores,
    decision_curve,
    one_threshold_curve,
    picture_scores,
)
from utils.inspection.froc import budget
from utils.inspection.threshold_choice import ClassScores, alphabetical
from utils.inspection.thresholds import LOWEST
from utils.scoring.matching import Matching


def allowance(share: float, good: int) -> int:
    """How many of so many good pictures one threshold may reject here to keep the `share` on others on average, as in
    conformal prediction (Vovk, Gammerman, Shafer 2005): share (good + 1) - 1, or none, which may not be enough.
    """
    return max(budget(share, good + 1) - 1, 0)


class ForOverkill:
    """Thresholds with few escapes that may be expected to reject at most this `share` of other good pictures.

    From the best shared one, each class in turn moves to where fewest escape with what the others leave of the
    `allowance`; never worse here than the shared one.
    """

    def __init__(self, matching: Matching, names: Sequence[str], share: float, lowest: float = LOWEST) -> None:
        scores, self.scores = picture_scores(matching), ClassScores(matching, lowest)
        allowed, curve = allowance(share, int(scores.good.sum())), one_threshold_curve(scores)
        self.shared = float(curve.thresholds[curve.within(allowed)])

        def better(own: ClassChoice) -> int:
            best = own.curve.within(allowed - own.spent)
            return best if (own.curve.escapes[best], own.curve.overkills[best]) < (own.escapes, own.overkills) else -1

        self.free = _descend(scores, self.shared, names, better)

    def thresholds(self, caution: float = 0.0) -> tuple[float, ...]:
        """(K,). Those of several classes learn a few good pictures by heart: by `caution`, 0 to 1, those below the
        shared one come nearer to it.
        """
        nearer = self.free + caution * (np.maximum(self.free, min(self.shared, 1.0)) - self.free)
        return self.scores.settled(nearer.tolist(), self.shared)


def for_least_cost(matching: Matching, names: Sequence[str], cost: Cost, lowest: float = LOWEST) -> tuple[float, ...]:
    """Thresholds (K,) of little cost: from the best shared one, each class in turn moves to its cheapest threshold
    until none gains; never worse than the shared one.
    """
    scores = picture_scores(matching)
    curve = one_threshold_curve(scores)
    shared = float(curve.thresholds[curve.cheapest(cost)])

    def better(own: ClassChoice) -> int:
        now, best = cost.escape * own.escapes + cost.overkill * own.overkills, own.curve.cheapest(cost)
        gain = now - own.curve.costs(cost)[best]
        return best if gain > 1e-9 * now else -1  # a gain of rounding could go in circles

    thresholds = _descend(scores, shared, names, better)
    return ClassScores(matching, lowest).settled(thresholds.tolist(), shared)


class ClassChoice(NamedTuple):
    """What one class can do while the others stay: its `curve` over the pictures that they leave to it, its `escapes`
    and `overkills` among these now, and how many good pictures the others reject, `spent`.
    """

    curve: DecisionCurve
    escapes: int
    overkills: int
    spent: int


def _descend(
    scores: PictureScores, shared: float, names: Sequence[str], better: Callable[[ClassChoice], int]
) -> np.ndarray:
    """Thresholds (K,), all `shared` at first: each class in turn moves to the place on its curve that is `better`,
    until none is (-1).
    """
    thresholds = np.full(scores.hits.shape[1], shared)
    found, fired = scores.hits >= shared, scores.alarms >= shared
    by, against = found.sum(1), fired.sum(1)  # of how many classes
    gained = True
    while gained:
        gained = False
        for k in np.argsort(alphabetical(names)).tolist():
            missed, rejected = scores.bad & (by == found[:, k]), against > fired[:, k]
            quiet = scores.good & ~rejected
            curve = decision_curve(scores.hits[missed, k], scores.alarms[quiet, k])
            own = (missed & ~found[:, k]).sum(), (quiet & fired[:, k]).sum(), (scores.good & rejected).sum()
            best = better(ClassChoice(curve, *map(int, own)))
            if best < 0:
                continue
            thresholds[k], gained = curve.thresholds[best], True
            by, against = by - found[:, k], against - fired[:, k]
            found[:, k], fired[:, k] = scores.hits[:, k] >= thresholds[k], scores.alarms[:, k] >= thresholds[k]
            by, against = by + found[:, k], against + fired[:, k]
    return thresholds
