"""How scores are to be read, as pictures with known truth say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from utils.answers.odds import Odds, fit_odds
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.deciding.thresholds import LOWEST, settled
from utils.inspection.inspection_config import InspectionConfig
from utils.scoring.matching import Matching

OTHERS = 30  # pictures of a class that those of all classes together stand for when its count threshold is chosen


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Of one class, or of all as one: the `best` score of each of P pictures (0: nothing was found), whether it is
    `there`, how many there are (`count`); pictures with regions to ignore left out. `scores` and `picture` (M,) of the
    detections, ordered by picture, best first.
    """

    best: np.ndarray
    count: np.ndarray
    scores: np.ndarray
    picture: np.ndarray

    @property
    def there(self) -> np.ndarray:
        """(P,) bool."""
        return self.count > 0


def choose_reading(matching: Matching, thresholds: Sequence[float], config: InspectionConfig) -> ScoreReading:
    """What the pictures of `matching` say, for the rates of a false yes and of a false no that `config` wants.
    `thresholds` (K,) are those of the verdict; a class that is in no picture, or in every one, is read by its own,
    uncalibrated.
    """
    rates, lowest = config.false_answers, config.lowest
    pairs = matching.pairs
    of = [class_scores(matching, k) for k in range(pairs.classes)]
    pooled, counts = _pooled_odds(of), CountCurve.pooled([CountCurve.of(one) for one in of], OTHERS)
    classes = tuple(
        _choose_class(one, threshold, pooled, counts, rates, lowest)
        for one, threshold in zip(of, thresholds, strict=True)
    )
    every = class_scores(matching, None)
    some = None
    if every.there.any() and not every.there.all():
        some = _choose_class(every, min(thresholds), None, None, rates, lowest)
    decided = matching.counts
    box = fit_odds(pairs.scores[decided], matching.hit[decided])
    return ScoreReading(classes, some, tuple(thresholds), box)


def class_scores(matching: Matching, label: int | None) -> ClassScores:
    """Of the class `label`; None: of all as one."""
    pairs = matching.pairs
    boxes, truth, regions = pairs.detections, pairs.truth, pairs.regions
    of = [np.full(len(one), True) if label is None else one.labels == label for one in (boxes, truth)]
    hidden = np.full(len(regions), True) if label is None else np.isin(regions.labels, (label, -1))
    clear = np.bincount(regions.picture[hidden], minlength=pairs.pictures) == 0
    number = clear.cumsum() - 1
    found, real = of[0] & clear[boxes.picture], of[1] & clear[truth.picture]
    picture, scores = number[boxes.picture[found]], pairs.scores[found]
    order = np.lexsort((-scores, picture))
    best = np.zeros(int(clear.sum()))
    np.maximum.at(best, picture, scores)
    count = np.bincount(number[truth.picture[real]], minlength=len(best))
    return ClassScores(best, count, scores[order], picture[order])


def _pooled_odds(classes: Sequence[ClassScores]) -> Odds | None:
    """Of all classes together, for those with too few pictures of their own."""
    best = np.concatenate([one.best for one in classes])
    return fit_odds(best, np.concatenate([one.there for one in classes]))


def _choose_class(
    of: ClassScores,
    threshold: float,
    pooled: Odds | None,
    counts: CountCurve | None,
    rates: tuple[float, float],
    lowest: float,
) -> ClassReading:
    yes, no = of.best[of.there], of.best[~of.there]
    if not len(yes) or not len(no):
        return ClassReading.at(min(threshold, 1.0))
    no_below, yes_from = presence_limits(yes, no, rates, lowest)
    counts_from = best_count_threshold(of, lowest, counts)
    return ClassReading(no_below, yes_from, counts_from, fit_odds(of.best, of.there) or pooled)


def presence_limits(
    yes: np.ndarray, no: np.ndarray, rates: tuple[float, float], lowest: float = LOWEST
) -> tuple[float, float]:
    """Best scores of pictures that show the class and of those that do not -> `no_below`, `yes_from`: at most that
    share of `no` reaches `yes_from`, at most that share of `yes` stays below `no_below`. Where both could be one, they
    are the one that errs least.
    """
    few = [min(int(rate * len(some)), len(some) - 1) for rate, some in zip(rates, (no, yes), strict=True)]
    most = float(np.sort(no)[::-1][few[0]])  # as many may score above it
    least = float(np.sort(yes)[few[1]])  # as many may stay below it
    every = np.concatenate((yes, no))
    if least <= most:
        return settled(every, least, lowest), settled(every, np.nextafter(most, 2), lowest)
    between = np.unique(every[(every > most) & (every <= least)])
    wrong = [np.mean(no >= t) + np.mean(yes < t) for t in between]
    one = settled(every, float(between[int(np.argmin(wrong))]), lowest)
    return one, one


@dataclass(frozen=True, eq=False)
class CountCurve:
    """How many of N pictures have the right number of detections at a threshold t: those with `following` < t <= `nth`
    (N,), a picture with n of them between its score after the n-th and its n-th, each with its `weight` (N,).
    """

    following: np.ndarray
    nth: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, one: ClassScores) -> CountCurve:
        """All pictures together weigh as many as show the class."""
        pictures = np.arange(len(one.best))
        start, end = np.searchsorted(one.picture, pictures), np.searchsorted(one.picture, pictures, "right")
        found, padded = end - start, np.append(one.scores, 0.0)
        at = np.minimum(start + one.count, len(one.scores))
        nth = np.where(one.count == 0, 1.0, padded[at - 1])
        following = np.where(found > one.count, padded[at], 0.0)
        able = (found >= one.count) & (nth > following)
        share = max(one.there.sum(), 1) / max(len(pictures), 1)
        return cls(following[able], nth[able], np.full(int(able.sum()), share))

    @classmethod
    def pooled(cls, curves: Sequence[CountCurve], total: float) -> CountCurve:
        """All of them as one that weighs `total`, as if every picture showed a class once."""
        following, nth, weight = (
            np.concatenate([getattr(one, key) for one in curves]) for key in ("following", "nth", "weight")
        )
        return cls(following, nth, weight * (total / max(weight.sum(), 1e-12)))

    def __call__(self, thresholds: np.ndarray) -> np.ndarray:
        """(T,) the weight of the pictures that are right at each of `thresholds` (T,)."""
        return self._below(self.following, thresholds) - self._below(self.nth, thresholds)

    @cached_property
    def peak(self) -> np.ndarray:
        """(2,) the thresholds between which most are right: above the first, up to the second. (1.0,) without any."""
        ends = np.unique(np.concatenate((self.following, self.nth, [1.0])))
        best = int(np.argmax(self(ends).round(9)))
        return ends[max(best - 1, 0) : best + 1]

    def _below(self, ends: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
        order = np.argsort(ends)
        total = np.append(0.0, self.weight[order].cumsum())
        return total[np.searchsorted(ends[order], thresholds)]


def best_count_threshold(of: ClassScores, lowest: float = LOWEST, others: CountCurve | None = None) -> float:
    """The threshold at which most pictures have the right number of detections. What `others` of all classes say counts
    beside them, so that a few pictures of a rare class do not choose by themselves.
    """
    own = CountCurve.of(of)
    peak = np.zeros(0) if others is None else others.peak
    ends = np.unique(np.concatenate((own.nth, own.following, peak, [1.0])))
    right = own(ends) if others is None else own(ends) + others(ends)
    return settled(ends, float(ends[int(np.argmax(right.round(9)))]), lowest)
