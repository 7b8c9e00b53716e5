"""Operating points: what thresholds do on these pictures, or are to be expected to do on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.cross_fit import CrossFit
from utils.deciding.decisions import Decisions, PictureScores, picture_scores
from utils.deciding.froc import FrocPoint
from utils.deciding.intervals import Rate, per_picture, rate
from utils.deciding.variance import recalls, spread, sway
from utils.scoring.matching import Matching


@dataclass(frozen=True)
class OperatingPoint:
    """Thresholds (K,) and what they do: pictures decided, all classes pooled, and each class."""

    thresholds: tuple[float, ...]
    decisions: Decisions
    pooled: FrocPoint
    classes: tuple[FrocPoint, ...]

    def lines(self) -> list[str]:
        """For a person, and for the comment of thresholds.yaml."""
        found = f"recall {self.pooled.recall or 'not measurable: no boxes to find'}"
        return [f"{found}; false alarms per picture {self.pooled.false}", *self.decisions.lines()]

    def counts(self) -> str:
        """What happened, without a word about other pictures."""
        rates = {"recall": self.pooled.recall, "escape": self.decisions.escape, "overkill": self.decisions.overkill}
        counted = [f"{name} {one.events:,} of {one.total:,}" for name, one in rates.items() if one]
        return ", ".join([*counted, f"false alarms {self.pooled.false_alarms:,}"])

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        classes = [point.plain() for point in self.classes]
        return {"decisions": self.decisions.plain(), "pooled": self.pooled.plain(), "classes": classes}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What thresholds do, all bool: `found` (T,) of the truth boxes, `false` (M,) of the detections; `escaped` and
    `silent` of the bad pictures, `rejected` of the good ones.
    """

    found: np.ndarray
    false: np.ndarray
    escaped: np.ndarray
    silent: np.ndarray
    rejected: np.ndarray


def operating_point(matching: Matching, thresholds: Sequence[float]) -> OperatingPoint:
    """What `thresholds` (K,) do. The intervals are right for other pictures if these had no say in the choice."""
    return expected_point(matching, thresholds, CrossFit.fixed(matching.pairs.pictures, thresholds))


def expected_point(matching: Matching, thresholds: Sequence[float], fit: CrossFit) -> OperatingPoint:
    """What `thresholds` (K,), chosen on these pictures, are to be expected to do on others: each picture is judged by
    thresholds that were chosen without it. That other pictures lead to other thresholds widens the intervals.
    """
    scores = picture_scores(matching)
    outcome, others = outcome_of(matching, scores, fit), [outcome_of(matching, scores, one) for one in fit.each()]
    escape, overkill, silent = (
        share_of(getattr(outcome, kind), [getattr(one, kind) for one in others])
        for kind in ("escaped", "rejected", "silent")
    )
    pairs, limits = matching.pairs, tuple(map(float, thresholds))
    together = (np.zeros_like(pairs.truth.labels), np.zeros_like(pairs.detections.labels))
    pooled = _found(matching, outcome, others, together, (None,))
    classes = _found(matching, outcome, others, (pairs.truth.labels, pairs.detections.labels), limits)
    return OperatingPoint(limits, Decisions(escape, overkill, silent), pooled[0], classes)


def outcome_of(matching: Matching, scores: PictureScores, fit: CrossFit) -> Outcome:
    """Where each picture has the thresholds of its part."""
    pairs, own = matching.pairs, fit.limits[fit.part] if len(fit.limits) > 1 else fit.limits
    hit, fired = np.any(scores.hits >= own, axis=1), np.any(scores.alarms >= own, axis=1)
    false = fit.above(matching) & matching.false
    return Outcome(fit.found(matching), false, ~hit[pairs.bad], ~fired[pairs.bad], fired[pairs.good])


def share_of(flags: np.ndarray, others: Sequence[np.ndarray]) -> Rate | None:
    """The share of the pictures of which a flag is true."""
    total = len(flags)
    if not total:
        return None
    return rate(int(flags.sum()), total, sway=float(sway([one.sum() for one in others]).sum()))


def _found(
    matching: Matching,
    outcome: Outcome,
    others: Sequence[Outcome],
    group: tuple[np.ndarray, np.ndarray],
    thresholds: Sequence[float | None],
) -> tuple[FrocPoint, ...]:
    """What is found and what is false in each group; `group` (T,), (M,): of the truth boxes and of the detections."""
    pairs, count = matching.pairs, len(thresholds)
    found = recalls(pairs.truth.picture, group[0], outcome.found, [one.found for one in others], count)
    kept = outcome.false
    false, *elsewhere = (np.bincount(group[1][one.false], minlength=count) for one in (outcome, *others))
    alarms = spread(pairs.detections.picture[kept], group[1][kept], np.ones(kept.sum()), count)
    alarms = alarms - false**2 / pairs.pictures + sway(elsewhere)
    return tuple(
        FrocPoint(threshold, found[k], per_picture(false[k], pairs.pictures, alarms[k]))
        for k, threshold in enumerate(thresholds)
    )
