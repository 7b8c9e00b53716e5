"""Operating points: what thresholds do on these pictures, or are to be expected to do on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.inspection.cross_fit import CrossFit
from utils.inspection.decisions import Decisions, PictureScores, picture_scores
from utils.inspection.froc import FrocPoint
from utils.inspection.intervals import Rate, per_picture, rate
from utils.scoring.matching import Matching

SWAY = 0.75  # how much of the variance between the parts' choices counts: by the simulation in tests/utils/inspection


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
class _Outcome:
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
    everywhere = np.zeros(matching.pairs.pictures, np.int64)
    fit = CrossFit(everywhere, np.asarray(thresholds, float)[None])
    return _point(matching, thresholds, _outcome(matching, picture_scores(matching), fit), [])


def expected_point(matching: Matching, thresholds: Sequence[float], fit: CrossFit) -> OperatingPoint:
    """What `thresholds` (K,), chosen on these pictures, are to be expected to do on others: each picture is judged by
    thresholds that were chosen without it. That other pictures lead to other thresholds widens the intervals.
    """
    scores, everywhere = picture_scores(matching), np.zeros(matching.pairs.pictures, np.int64)
    others = [_outcome(matching, scores, CrossFit(everywhere, limits[None])) for limits in fit.limits]
    return _point(matching, thresholds, _outcome(matching, scores, fit), others)


def _outcome(matching: Matching, scores: PictureScores, fit: CrossFit) -> _Outcome:
    """Where each picture has the thresholds of its part."""
    pairs, limits, part = matching.pairs, fit.limits, fit.part
    found = matching.found_at() >= limits[part[pairs.truth.picture], pairs.truth.labels]
    own = limits[part] if len(limits) > 1 else limits
    hit, fired = np.any(scores.hits >= own, axis=1), np.any(scores.alarms >= own, axis=1)
    return _Outcome(found, fit.above(matching) & matching.false, ~hit[pairs.bad], ~fired[pairs.bad], fired[pairs.good])


def _point(
    matching: Matching, thresholds: Sequence[float], outcome: _Outcome, others: Sequence[_Outcome]
) -> OperatingPoint:
    """The figures; `others` are the outcomes, on all pictures, of the thresholds chosen without each part."""
    escape, overkill, silent = (
        _share(getattr(outcome, kind), [getattr(one, kind) for one in others])
        for kind in ("escaped", "rejected", "silent")
    )
    pairs, limits = matching.pairs, tuple(map(float, thresholds))
    together = (np.zeros_like(pairs.truth.labels), np.zeros_like(pairs.detections.labels))
    pooled = _found(matching, outcome, others, together, (None,))
    classes = _found(matching, outcome, others, (pairs.truth.labels, pairs.detections.labels), limits)
    return OperatingPoint(limits, Decisions(escape, overkill, silent), pooled[0], classes)


def _share(flags: np.ndarray, others: Sequence[np.ndarray]) -> Rate | None:
    """The share of the pictures of which a flag is true."""
    total = len(flags)
    if not total:
        return None
    events = int(flags.sum())
    return rate(events, total, events * (total - events) / total + _sway([one.sum() for one in others]))


def _found(
    matching: Matching,
    outcome: _Outcome,
    others: Sequence[_Outcome],
    group: tuple[np.ndarray, np.ndarray],
    thresholds: Sequence[float | None],
) -> tuple[FrocPoint, ...]:
    """What is found and what is false in each group; `group` (T,), (M,): of the truth boxes and of the detections.

    The boxes of a picture hang together: variances are those of sums over pictures.
    """
    pairs, count = matching.pairs, len(thresholds)

    def counted(one: _Outcome) -> tuple[np.ndarray, np.ndarray]:
        flags = zip(group, (one.found, one.false), strict=True)
        found, false = (np.bincount(of[chosen], minlength=count) for of, chosen in flags)
        return found, false

    total = np.bincount(group[0], minlength=count)
    (found, false), elsewhere = counted(outcome), [counted(one) for one in others]
    recall = found / np.maximum(total, 1)
    kept = outcome.false
    spread = _spread(pairs.truth.picture, group[0], outcome.found - recall[group[0]], count)
    alarms = _spread(pairs.detections.picture[kept], group[1][kept], np.ones(kept.sum()), count)
    spread = spread + _sway([one[0] for one in elsewhere])
    alarms = alarms - false**2 / pairs.pictures + _sway([one[1] for one in elsewhere])
    return tuple(
        FrocPoint(threshold, rate(found[k], total[k], spread[k]), per_picture(false[k], pairs.pictures, alarms[k]))
        for k, threshold in enumerate(thresholds)
    )


def _spread(picture: np.ndarray, group: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count,) the sum over pictures of the squared sum of `values` of a group in a picture."""
    place, inverse = np.unique(picture * count + group, return_inverse=True)
    return np.bincount(place % count, weights=np.bincount(inverse, weights=values) ** 2, minlength=count)


def _sway(others: Sequence[Any]) -> Any:
    """The variance of a count that comes from the choice of thresholds: a jackknife over the parts (Shao & Wu 1989)."""
    if not others:
        return 0.0
    counts = np.stack(others).astype(float)
    return SWAY * (len(counts) - 1) * counts.var(0)
