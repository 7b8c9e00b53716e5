"""How scores are to be read, as pictures with known truth say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from utils.answers.odds import Odds, fit_odds
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.inspection.inspection_config import InspectionConfig
from utils.inspection.thresholds import LOWEST, settled
from utils.scoring.matching import Matching


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
    pooled = _pooled_odds(of)
    classes = tuple(
        _choose_class(one, threshold, pooled, rates, lowest) for one, threshold in zip(of, thresholds, strict=True)
    )
    every = class_scores(matching, None)
    some = None
    if every.there.any() and not every.there.all():
        some = _choose_class(every, min(thresholds), None, rates, lowest)
    counts = matching.counts
    box = fit_odds(pairs.scores[counts], matching.hit[counts])
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
    of: ClassScores, threshold: float, pooled: Odds | None, rates: tuple[float, float], lowest: float
) -> ClassReading:
    yes, no = of.best[of.there], of.best[~of.there]
    if not len(yes) or not len(no):
        return ClassReading.at(min(threshold, 1.0))
    no_below, yes_from = presence_limits(yes, no, rates, lowest)
    return ClassReading(no_below, yes_from, best_count_threshold(of, lowest), fit_odds(of.best, of.there) or pooled)


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


def best_count_threshold(of: ClassScores, lowest: float = LOWEST) -> float:
    """The threshold at which most pictures have the right number of detections, pictures that show the class and those
    that do not weighing alike. A picture with n of them is right above its next score and up to its n-th.
    """
    start = np.searchsorted(of.picture, np.arange(len(of.best)))
    found = np.searchsorted(of.picture, np.arange(len(of.best)), "right") - start
    padded = np.append(of.scores, 0.0)
    nth = np.where(of.count == 0, 1.0, padded[np.minimum(start + of.count - 1, len(of.scores))])
    nth = np.where(found < of.count, -1.0, nth)  # never right
    following = np.where(found > of.count, padded[np.minimum(start + of.count, len(of.scores))], 0.0)
    weight = np.where(of.there, 1 / max(of.there.sum(), 1), 1 / max((~of.there).sum(), 1))
    able = nth > following
    ends = np.unique(np.concatenate((nth[able], following[able], [1.0])))
    # a picture is right at thresholds in (following, nth]: at the ends after `following`, up to `nth`
    gain = np.zeros(len(ends) + 1)
    np.add.at(gain, np.searchsorted(ends, following[able], "right"), weight[able])
    np.add.at(gain, np.searchsorted(ends, nth[able]) + 1, -weight[able])
    return settled(ends, float(ends[int(np.argmax(gain.cumsum()[:-1].round(12)))]), lowest)
