"""Thresholds, one per class, by what they decide of whole pictures: for the least cost, a rate of overkill, or one of
escapes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from utils.deciding.decisions import (
    Cost,
    DecisionCurve,
    PictureScores,
    decision_curve,
    one_threshold_curve,
    picture_scores,
)
from utils.deciding.froc import budget
from utils.deciding.threshold_choice import ClassScores, alphabetical
from utils.deciding.thresholds import LOWEST
from utils.scoring.matching import Matching


def allowance(share: float, pictures: int) -> int:
    """How many of so many good (or bad) pictures one threshold may decide wrongly here to keep the `share` on others on
    average, as in conformal prediction (Vovk, Gammerman, Shafer 2005): share (pictures + 1) - 1, or none, which may not
    be enough.
    """
    return max(budget(share, pictures + 1) - 1, 0)


class ForRate(ABC):
    """Thresholds that may be expected to keep one kind of mistake to this `share` of other pictures, with few of the
    other kind.

    From the best shared one, each class in turn moves to where fewest of the other kind are left with what the other
    classes leave of the `allowance`; never worse here than the shared one.
    """

    judged: ClassVar[str]  # the pictures that can be decided wrongly so: a field of PictureScores
    mistake: ClassVar[str]  # which of them are: a field of Outcome

    def __init__(self, matching: Matching, names: Sequence[str], share: float, lowest: float = LOWEST) -> None:
        scores, self.scores = picture_scores(matching), ClassScores(matching, lowest)
        self.allowed = allowance(share, int(getattr(scores, self.judged).sum()))
        curve = one_threshold_curve(scores)
        self.shared = float(curve.thresholds[self._place(curve, 0)])

        def better(own: ClassChoice) -> int:
            best = self._place(own.curve, own.spent)
            found = self._faults(int(own.curve.escapes[best]), int(own.curve.overkills[best]))
            return best if found < self._faults(own.escapes, own.overkills) else -1

        self.free = _descend(scores, self.shared, names, better)

    def thresholds(self, caution: float = 0.0) -> tuple[float, ...]:
        """(K,). Those of several classes learn a few pictures by heart: by `caution`, 0 to 1, those on the side of the
        shared one that makes more mistakes of this kind come nearer to it.
        """
        safe = self._safe(self.free)
        moved = safe != self.free
        nearer = self.free.copy()
        nearer[moved] = (1 - caution) * np.minimum(self.free, 1.0)[moved] + caution * safe[moved]  # from NEVER, too
        return self.scores.settled((nearer if caution else self.free).tolist(), self.shared)

    @abstractmethod
    def _place(self, curve: DecisionCurve, spent: int) -> int:
        """Index on `curve` of fewest mistakes of the other kind with what is allowed where others reject `spent`."""

    @abstractmethod
    def _faults(self, escapes: int, overkills: int) -> tuple[int, ...]:
        """What is to be little, first things first."""

    @abstractmethod
    def _safe(self, thresholds: np.ndarray) -> np.ndarray:
        """(K,) those that make no more mistakes of this kind than the shared one."""


class ForOverkill(ForRate):
    """Thresholds with few escapes that may be expected to reject at most the share of other good pictures."""

    judged, mistake = "good", "rejected"

    def _place(self, curve: DecisionCurve, spent: int) -> int:
        return curve.rejecting(self.allowed - spent)

    def _faults(self, escapes: int, overkills: int) -> tuple[int, ...]:
        return escapes, overkills

    def _safe(self, thresholds: np.ndarray) -> np.ndarray:
        return np.maximum(thresholds, min(self.shared, 1.0))


class ForEscape(ForRate):
    """Thresholds with little overkill that may be expected to pass at most the share of other bad pictures. Where no
    threshold finds so many: those that pass fewest.
    """

    judged, mistake = "bad", "escaped"

    def _place(self, curve: DecisionCurve, spent: int) -> int:
        return curve.passing(self.allowed)

    def _faults(self, escapes: int, overkills: int) -> tuple[int, ...]:
        return max(escapes - self.allowed, 0), overkills

    def _safe(self, thresholds: np.ndarray) -> np.ndarray:
        return np.minimum(thresholds, self.shared)


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
