"""Thresholds, one per class, that find much with at most so many false alarms."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from utils.deciding.froc import Froc, budget, class_frocs, froc, rows_of_classes
from utils.deciding.thresholds import LOWEST, settled
from utils.scoring.matching import Matching
from utils.words.class_names import name_key


class ClassScores:
    """The scores of the detections that count, of each class and of all."""

    def __init__(self, matching: Matching, lowest: float = LOWEST) -> None:
        scores, self.lowest = matching.pairs.scores, lowest
        self.all, self.each = scores[matching.counts], [scores[own] for own in rows_of_classes(matching)]

    def settled(self, thresholds: Sequence[float], shared: float) -> tuple[float, ...]:
        """Each threshold in the middle of its gap between the scores of its class; a class without detections, of
        which nothing is known, gets the `shared` one.
        """
        common = settled(self.all, shared, self.lowest)
        return tuple(
            settled(scores, threshold, self.lowest) if len(scores) else common
            for scores, threshold in zip(self.each, thresholds, strict=True)
        )


class Candidates:
    """The thresholds that some pictures offer, sorted once: of each class, and those that all classes would share."""

    def __init__(self, matching: Matching, names: Sequence[str], lowest: float = LOWEST) -> None:
        self.pictures, self.ranks = matching.pairs.pictures, alphabetical(names)
        self.curves, self.shared = class_frocs(matching), froc(matching)
        self.scores = ClassScores(matching, lowest)

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
        return self.scores.settled(thresholds, float(shared.thresholds[best]))


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


def alphabetical(names: Sequence[str]) -> list[int]:
    """The place of each class in the alphabet, so that ties do not hang on the order of the classes."""
    order = sorted(range(len(names)), key=lambda k: name_key(names[k]))
    return np.argsort(order).tolist()
