"""Is one model better than another, or is it the choice of pictures? A paired bootstrap over pictures.

Pictures are drawn with replacement, and both models are scored on the same draw. A picture drawn three times weighs
three times; that gives the figure of a data set that holds it three times, without evaluating such a set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.decisions import PictureScores, picture_scores
from utils.scoring.box_pairs import Pairs
from utils.scoring.matching import Matching, MatchRule, match
from utils.words.text import counted

RECALLS = np.linspace(0, 1, 101)  # where COCO reads its precision
MAX_DETECTIONS = 100  # that COCO looks at in one picture and class
BLOCK = 4_000_000  # values of one intermediate array
WEIGHTS = 100_000_000  # of pictures in draws, at a time: 400 MB
# pictures that carry a figure: draws of one or two are too often the same ones again. Of two equally good models, which
# let four of ten bad pictures escape, 46 % are told apart by one bad picture, 10 % by two, 4 % by three
FEWEST = 3


@dataclass(frozen=True)
class Difference:
    """`second` - `first` of one figure on all pictures, with its 95 % interval over the draws; None where the figure is
    not defined. `draws` is the number of draws on which it was, `pictures` that of the pictures that carry it: without
    FEWEST of them there is no interval.
    """

    name: str
    first: float | None
    second: float | None
    low: float | None
    high: float | None
    draws: int
    pictures: int

    @property
    def difference(self) -> float | None:
        """`second` - `first`."""
        return None if self.first is None or self.second is None else self.second - self.first

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    def __str__(self) -> str:
        if self.difference is None:
            return f"{self.name}: not measurable"
        interval = "" if self.low is None else f", 95 %: {self.low:+.4f} to {self.high:+.4f}"
        verdict = "" if self.distinguishable else "; not distinguishable"
        if self.pictures < FEWEST:
            verdict += f": {counted(self.pictures, 'picture')} to tell by, too few for an interval"
        return f"{self.name}: {self.first:.4f} -> {self.second:.4f} ({self.difference:+.4f}{interval}){verdict}"

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**vars(self), "difference": self.difference, "distinguishable": self.distinguishable}


def picture_weights(pictures: int, draws: Sequence[int], seed: int) -> np.ndarray:
    """(P, R) float32: how often each picture is in each of the draws; draw r hangs on (seed, r) alone."""
    weights = np.empty((pictures, len(draws)), np.float32)
    for column, r in enumerate(draws):
        chosen = np.random.default_rng((seed, r)).integers(0, pictures, pictures)
        weights[:, column] = np.bincount(chosen, minlength=pictures)
    return weights


def weights_in_parts(pictures: int, draws: int, seed: int = 0) -> Iterator[np.ndarray]:
    """`picture_weights` of draws 0 to `draws` - 1, some at a time: those of a million pictures would be 4 GB."""
    return (picture_weights(pictures, range(draws)[part], seed) for part in _columns(draws, pictures, WEIGHTS))


def weighted_ap(matching: Matching, weights: np.ndarray) -> np.ndarray:
    """(K, R) average precision of each class in each draw, as COCO interpolates it; NaN where there is nothing to find.

    `weights` (P, R) as in `picture_weights`. Equal scores stand in the order of the pictures, as in COCO.
    """
    pairs = matching.pairs
    result = np.full((pairs.classes, weights.shape[1]), np.nan)
    counts = np.flatnonzero(matching.counts & (_places(pairs) < MAX_DETECTIONS))
    order = counts[np.lexsort((-pairs.scores[counts], pairs.detections.labels[counts]))]
    ends = np.searchsorted(pairs.detections.labels[order], np.arange(pairs.classes + 1))
    pictures, hit = pairs.detections.picture[order], matching.hit[order]
    truth_order = np.argsort(pairs.truth.labels, kind="stable")
    truth_ends = np.searchsorted(pairs.truth.labels[truth_order], np.arange(pairs.classes + 1))
    for k in range(pairs.classes):
        rows = slice(ends[k], ends[k + 1])
        truth_pictures = pairs.truth.picture[truth_order[truth_ends[k] : truth_ends[k + 1]]]
        if not len(truth_pictures):
            continue
        for part in _columns(weights.shape[1], len(truth_pictures)):
            result[k, part] = _class_ap(pictures[rows], hit[rows], truth_pictures, weights[:, part])
    return result


def _places(pairs: Pairs) -> np.ndarray:
    """(M,) the place of each detection among those of its picture and class: 0 for the best."""
    labels, picture = pairs.detections.labels, pairs.detections.picture
    order = np.lexsort((labels, picture))
    new = np.diff(picture[order], prepend=-1).astype(bool) | np.diff(labels[order], prepend=-1).astype(bool)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order)) - np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    return places


def _columns(draws: int, rows: int, most: int = BLOCK) -> Iterator[slice]:
    """The draws in parts small enough for arrays of `rows` x draws with at most so many values."""
    step = max(1, most // rows)
    return (slice(start, start + step) for start in range(0, draws, step))


def _class_ap(pictures: np.ndarray, hit: np.ndarray, truth_pictures: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) AP of one class: `pictures` (M,) and `hit` (M,) of its detections, best first.

    Interpolated precision peaks at hits only, so false alarms are summed from hit to hit, and those after the last do
    not matter.
    """
    truth = weights[truth_pictures].sum(0, dtype=float)
    at = np.flatnonzero(hit)
    if not len(at):
        return np.where(truth > 0, 0.0, np.nan)
    stretches = np.split(pictures[: at[-1] + 1], at[:-1] + 1)  # each: the false alarms since the last hit, and the hit
    both = np.stack([_total(stretch, weights) for stretch in stretches]).cumsum(0, dtype=float)
    hits = weights[pictures[at]].cumsum(0, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(both > 0, hits / both, 0.0)
        recall = np.where(truth > 0, hits / truth, np.nan)
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    reached = np.searchsorted(RECALLS, recall, "right")
    ap = (envelope * np.diff(reached, axis=0, prepend=0)).sum(0) / len(RECALLS)
    return np.where(truth > 0, ap, np.nan)


def _total(pictures: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) the weight of a list of pictures; `reduceat` over rows is ten times slower."""
    if len(pictures) > len(weights):
        return np.bincount(pictures, minlength=len(weights)).astype(np.float32) @ weights
    return weights[pictures].sum(0)


def compare(
    first: Pairs,
    second: Pairs,
    thresholds: tuple[float | np.ndarray, float | np.ndarray],
    rule: MatchRule | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[Difference, ...]:
    """AP50 of two sets of detections on the same pictures, and recall, false alarms per picture, escape and overkill of
    each at its own threshold(s) (one, or one per class (K,)) under `rule`.
    """
    assert first.pictures == second.pictures and len(first.truth) == len(second.truth), "not the same data"
    matched = [(match(pairs, MatchRule()), match(pairs, rule or MatchRule())) for pairs in (first, second)]

    def figures(weights: np.ndarray) -> list[dict[str, np.ndarray]]:
        both = zip(matched, thresholds, strict=True)
        return [{"AP50": mean_ap(at50, weights), **_shares(ruled, limits, weights)} for (at50, ruled), limits in both]

    all_a, all_b = figures(np.ones((first.pictures, 1), np.float32))
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in all_a}
    for weights in weights_in_parts(first.pictures, draws, seed):
        one, other = figures(weights)
        for name, values in drawn.items():
            values.append(other[name] - one[name])
    carriers = _carriers(first)
    return tuple(
        _difference(name, (all_a[name], all_b[name]), np.concatenate(drawn[name]), carriers[name]) for name in all_a
    )


def mean_ap(matching: Matching, weights: np.ndarray) -> np.ndarray:
    """(R,) mean over the classes that are in the draw; NaN for a draw without truth."""
    ap = weighted_ap(matching, weights)
    defined = (~np.isnan(ap)).sum(0)
    return np.where(defined > 0, np.nansum(ap, 0) / np.maximum(defined, 1), np.nan)


def _shares(matching: Matching, thresholds: float | np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """(R,) each: figures that are a weighted count over another."""
    pairs, scores = matching.pairs, picture_scores(matching)
    limits = np.broadcast_to(thresholds, pairs.classes)
    above = pairs.scores >= limits[pairs.detections.labels]

    def per_picture(kept: np.ndarray) -> np.ndarray:
        return np.bincount(pairs.detections.picture[kept], minlength=pairs.pictures)

    truth = np.bincount(pairs.truth.picture, minlength=pairs.pictures)
    parts = {
        "recall": (per_picture(above & matching.hit), truth),
        "false alarms per picture": (per_picture(above & matching.false), np.ones(pairs.pictures)),
        "escape": (_escaped(scores, limits), scores.bad),
        "overkill": (scores.good & (scores.alarms >= limits).any(1), scores.good),
    }
    return {
        name: _ratio(part.astype(float) @ weights, of.astype(float) @ weights) for name, (part, of) in parts.items()
    }


def _escaped(scores: PictureScores, limits: np.ndarray) -> np.ndarray:
    return scores.bad & ~(scores.hits >= limits).any(1)


def _ratio(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.divide(part, of, out=np.full(len(of), np.nan), where=of > 0)


def _carriers(pairs: Pairs) -> dict[str, int]:
    """How many pictures carry each figure: those that have what it is a share of. AP50, which false alarms elsewhere
    change too, is carried by those with something to find.
    """
    truth = len(np.unique(pairs.truth.picture))
    return {
        "AP50": truth,
        "recall": truth,
        "false alarms per picture": pairs.pictures,
        "escape": int(pairs.bad.sum()),
        "overkill": int(pairs.good.sum()),
    }


def _difference(name: str, whole: tuple[np.ndarray, np.ndarray], drawn: np.ndarray, pictures: int) -> Difference:
    first, second = (None if np.isnan(value[0]) else float(value[0]) for value in whole)
    defined, low, high = drawn[~np.isnan(drawn)], None, None
    if len(defined) and pictures >= FEWEST:
        low, high = (float(v) for v in np.quantile(defined, (0.025, 0.975)))
    return Difference(name, first, second, low, high, len(defined), pictures)
