"""How much better is one arm than another, for other pictures of the same kind and other seeds?

Each arm is trained with S seeds and judged on the same pictures, so a difference is a matter of chance in two crossed
ways. Its variance is estimated in two parts that are added:

* seeds: s^2 / S, with S - 1 degrees of freedom, s being the standard deviation of the S paired differences;
* pictures: the variance, over draws of the pictures, of the mean of those differences, with P - 1, P being those that
  have something to be found.

What hangs on seed and picture together is in both parts and counts twice, which makes intervals a little too wide, not
too narrow. The 95 % interval takes the standard error times the mean of the two parts' Student t, weighted by their
variances (Cochran and Cox): one t with Welch and Satterthwaite's degrees of freedom is too narrow for three seeds.
`tests/utils/studies/test_estimate.py` simulates studies whose truth is known, also with few pictures that tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from utils.studies.drawn_scores import DrawnScores

SURE = 0.95
ALIKE = 1e-12  # standard deviation of draws that do not differ but for rounding
SMALLEST = -300.0  # power of ten: p is not looked for below


@dataclass(frozen=True)
class Part:
    """One cause of chance: the variance that it gives a difference, and the degrees of freedom of that estimate."""

    variance: float
    freedom: float


@dataclass(frozen=True)
class Estimate:
    """One figure of two arms, `first` and `second` their means over the paired `seeds`, and `difference` = `second` -
    `first` with its 95 % interval and two-sided `p`, None where a single picture tells nothing about others.

    `seed_sd` is the standard deviation of the paired differences, None of one seed: then the interval is about other
    pictures alone. `picture_sd` is that of their mean over the draws of the pictures. `by_seeds` and `by_pictures` are
    what the two give the variance of the difference, None where nothing tells.
    """

    name: str
    seeds: int
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    seed_sd: float | None
    picture_sd: float
    by_seeds: Part | None
    by_pictures: Part | None

    @property
    def pictures_only(self) -> bool:
        """Whether it says nothing about another seed."""
        return self.seed_sd is None

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        parts = {
            name: part and vars(part) for name, part in (("by_seeds", self.by_seeds), ("by_pictures", self.by_pictures))
        }
        return {**vars(self), **parts}


def estimate(name: str, pairs: Sequence[tuple[DrawnScores, DrawnScores]]) -> Estimate | None:
    """Of the figure `name`, from the two arms' scores seed by seed; None where it is not defined, or without pairs."""
    whole = np.array([[one.whole[name], other.whole[name]] for one, other in pairs], float).reshape(-1, 2)
    if not len(whole) or np.isnan(whole).any():
        return None
    differences = whole[:, 1] - whole[:, 0]
    drawn = np.mean([other.drawn[name] - one.drawn[name] for one, other in pairs], axis=0)
    drawn = drawn[~np.isnan(drawn)]  # a draw without anything to find
    seeds, pictures = len(pairs), pairs[0][0].pictures
    seed_sd = float(differences.std(ddof=1)) if seeds > 1 else None
    picture_sd = float(drawn.std()) if len(drawn) else 0.0
    by_seeds = None if seed_sd is None else Part(seed_sd**2 / seeds, seeds - 1)
    by_pictures = _by_pictures(picture_sd, pictures)
    if picture_sd < ALIKE and differences.any():
        by_pictures = None  # all draws alike, as of one picture: they say nothing about others
    first, second = whole.mean(0).tolist()
    return _estimate(
        name, seeds, (first, second, float(differences.mean())), (seed_sd, picture_sd), (by_seeds, by_pictures)
    )


def _by_pictures(sd: float, pictures: int) -> Part | None:
    """Of the standard deviation over draws of so many pictures."""
    # drawing from P pictures finds (P - 1) / P of the variance that pictures of that kind have
    return Part(sd**2 * pictures / (pictures - 1), pictures - 1) if pictures > 1 else None


def pooled(estimates: Sequence[Estimate]) -> Estimate | None:
    """The mean over data sets, each counting alike: about these data sets, not about others. None of none.

    `seed_sd` is the root of the mean square, `seeds` the number of pairs in all. The parts of one kind are added, with
    Welch and Satterthwaite's degrees of freedom.
    """
    if not estimates:
        return None
    count = len(estimates)
    first, second, difference = (
        math.fsum(values) / count
        for values in zip(*((one.first, one.second, one.difference) for one in estimates), strict=True)
    )
    seed_sds = [one.seed_sd for one in estimates if one.seed_sd is not None]
    seed_sd = math.sqrt(math.fsum(sd**2 for sd in seed_sds) / count) if len(seed_sds) == count else None
    picture_sd = math.sqrt(math.fsum(one.picture_sd**2 for one in estimates)) / count
    # what is known of other seeds counts, also where another data set has one seed only
    by_seeds = [one.by_seeds or Part(0.0, math.inf) for one in estimates] if seed_sds else [None]
    parts = _mean_part(by_seeds), _mean_part([one.by_pictures for one in estimates])
    seeds = sum(one.seeds for one in estimates)
    return _estimate(estimates[0].name, seeds, (first, second, difference), (seed_sd, picture_sd), parts)


def _mean_part(parts: Sequence[Part | None]) -> Part | None:
    """The part of a mean of independent differences; None where one of them is not known."""
    known = [part for part in parts if part]
    if len(known) < len(parts):
        return None
    total = math.fsum(part.variance for part in known)
    if total == 0:
        return Part(0.0, min(part.freedom for part in known))
    # shares instead of variances: their squares stay in the range of a float
    freedom = 1 / math.fsum((part.variance / total) ** 2 / part.freedom for part in known)
    return Part(total / len(parts) ** 2, freedom)


def _estimate(
    name: str,
    seeds: int,
    means: tuple[float, float, float],
    sds: tuple[float | None, float],
    parts: tuple[Part | None, Part | None],
) -> Estimate:
    known = [part for part in parts if part]
    # without a part of the pictures nothing is said: the seeds alone would claim too much
    low, high, p = interval(means[2], known) if parts[1] else (None, None, None)
    return Estimate(name, seeds, *means, low, high, p, *sds, *parts)


def interval(difference: float, parts: Sequence[Part]) -> tuple[float, float, float]:
    """The 95 % interval of a difference whose variance is the sum of `parts`, and the two-sided p of none."""
    from scipy.special import stdtrit  # here: its import takes longer than most tables

    variances, freedoms = (np.array(values, float) for values in zip(*map(astuple, parts), strict=True))
    if not variances.any():
        return difference, difference, float(difference == 0)
    shares, error = variances / variances.sum(), math.sqrt(variances.sum())

    def quantile(p: float) -> float:
        """How many standard errors a difference exceeds in size with a chance of about `p`."""
        return -float(shares @ stdtrit(freedoms, p / 2))

    reach = error * quantile(1 - SURE)
    return difference - reach, difference + reach, _p(abs(difference) / error, quantile)


def _p(errors: float, quantile: Callable[[float], float]) -> float:
    """The p at which the quantile is so many standard errors, by halving the range of its logarithm."""
    low, high = SMALLEST, 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if quantile(10**middle) < errors else (middle, high)
    return float(10**high)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjustment: when those below 0.05 are called differences, the chance that one of them is none stays below
    0.05, whatever hangs on what.
    """
    adjusted, least = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = least
    return adjusted
