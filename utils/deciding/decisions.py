"""Good or bad, picture by picture: escape, overkill, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.intervals import Rate, rate
from utils.deciding.thresholds import sweep
from utils.scoring.matching import Matching
from utils.words.errors import ConfigError, printable

DEAREST = 1_000_000_000  # of a wrong decision


@dataclass(frozen=True, eq=False)
class PictureScores:
    """The best score of each class in each picture, (P, K) float64, -inf where there is none.

    `alarms` over detections right or wrong, `hits` over those that find a truth box; what lies in regions to ignore is
    in neither. `good` and `bad` (P,) bool as in utils.scoring.box_pairs.Pairs.
    """

    alarms: np.ndarray
    hits: np.ndarray
    good: np.ndarray
    bad: np.ndarray


@dataclass(frozen=True)
class Decisions:
    """`escape`: bad pictures in which no defect is found, of all bad ones. `overkill`: good pictures with any
    detection, of all good ones. `silent`: the escapes with no detection at all, right or wrong, of all bad pictures.
    None where there is no such picture: not measurable.
    """

    escape: Rate | None
    overkill: Rate | None
    silent: Rate | None

    def lines(self) -> list[str]:
        """For a person: rates with their intervals, or why there is none."""
        return [
            f"escape {self.escape or 'not measurable: no bad pictures'}",
            f"overkill {self.overkill or 'not measurable: no good pictures'}",
        ]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {name: value and value.plain() for name, value in vars(self).items()}


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Counts of escapes and overkills (S,) int64 among so many good and bad `pictures` at falling `thresholds`
    (S,), the first of which passes everything.
    """

    thresholds: np.ndarray
    escapes: np.ndarray
    overkills: np.ndarray
    pictures: int

    def costs(self, cost: Cost) -> np.ndarray:
        """(S,) what the wrong decisions cost in total."""
        return cost.escape * self.escapes + cost.overkill * self.overkills

    def costs_per_picture(self, cost: Cost) -> np.ndarray:
        """(S,) the same per good or bad picture."""
        return self.costs(cost) / self.pictures

    def cheapest(self, cost: Cost) -> int:
        """Index of the least cost; among equals the fewest escapes, then the highest threshold."""
        return int(np.lexsort((-self.thresholds, self.escapes, self.costs(cost)))[0])

    def rejecting(self, most: int) -> int:
        """Index of the fewest escapes with at most so many overkills; among equals the highest threshold."""
        return int(np.argmin(np.where(self.overkills <= most, self.escapes, self.pictures + 1)))

    def passing(self, most: int) -> int:
        """Index of the fewest overkills with at most so many escapes, or as few as there are at any threshold; among
        equals the fewest escapes: what may pass need not.
        """
        enough = self.escapes <= max(most, self.escapes[-1])
        return int(np.flatnonzero(self.overkills <= self.overkills[enough].min())[-1])


@dataclass(frozen=True)
class Cost:
    """What one bad picture passed and one good picture rejected cost, in any unit."""

    escape: float
    overkill: float


def parse_cost(text: str, option: str = "--cost") -> Cost:
    """`escape=50,overkill=1` -> Cost. Raises ConfigError."""
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if name not in ("escape", "overkill") or name in values or not 0 <= value <= DEAREST:
            costs = f"with costs from 0 to {DEAREST:,}"
            raise ConfigError(f"{option} {printable(text[:60])}: must read like escape=50,overkill=1, {costs}")
        values[name] = value
    if len(values) < 2 or not any(values.values()):
        raise ConfigError(f"{option} {printable(text[:60])}: must give both, escape and overkill, not both 0")
    return Cost(**values)


def picture_scores(matching: Matching) -> PictureScores:
    """Condense detections to the best scores per picture and class."""
    pairs = matching.pairs
    alarms, hits = (np.full((pairs.pictures, pairs.classes), -np.inf) for _ in range(2))
    for best, kept in ((alarms, matching.counts), (hits, matching.hit)):
        np.maximum.at(best, (pairs.detections.picture[kept], pairs.detections.labels[kept]), pairs.scores[kept])
    return PictureScores(alarms, hits, pairs.good, pairs.bad)


def decide(scores: PictureScores, thresholds: float | np.ndarray) -> Decisions:
    """Escape and overkill at one threshold, or at one for each class (K,)."""
    found, fired = (scores.hits >= thresholds).any(1), (scores.alarms >= thresholds).any(1)
    bad, good = int(scores.bad.sum()), int(scores.good.sum())
    return Decisions(
        escape=rate((scores.bad & ~found).sum(), bad),
        overkill=rate((scores.good & fired).sum(), good),
        silent=rate((scores.bad & ~fired).sum(), bad),
    )


def decision_curve(hits: np.ndarray, alarms: np.ndarray) -> DecisionCurve:
    """The curve from the best hit of each bad picture and the best alarm of each good one, -inf for none."""
    every = np.concatenate((hits, alarms))
    bad = np.arange(len(every)) < len(hits)
    some = np.isfinite(every)
    thresholds, found, overkills = sweep(every[some], bad[some], ~bad[some])
    return DecisionCurve(thresholds, len(hits) - found, overkills, len(every))


def one_threshold_curve(scores: PictureScores) -> DecisionCurve:
    """Escapes and overkills when all classes share one threshold."""
    return decision_curve(scores.hits.max(1)[scores.bad], scores.alarms.max(1)[scores.good])
