"""What thresholds aim at, and what they promise: a rate that holds on other pictures, or the least cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from utils.deciding.cross_fit import PARTS, CrossFit, cross_fit, without_each
from utils.deciding.decisions import Decisions, picture_scores
from utils.deciding.froc import budget
from utils.deciding.operating import expected_point, outcome_of
from utils.deciding.picture_thresholds import ForEscape, ForOverkill, ForRate, for_least_cost
from utils.deciding.threshold_choice import Candidates
from utils.deciding.thresholds import LOWEST
from utils.inspection.inspection_config import InspectionConfig
from utils.scoring.matching import Matching

ROUNDS = 5  # in which the allowance of false alarms is lowered until it is kept
USUAL, MOST = 0.05, 0.2  # rates of overkill that it is said of what they would give
CAUTION = (0.0, 0.25, 0.5, 0.75, 1.0)  # in the choice for a rate of overkill or escapes, until that is kept


@dataclass(frozen=True)
class OtherAim:
    """What thresholds for at most the `share` of overkill are expected to decide."""

    share: float
    decisions: Decisions

    def __str__(self) -> str:
        return f"with --max-overkill {self.share:g} instead: {', '.join(self.decisions.lines())}"

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"share": self.share, **self.decisions.plain()}


def chosen(
    matching: Matching, names: Sequence[str], part: np.ndarray, config: InspectionConfig
) -> tuple[tuple[float, ...], CrossFit]:
    """Thresholds (K,) as `config` aims, and their cross-fit over the parts `part` (P,)."""
    if config.cost is not None:
        choose = partial(for_least_cost, names=names, cost=config.cost, lowest=config.lowest)
        return choose(matching), cross_fit(matching, part, choose)
    if config.overkill is not None:
        return keeping_rate(ForOverkill, matching, names, config.overkill, part, config.lowest)
    if config.escape is not None:
        return keeping_rate(ForEscape, matching, names, config.escape, part, config.lowest)
    return keeping_false_alarms(matching, names, config.false_per_picture, part, config.lowest)


def keeping_false_alarms(
    matching: Matching, names: Sequence[str], per_picture: float, part: np.ndarray, lowest: float = LOWEST
) -> tuple[tuple[float, ...], CrossFit]:
    """Thresholds (K,) that are to be expected to give at most `per_picture` false alarms on other pictures, and their
    cross-fit over the parts `part` (P,).

    What is just allowed on the pictures that choose is more on others, so less is allowed there, until the pictures
    that had no say have at most so many (or none is allowed any more).
    """
    whole, *others = (Candidates(some, names, lowest) for some in (matching, *without_each(matching, part)))
    allowed, false = per_picture, matching.false
    for _ in range(ROUNDS):
        thresholds = whole.for_false_alarms(allowed)
        fit = CrossFit(part, np.array([other.for_false_alarms(allowed) for other in others]))
        got = float((fit.above(matching) & false).sum() / matching.pairs.pictures)
        if got <= per_picture or not budget(allowed, matching.pairs.pictures):
            break
        allowed *= per_picture / got
    return thresholds, fit


def keeping_rate(
    kind: type[ForRate],
    matching: Matching,
    names: Sequence[str],
    share: float,
    part: np.ndarray,
    lowest: float = LOWEST,
) -> tuple[tuple[float, ...], CrossFit]:
    """Thresholds (K,) that are to be expected to decide at most this `share` of other pictures wrongly, in the way of
    `kind`, and their cross-fit over the parts `part` (P,): with as little caution as keeps it on the pictures that had
    no say. With few pictures that may be more than the share.
    """
    scores = picture_scores(matching)
    whole, *others = (kind(some, names, share, lowest) for some in (matching, *without_each(matching, part)))
    for caution in CAUTION:
        fit = CrossFit(part, np.array([other.thresholds(caution) for other in others]))
        wrong = getattr(outcome_of(matching, scores, fit), kind.mistake)
        if wrong.sum() <= budget(share, len(wrong)):
            break
    return whole.thresholds(caution), fit


def by_overkill(
    matching: Matching, names: Sequence[str], part: np.ndarray, config: InspectionConfig, now: Decisions
) -> OtherAim | None:
    """What an aim at overkill would give instead of the decisions `now`; None unless false alarms were aimed at, it is
    expected to keep what it aims at, and fewer escape by it.
    """
    good = int(matching.pairs.good.sum())
    share = max(USUAL, math.ceil(100 * least_rate(good)) / 100)
    if config.given is not None or config.weighing_flag or now.escape is None or share > MOST:
        return None
    thresholds, fit = keeping_rate(ForOverkill, matching, names, share, part, config.lowest)
    other = expected_point(matching, thresholds, fit).decisions
    kept = other.overkill is not None and other.overkill.value <= share
    return OtherAim(share, other) if kept and other.escape and other.escape.events < now.escape.events else None


def least_rate(pictures: int) -> float:
    """The least rate that so many good (or bad) pictures can show, of which four fifths choose and the others judge."""
    return 1 / (pictures - math.ceil(pictures / PARTS) + 1)


def pictures_for(share: float) -> int:
    """How many good (or bad) pictures can show this `share`, above 0."""
    choosing = math.ceil(1 / share - 1e-9) - 1
    return math.ceil(choosing * PARTS / (PARTS - 1))
