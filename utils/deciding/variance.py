"""How much counts may vary: the boxes of a picture hang together, and other pictures lead to other thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.deciding.intervals import Rate, rate

SWAY = 0.75  # how much of the variance between the parts' choices counts: by the simulation in tests/utils/inspection
# of an event, as in Jeffreys' prior: where few boxes are missed, that they were single ones says little of the next. By
# the simulation in tests/utils/deciding/test_variance.py 88 % of the intervals hold there without it, with it 97 %
UNSEEN = 0.5
FEWEST = 1.5  # pictures that any variance can be told from; of fewer Student's t is beyond all bounds


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


def linked(picture: np.ndarray, group: np.ndarray, flags: np.ndarray, count: int) -> np.ndarray:
    """(count,) how many times the variance of independent flags that of the number of true ones in each group may have
    (the design effect, Kish 1965), >= 1; `picture`, `group` and `flags` (T,) bool: of each flag.

    What is seen of it is an estimate from few pictures, which Student's t allows for (Korn & Graubard 1998). It is at
    most that of pictures whose flags are all true or all false, as no share of 0..1 varies more than one that is 0 or
    1 (Bhatia & Davis 2000). That bound is taken where nothing is seen: of one picture, and where all flags are alike.
    With one flag a picture it is 1.
    """
    total = np.maximum(np.bincount(group, minlength=count), 1)
    share = np.bincount(group[flags], minlength=count) / total
    independent = total * share * (1 - share)
    seen = spread(picture, group, flags - share[group], count)
    most = np.maximum(spread(picture, group, np.ones(len(group)), count) / total, 1)  # pictures all true or all false
    likely = (seen + UNSEEN * most) / (independent + UNSEEN)
    pictures = np.maximum(total / most, FEWEST)  # so many with equally many flags would bound it so
    degrees, total = pictures - 1, np.maximum(total, FEWEST)
    likely = np.maximum(likely * (pictures / degrees) * ((total - 1) / total), 1)
    likely = np.minimum(likely * (_student(degrees) / _student(total - 1)) ** 2, most)
    # pictures with many flags that are unlike the others may vary by more than that bound: what is seen counts
    already = np.divide(seen, independent, out=np.ones(count), where=independent > 0)
    return np.maximum(np.maximum(likely, already), 1)


def _student(degrees: np.ndarray) -> np.ndarray:
    """Within how many standard errors of each estimate 95 % lie."""
    from scipy.special import stdtrit  # here: its import takes half a second

    return np.asarray(stdtrit(degrees, 0.975))


def recalls(
    picture: np.ndarray, group: np.ndarray, found: np.ndarray, others: Sequence[np.ndarray], count: int
) -> tuple[Rate | None, ...]:
    """How many of the truth boxes of each group are found. `picture`, `group` and `found` (T,) bool are theirs;
    `others` (T,) bool each: what the thresholds find that were chosen without each part.
    """
    total = np.bincount(group, minlength=count)
    hits, *elsewhere = (np.bincount(group[one], minlength=count) for one in (found, *others))
    links, swayed = linked(picture, group, found, count), np.broadcast_to(sway(elsewhere), count)
    return tuple(rate(hits[k], total[k], links[k], swayed[k]) for k in range(count))
