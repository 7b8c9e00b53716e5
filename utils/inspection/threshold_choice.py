"""Thresholds, one per class, chosen for a rate of false alarms or for the least cost; and what they promise."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from utils.inspection.cross_fit import CrossFit, without_each
from utils.inspection.decisions import Cost, PictureScores, decision_curve, one_threshold_curve, picture_scores
from utils.inspection.froc import Froc, budget, class_frocs, froc
from utils.inspection.thresholds import LOWEST, settled
from utils.scoring.matching import Matching
from utils.words.class_names import name_key

ROUNDS = 5  # in which the allowance is lowered until it is kept


def keeping_false_alarms(
    matching: Matching, names: Sequence[str], per_picture: float, part: np.ndarray, lowest: float = LOWEST
) -> tuple[tuple[float, ...], CrossFit]:
    """Thresholds (K,) that are to be expected to give at most `per_picture` false alarms on other pictures, and their
    cross-fit over the parts `part` (P,).

    What is just allowed on the pictures that choose is more on others, so less is allowed there, until the pictures
    that had no say have at most so many (or none is allowed any more).
    """
    whole, *others = (Candidates(some, names, lowest) for some in (matching, *without_each(matching, part)))
    allowed, false = per_picture, matching.false
    for _ in range(ROUNDS):
        thresholds = whole.for_false_alarms(allowed)
        fit = CrossFit(part, np.array([other.for_false_alarms(allowed) for other in others]))
        got = float((fit.above(matching) & false).sum() / matching.pairs.pictures)
        if got <= per_picture or not budget(allowed, matching.pairs.pictures):
            break
        allowed *= per_picture / got
    return thresholds, fit


class Candidates:
    """The thresholds that some pictures offer, sorted once: of each class, and those that all classes would share."""

    def __init__(self, matching: Matching, names: Sequence[str], lowest: float = LOWEST) -> None:
        self.pictures, self.ranks, self.lowest = matching.pairs.pictures, _ranks(names), lowest
        self.curves, self.shared = class_frocs(matching), froc(matching)

    def for_false_alarms(self, per_picture: float) -> tuple[float, ...]:
        """Thresholds (K,) that find much with at most `per_picture` false alarms, all classes together, on average.

        The allowance is spent where it finds most per false alarm (greedily along each class's FROC); never worse than
        the best threshold that all classes share.
        """
        curves, shared = self.curves, self.shared
        chosen = _spend(curves, budget(per_picture, self.pictures), self.ranks)
        thresholds = [float(curve.thresholds[i]) for curve, i in zip(curves, chosen, strict=True)]
        best = shared.index_at(per_picture)
        if shared.hits[best] > sum(int(curve.hits[i]) for curve, i in zip(curves, chosen, strict=True)):
            thresholds = [float(shared.thresholds[best])] * len(curves)
        return self.settled(thresholds, float(shared.thresholds[best]))

    def settled(self, thresholds: Sequence[float], shared: float) -> tuple[float, ...]:
        """Each threshold in the middle of its gap between the scores of its class; a class without detections, of
        which nothing is known, gets the `shared` one.
        """
        own = zip(self.curves, thresholds, strict=True)
        common = settled(self.shared.thresholds[1:], shared, self.lowest)
        return tuple(
            settled(curve.thresholds[1:], threshold, self.lowest) if len(curve.thresholds) > 1 else common
            for curve, threshold in own
        )


def for_false_alarms(
    matching: Matching, names: Sequence[str], per_picture: float, lowest: float = LOWEST
) -> tuple[float, ...]:
    """See Candidates."""
    return Candidates(matching, names, lowest).for_false_alarms(per_picture)


def _spend(curves: Sequence[Froc], left: int, ranks: Sequence[int]) -> list[int]:
    """The index that each class's curve reaches when `left` false alarms are spent, best gain first."""
    reached = [0] * len(curves)
    queue: list[tuple[float, int, float, int, int, int]] = []

    def offer(k: int) -> None:
        step = _best_step(curves[k], reached[k], left)
        if step is not None:
            gain, price, index = step
            heapq.heappush(queue, (-gain, price, -float(curves[k].thresholds[index]), ranks[k], k, index))

    for k in range(len(curves)):
        offer(k)
    while queue:
        _, price, _, _, k, index = heapq.heappop(queue)
        if price <= left:  # what was best among more is still the best, if it fits
            reached[k], left = index, left - price
        offer(k)
    return reached


def _best_step(curve: Froc, start: int, left: int) -> tuple[float, int, int] | None:
    """The step from `start` of most hits per false alarm that `left` allows: gain, false alarms, index."""
    end = int(np.searchsorted(curve.false_alarms, curve.false_alarms[start] + left, "right"))
    hits = curve.hits[start:end] - curve.hits[start]
    prices = curve.false_alarms[start:end] - curve.false_alarms[start]
    if not hits.any():
        return None
    free = int(np.argmax(np.where(prices == 0, hits, 0)))
    if hits[free]:
        return float("inf"), 0, start + free
    best = int(np.argmax(hits / np.maximum(prices, 1)))
    return float(hits[best] / prices[best]), int(prices[best]), start + best


def for_least_cost(matching: Matching, names: Sequence[str], cost: Cost, lowest: float = LOWEST) -> tuple[float, ...]:
    """Thresholds (K,) of little cost: from the best shared one, each class in turn moves to its cheapest threshold
    until none gains; never worse than the shared one.
    """
    scores = picture_scores(matching)
    curve = one_threshold_curve(scores)
    thresholds = np.full(matching.pairs.classes, curve.thresholds[curve.cheapest(cost)])
    gained = True
    while gained:
        gained = False
        for k in np.argsort(_ranks(names)):
            better = _move(scores, thresholds, int(k), cost)
            if better is not None:
                thresholds[k], gained = better, True
    shared = float(curve.thresholds[curve.cheapest(cost)])
    return Candidates(matching, names, lowest).settled(thresholds.tolist(), shared)


def _move(scores: PictureScores, thresholds: np.ndarray, k: int, cost: Cost) -> float | None:
    """A cheaper threshold for class k while the others stay, or None."""
    others = np.arange(len(thresholds)) != k
    open_bad = scores.bad & ~(scores.hits >= thresholds)[:, others].any(1)
    quiet_good = scores.good & ~(scores.alarms >= thresholds)[:, others].any(1)
    hits, alarms = scores.hits[open_bad, k], scores.alarms[quiet_good, k]
    curve = decision_curve(hits, alarms)
    now = cost.escape * (hits < thresholds[k]).sum() + cost.overkill * (alarms >= thresholds[k]).sum()
    best = curve.cheapest(cost)
    gain = now - curve.costs(cost)[best]
    return float(curve.thresholds[best]) if gain > 1e-9 * now else None  # a gain of rounding could go in circles


def _ranks(names: Sequence[str]) -> list[int]:
    """The place of each class in the alphabet, so that ties do not hang on the order of the classes."""
    order = sorted(range(len(names)), key=lambda k: name_key(names[k]))
    return np.argsort(order).tolist()
