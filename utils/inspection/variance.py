"""How much counts may vary: the boxes of a picture hang together, and other pictures lead to other thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.inspection.intervals import Rate, rate

SWAY = 0.75  # how much of the variance between the parts' choices counts: by the simulation in tests/utils/inspection


def spread(picture: np.ndarray, group: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count,) the sum over pictures of the squared sum of `values` of a group in a picture."""
    place, inverse = np.unique(picture * count + group, return_inverse=True)
    return np.bincount(place % count, weights=np.bincount(inverse, weights=values) ** 2, minlength=count)


def sway(others: Sequence[np.ndarray]) -> np.ndarray:
    """The variance of counts that comes from the choice of thresholds: a jackknife over the parts (Shao & Wu 1989).

    `others`: the counts at the thresholds chosen without each part; none for thresholds that were not chosen here.
    """
    counts = np.stack(others).astype(float) if others else np.zeros((1, 1))
    return np.asarray(SWAY * (len(counts) - 1) * counts.var(0))


def recalls(
    picture: np.ndarray, group: np.ndarray, found: np.ndarray, others: Sequence[np.ndarray], count: int
) -> tuple[Rate | None, ...]:
    """How many of the truth boxes of each group are found. `picture`, `group` and `found` (T,) are theirs; `others`
    (T,) each: what the thresholds find that were chosen without each part.
    """
    total = np.bincount(group, minlength=count)
    hits, *elsewhere = (np.bincount(group[one], minlength=count) for one in (found, *others))
    share = hits / np.maximum(total, 1)
    variance = spread(picture, group, found - share[group], count) + sway(elsewhere)
    return tuple(rate(hits[k], total[k], variance[k]) for k in range(count))
