"""Defects that no class's name fits: found beside the classes, and what that changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from utils.deciding.cross_fit import CrossFit
from utils.deciding.decisions import Decisions, picture_scores
from utils.deciding.intervals import PerPicture, Rate, per_picture
from utils.deciding.operating import outcome_of, share_of
from utils.deciding.variance import recalls, sway
from utils.inspection.aims import chosen
from utils.inspection.inspection_config import InspectionConfig
from utils.scoring.box_pairs import overlapping
from utils.scoring.matching import IGNORED, Matching
from utils.values.unknown_defect import SAME, UNKNOWN

KINDS = ("escaped", "rejected", "silent")  # pictures, in the order of Decisions


@dataclass(frozen=True)
class Unnamed:
    """At its `threshold`, what detections of no class find of the boxes that the classes miss (None: they miss none),
    how often they are `false`, and the decisions by both together; as is to be expected on other pictures.
    """

    threshold: float
    found: Rate | None
    false: PerPicture
    decisions: Decisions

    def lines(self) -> list[str]:
        """For a person."""
        found = f"{self.found or 'nothing'} of what the classes miss; further false alarms per picture {self.false}"
        return [f"with {UNKNOWN}s: {found}", *(f"  {line}" for line in self.decisions.lines())]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        false = {"false_alarms": self.false.events, "false_per_picture": self.false.value}
        found = self.found and self.found.plain()
        return {"threshold": self.threshold, "found": found, **false, "decisions": self.decisions.plain()}


def unnamed(named: Matching, fit: CrossFit, others: Matching, config: InspectionConfig) -> Unnamed:
    """What `others`, the detections of no class, add to those of the classes, which are judged by `fit`; both are of
    the same pictures, so that picture and truth box have the same numbers.

    Their threshold is given, or chosen as those of the classes were: for as many further false alarms, for as large a
    share of the good pictures that the classes pass, or for the least cost of what they leave open.
    """
    left, missed = _left(named, fit, others), ~fit.found(named)
    threshold, own = _chosen(named, fit, left, config)
    false, *elsewhere = (one.above(left) & left.false for one in (own, *own.each()))
    both, *swayed = (_both(named, one, others, theirs) for one, theirs in [(fit, own), *_apart(fit, own)])
    alarms = int(false.sum()) + float(sway([np.array(one.sum()) for one in elsewhere]).sum())
    return Unnamed(
        threshold,
        _found(left, missed, own),
        per_picture(false.sum(), named.pairs.pictures, alarms),
        Decisions(*(share_of(both[kind], [one[kind] for one in swayed]) for kind in KINDS)),
    )


def _found(left: Matching, missed: np.ndarray, own: CrossFit) -> Rate | None:
    """How many of the `missed` (T,) boxes are found; those of one picture hang together."""
    picture = left.pairs.truth.picture[missed]
    found, *others = (one.found(left)[missed] for one in (own, *own.each()))
    return recalls(picture, np.zeros_like(picture), found, others, 1)[0]


def _apart(fit: CrossFit, own: CrossFit) -> list[tuple[CrossFit, CrossFit]]:
    return list(zip(fit.each(), own.each(), strict=True))


def _left(named: Matching, fit: CrossFit, others: Matching) -> Matching:
    """`others` without what the classes show: it is neither right nor false."""
    counting = named.pairs.detections.where(fit.above(named))
    shown = overlapping(others.pairs.detections, counting, SAME)
    found = np.append(fit.found(named), (False, False))  # NOTHING and IGNORED find themselves there
    return replace(others, taken=np.where(shown | found[others.taken], IGNORED, others.taken))


def _both(named: Matching, fit: CrossFit, others: Matching, own: CrossFit) -> dict[str, np.ndarray]:
    """Which pictures escape, are rejected, are silent."""
    left = _left(named, fit, others)
    first, second = (outcome_of(one, picture_scores(one), by) for one, by in ((named, fit), (left, own)))
    return {
        "escaped": first.escaped & second.escaped,
        "rejected": first.rejected | second.rejected,
        "silent": first.silent & second.silent,
    }


def _chosen(named: Matching, fit: CrossFit, left: Matching, config: InspectionConfig) -> tuple[float, CrossFit]:
    """The threshold, and those that are chosen without each part of the pictures."""
    if config.given is not None:
        limit = config.given.values[-1:]
        return limit[0], CrossFit.fixed(left.pairs.pictures, limit)
    if config.weighing_flag:  # the pictures that the classes leave open
        decided = outcome_of(named, picture_scores(named), fit)
        if config.escape is not None:  # of all bad pictures; of those that are left so many more may escape
            share = config.escape * len(decided.escaped) / max(int(decided.escaped.sum()), 1)
            config = replace(config, escape=min(share, 1.0))
        good, bad = left.pairs.good.copy(), left.pairs.bad.copy()
        good[good], bad[bad] = ~decided.rejected, decided.escaped
        left = replace(left, pairs=replace(left.pairs, good=good, bad=bad))
    values, own = chosen(left, (UNKNOWN,), fit.part, config)
    return values[0], own
