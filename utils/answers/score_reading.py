"""How scores are read when a question is answered: from where on a thing is there, surely or perhaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from utils.answers.odds import Odds
from utils.deciding.thresholds import NEVER

_LEAST = 1e-6  # of a score, as files have them


@dataclass(frozen=True)
class ClassReading:
    """Of one class: a picture whose best score is below `no_below` shows none, from `yes_from` on it shows one, between
    them nobody can tell. Detections from `counts_from` on are counted. `odds` of a picture's best score that it shows
    one (None: not fitted).
    """

    no_below: float
    yes_from: float
    counts_from: float
    odds: Odds | None = None

    def __post_init__(self) -> None:
        assert self.no_below <= self.yes_from > 0, f"{self} is out of order"

    @classmethod
    def at(cls, threshold: float) -> ClassReading:
        """One threshold for everything, and nothing known of what a score is worth. A picture in which nothing was
        found, of best score 0, shows none, whatever the threshold.
        """
        threshold = max(threshold, _LEAST)
        return cls(threshold, threshold, threshold)

    def shows(self, best: float) -> bool | None:
        """Whether a picture of that best score shows one; None: cannot tell."""
        return True if best >= self.yes_from else False if best < self.no_below else None

    def counted(self, scores: np.ndarray) -> np.ndarray:
        """(N,) bool: which of the detections count. A picture that shows one has at least one, and one that shows none
        has none, so that answers agree.
        """
        best = float(scores.max(initial=0))
        shows, counts = self.shows(best), scores >= self.counts_from
        if shows is False:
            return np.zeros_like(counts)
        return scores >= best if shows and not counts.any() else counts


@dataclass(frozen=True)
class ScoreReading:
    """`classes` (K,) by label, and how the best score of all classes tells of `some` defect whatever (None: as the
    classes tell); `thresholds` (K,) of the verdict; the odds that a `box` of a score is right (None: not fitted). Of
    some defect the first `own` classes are (None: all).
    """

    classes: tuple[ClassReading, ...]
    some: ClassReading | None
    thresholds: tuple[float, ...]
    box: Odds | None = None
    own: int | None = None

    @classmethod
    def uncalibrated(cls, thresholds: Sequence[float], own: int | None = None) -> ScoreReading:
        """One threshold per class (K,) for everything; none but the first `own` classes decide about a part."""
        limits = [value if own is None or k < own else NEVER for k, value in enumerate(thresholds)]
        return cls(tuple(map(ClassReading.at, thresholds)), None, tuple(limits), None, own)

    @property
    def lowest(self) -> float:
        """The confidence from which detections are to be gathered."""
        read = self.classes if self.some is None else (*self.classes, self.some)
        return min(*(one.no_below for one in read), *self.thresholds, *(one.counts_from for one in read))

    def rows(
        self, labels: Collection[int], scores: np.ndarray, of: np.ndarray
    ) -> list[tuple[ClassReading, np.ndarray]]:
        """What tells of `labels`: readings, each with the detections (N,) bool, of `scores` (N,) and labels `of` (N,),
        that it reads.
        """
        own = len(self.classes) if self.own is None else self.own
        if self.some is not None and set(labels) == set(range(own)):
            return [(self.some, np.full(len(scores), True))]
        return [(self.classes[k], of == k) for k in sorted(labels)]

    def shows(self, labels: Collection[int], scores: np.ndarray, of: np.ndarray) -> bool | None:
        """Whether a picture with these detections shows one of `labels`; None: cannot tell."""
        told = [one.shows(float(scores[its].max(initial=0))) for one, its in self.rows(labels, scores, of)]
        return True if True in told else None if None in told else False

    def chance(self, labels: Collection[int], scores: np.ndarray, of: np.ndarray) -> float | None:
        """How likely it shows one of `labels`; None: not fitted."""
        absent = 1.0
        for one, its in self.rows(labels, scores, of):
            if one.odds is None:
                return None
            absent *= 1 - float(one.odds(scores[its].max(initial=0)))
        return 1 - absent

    def counted(self, labels: Collection[int], scores: np.ndarray, of: np.ndarray) -> np.ndarray:
        """(N,) bool: the detections that count for `labels`."""
        counts = np.zeros(len(scores), bool)
        for one, its in self.rows(labels, scores, of):
            counts[its] = one.counted(scores[its])
        return counts

    def named(self, labels: Collection[int], scores: np.ndarray, of: np.ndarray) -> np.ndarray:
        """(N,) bool: the detections that a list of classes names: those that count, but none of a class that is not
        there. One class asked for alone is there as soon as its rate of a false yes allows; all classes together would
        have as many times more of these, so that none is named for that. The best one where some defect is there and
        none counts.
        """
        counts = np.zeros(len(scores), bool)
        for k in labels:
            its, one = of == k, self.classes[k]
            counts[its] = (scores[its] >= one.counts_from) & (one.shows(scores[its].max(initial=0)) is not False)
        return counts if counts.any() or not self.shows(labels, scores, of) else scores >= scores.max()
