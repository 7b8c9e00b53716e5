"""AutoAnchor: anchors fitted to the sizes of a data set's boxes. Arrays in, arrays out; sizes are (N, 2) width,
height in pixels of the network input.

An anchor can answer for a box when neither side differs by a factor of `max_ratio` or more (see
models.losses.anchor_criterion). The best possible recall is the share of boxes that some anchor can answer for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ENOUGH = 0.98  # best possible recall above which the given anchors stay
SAMPLE = 5_000  # boxes that the fit looks at; recall is measured on all of them
RESTARTS, ROUNDS, GENERATIONS = 10, 100, 1000
LEAST_SIDE = 1.0  # px


@dataclass(frozen=True, eq=False)
class AnchorFit:
    """The result of a fit: anchors per level as a model YAML writes them, best possible recall before and after.
    `rows` None: the given anchors stay.
    """

    rows: list[list[float]] | None
    boxes: int
    before: float
    after: float

    def words(self, max_ratio: float) -> str:
        """One line for the log."""
        known = f"anchors: {self.before:.1%} of {self.boxes:,} boxes are within a factor of {max_ratio:g} of one"
        if self.rows is not None:
            return f"{known}; fitted new ones, now {self.after:.1%} (--noautoanchor keeps the model YAML's)"
        return known + ("" if self.before > ENOUGH else f"; kept, a new fit gives {self.after:.1%}")


def worst_ratios(sizes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """(N, 2) and (A, 2) -> (N, A): the factor, from 1, by which the side that fits worse differs."""
    width, height = (sizes[:, None, side] / anchors[:, side] for side in (0, 1))
    return np.maximum(np.maximum(width, 1 / width), np.maximum(height, 1 / height))


def best_possible_recall(sizes: np.ndarray, anchors: np.ndarray, max_ratio: float) -> float:
    """Share of the (N, 2) sizes that one of the (A, 2) anchors can answer for; 1 without boxes."""
    if not len(sizes):
        return 1.0
    return float((worst_ratios(sizes, anchors).min(1) < max_ratio).mean())


def kmeans(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(N, D) -> (count, D) centres: Lloyd's iteration from k-means++ seeds, the best of several starts."""
    best, best_cost = points[:0], np.inf
    for _ in range(RESTARTS):
        centres = _seeds(points, count, rng)
        nearest = np.full(len(points), -1)  # no cluster: the first round never looks converged
        for _ in range(ROUNDS):
            distances = _squared_distances(points, centres)
            before, nearest = nearest, distances.argmin(1)
            if (before == nearest).all():
                break
            filled = np.unique(nearest)  # an empty cluster keeps its centre
            centres[filled] = [points[nearest == k].mean(0) for k in filled]
        cost = _squared_distances(points, centres).min(1).sum()
        if cost < best_cost:
            best, best_cost = centres, cost
    return best


def _seeds(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """k-means++: each next seed is a point drawn by its squared distance from those before."""
    chosen = [int(rng.integers(len(points)))]
    while len(chosen) < count:
        distances = _squared_distances(points, points[chosen]).min(1)
        total = distances.sum()  # 0 with fewer different points than centres: then any point will do
        chosen.append(int(rng.choice(len(points), p=distances / total if total > 0 else None)))
    return points[chosen].copy()


def _squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.square(points[:, None] - centres).sum(-1)


def evolve(sizes: np.ndarray, anchors: np.ndarray, max_ratio: float, rng: np.random.Generator) -> np.ndarray:
    """(A, 2) anchors after random changes, of which only those that raise `fitness` are kept."""
    best, best_score = anchors, fitness(sizes, anchors, max_ratio)
    for _ in range(GENERATIONS):
        # about half of the sides change, by a factor, because `fitness` judges by ratio
        step = rng.normal(0, rng.uniform(0.01, 0.3), anchors.shape) * (rng.random(anchors.shape) < 0.5)
        child = np.maximum(best * np.exp(step), LEAST_SIDE)
        score = fitness(sizes, child, max_ratio)
        if score > best_score:
            best, best_score = child, score
    return best


def fitness(sizes: np.ndarray, anchors: np.ndarray, max_ratio: float) -> float:
    """Best possible recall plus the mean closeness of the best anchor: 1 for an equal size, 0 beyond its reach."""
    ratio = worst_ratios(sizes, anchors).min(1)
    return float(np.where(ratio < max_ratio, 1 + 1 / ratio, 0).mean())


def fit_anchors(sizes: np.ndarray, count: int, max_ratio: float, rng: np.random.Generator) -> np.ndarray:
    """(count, 2) anchors for the (N, 2) sizes, sorted by area, to 0.01 px: k-means, then evolution.

    The clusters are found in the logarithm of the sides, because the assigner judges by ratio.
    """
    if len(sizes) > SAMPLE:
        sizes = sizes[rng.choice(len(sizes), SAMPLE, replace=False)]
    centres = np.exp(kmeans(np.log(sizes), count, rng))
    anchors = evolve(sizes, np.maximum(centres, LEAST_SIDE), max_ratio, rng).round(2)
    return anchors[np.argsort(anchors.prod(1), kind="stable")]


def split_over_levels(anchors: np.ndarray, strides: Sequence[int]) -> list[list[float]]:
    """(A, 2) sorted by area -> per level w1, h1, w2, h2, ...: the smallest go to the level of the smallest stride."""
    parts = np.split(anchors, len(strides))
    # argsort of argsort is each level's rank by stride: a network may list its levels in any order
    order = np.argsort(np.argsort(strides, kind="stable"), kind="stable")
    return [parts[rank].ravel().tolist() for rank in order]


def refit(sizes: np.ndarray, anchors: np.ndarray, strides: Sequence[int], max_ratio: float, seed: int) -> AnchorFit:
    """New anchors where the given (levels, per cell, 2) cover too few of the (N, 2) sizes, if the new ones cover
    more.
    """
    given = anchors.reshape(-1, 2).astype(np.float64)
    before = best_possible_recall(sizes, given, max_ratio)
    if before > ENOUGH:
        return AnchorFit(None, len(sizes), before, before)
    fitted = fit_anchors(sizes.astype(np.float64), len(given), max_ratio, np.random.default_rng(seed))
    after = best_possible_recall(sizes, fitted, max_ratio)
    return AnchorFit(split_over_levels(fitted, strides) if after > before else None, len(sizes), before, after)
