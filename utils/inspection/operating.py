"""Operating points: one threshold per class, chosen for a rate of false alarms or for the least cost."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.inspection.decisions import (
    Cost,
    Decisions,
    PictureScores,
    decide,
    decision_curve,
    one_threshold_curve,
    picture_scores,
)
from utils.inspection.froc import Froc, FrocPoint, budget, froc
from utils.inspection.intervals import rate
from utils.inspection.thresholds import LOWEST, settled
from utils.scoring.matching import Matching
from utils.words.class_names import name_key
from utils.words.errors import DataError


@dataclass(frozen=True)
class OperatingPoint:
    """Thresholds (K,) and what they do: pictures decided, all classes pooled, and each class."""

    thresholds: tuple[float, ...]
    decisions: Decisions
    pooled: FrocPoint
    classes: tuple[FrocPoint, ...]

    def lines(self) -> list[str]:
        """For a person, and for the comment of thresholds.yaml."""
        pooled = self.pooled
        found = f"recall {pooled.recall or 'not measurable: no boxes to find'}"
        return [f"{found} at {pooled.false_per_picture:.3g} false alarms per picture", *self.decisions.lines()]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        classes = [point.plain() for point in self.classes]
        return {"decisions": self.decisions.plain(), "pooled": self.pooled.plain(), "classes": classes}


def operating_point(matching: Matching, thresholds: Sequence[float]) -> OperatingPoint:
    """What `thresholds` (K,) do."""
    pairs, limits = matching.pairs, np.asarray(thresholds, float)
    labels = pairs.detections.labels
    above = pairs.scores >= limits[labels]
    hits = np.bincount(labels[above & matching.hit], minlength=pairs.classes)
    alarms = np.bincount(labels[above & matching.false], minlength=pairs.classes)
    truth = np.bincount(pairs.truth.labels, minlength=pairs.classes)
    classes = tuple(
        FrocPoint(float(limits[k]), rate(hits[k], truth[k]), int(alarms[k]), pairs.pictures)
        for k in range(pairs.classes)
    )
    pooled = FrocPoint(None, rate(hits.sum(), truth.sum()), int(alarms.sum()), pairs.pictures)
    return OperatingPoint(tuple(limits.tolist()), decide(picture_scores(matching), limits), pooled, classes)


def for_false_alarms(
    matching: Matching, names: Sequence[str], per_picture: float, lowest: float = LOWEST
) -> tuple[float, ...]:
    """Thresholds (K,) that find much with at most `per_picture` false alarms, all classes together, on average.

    The allowance is spent where it finds most per false alarm (greedily along each class's FROC); never worse than the
    best threshold that all classes share.
    """
    curves = [froc(matching, label) for label in range(matching.pairs.classes)]
    allowed = budget(per_picture, matching.pairs.pictures)
    chosen = _spend(curves, allowed, _ranks(names))
    thresholds = [float(curve.thresholds[i]) for curve, i in zip(curves, chosen, strict=True)]
    shared = froc(matching)
    best = shared.index_at(per_picture)
    if shared.hits[best] > sum(int(curve.hits[i]) for curve, i in zip(curves, chosen, strict=True)):
        thresholds = [float(shared.thresholds[best])] * len(curves)
    return _settled(matching, thresholds, lowest)


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
    until none gains; never worse than the shared one. Raises DataError without good or without bad pictures.
    """
    scores = picture_scores(matching)
    for kind, some in (("good", scores.good), ("bad", scores.bad)):
        if not some.any():
            raise DataError(f"--cost: there are no {kind} pictures to weigh; use --fa-per-image instead")
    curve = one_threshold_curve(scores)
    thresholds = np.full(matching.pairs.classes, curve.thresholds[curve.cheapest(cost)])
    gained = True
    while gained:
        gained = False
        for k in np.argsort(_ranks(names)):
            better = _move(scores, thresholds, int(k), cost)
            if better is not None:
                thresholds[k], gained = better, True
    return _settled(matching, thresholds.tolist(), lowest)


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


def _settled(matching: Matching, thresholds: Sequence[float], lowest: float) -> tuple[float, ...]:
    """Each threshold in the middle of its gap between the scores of its class."""
    pairs, counts = matching.pairs, matching.counts
    labels, scores = pairs.detections.labels[counts], pairs.scores[counts]
    return tuple(settled(scores[labels == k], threshold, lowest) for k, threshold in enumerate(thresholds))
