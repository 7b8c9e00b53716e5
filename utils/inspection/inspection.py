"""What an inspection line asks of a detector: does it let bad parts pass, does it throw good ones away, and where does
it fail? One call that gathers the figures of the files around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.inspection.aims import chosen, keeping_overkill
from utils.inspection.calibration import Calibration, calibration
from utils.inspection.cross_fit import CrossFit, parts_of
from utils.inspection.decisions import DecisionCurve, Decisions, PictureScores, one_threshold_curve, picture_scores
from utils.inspection.error_types import error_types
from utils.inspection.froc import REPORTED, Froc, froc
from utils.inspection.inspection_config import InspectionConfig, check_weighable
from utils.inspection.operating import OperatingPoint, expected_point, operating_point
from utils.inspection.sizes import SizeBin, size_bins
from utils.inspection.suspects import LabelSuspects, Suspect, label_suspects, worst_false_alarms, worst_misses
from utils.inspection.unnamed import Unnamed, unnamed
from utils.scoring.evaluation import Evaluation
from utils.scoring.matching import Matching
from utils.words.text import counted

MOST_NAMES = 10  # in a line
OVERKILL = 0.05  # the share of good pictures at which it is said what thresholds for that would do


@dataclass(frozen=True, eq=False)
class Inspection:
    """The figures: pictures by kind (`unlabelled`: good for want of a label file); the operating point at the chosen
    thresholds, which `sizes`, `errors`, `misses` and `false_alarms` are at too, and what is `expected` of them on other
    pictures; the best scores of each picture, and the curves of one threshold for all classes (`curve` is None unless
    there are good and bad pictures); calibration and error counts of all classes and of each. Of the classes `unseen`
    nothing was detected: their threshold is the one that all classes would share. `unnamed`: what detections of no
    class add, where such were looked for. `by_overkill`: what thresholds for at most OVERKILL are expected to decide,
    where those of false alarms were chosen and more would escape by them.
    """

    config: InspectionConfig
    names: tuple[str, ...]
    pictures: int
    good: int
    bad: int
    unlabelled: int
    point: OperatingPoint
    expected: OperatingPoint
    froc: Froc
    scores: PictureScores
    curve: DecisionCurve | None
    sizes: tuple[SizeBin, ...]
    calibration: Calibration
    class_calibration: tuple[Calibration, ...]
    errors: dict[str, int]
    class_errors: tuple[dict[str, int], ...]
    labels: LabelSuspects
    misses: tuple[Suspect, ...]
    false_alarms: tuple[Suspect, ...]
    unseen: tuple[str, ...]
    unnamed: Unnamed | None
    by_overkill: Decisions | None

    def lines(self) -> list[str]:
        """The figures for the console, every one with its interval."""
        unlabelled = f" ({self.unlabelled:,} of them without a label file)" if self.unlabelled else ""
        other = self.pictures - self.good - self.bad
        shared = ", ".join(self.unseen[:MOST_NAMES]) + (", ..." if len(self.unseen) > MOST_NAMES else "")
        neither = f", {other:,} with regions to ignore only" if other else ""
        what = [
            "expected on other pictures:",
            *(f"  {line}" for line in self.expected.lines()),
            f"on these pictures, which chose them: {self.point.counts()}",
        ]
        if self.config.given is not None:
            what = ["on these pictures, taken for others than those that chose them:", *what[1:-1]]
        return [
            f"{counted(self.pictures, 'picture')}: {self.bad:,} bad, {self.good:,} good{unlabelled}{neither}",
            f"thresholds {self.config.aim}; hit: {self.config.rule}",
            *what,
            *self._about_overkill(),
            *([f"nothing detected of {shared}: the threshold that all classes would share"] if self.unseen else []),
            "recall by size: " + "; ".join(str(one) for one in self.sizes),
            *(self.unnamed.lines() if self.unnamed else []),
            "errors: " + ", ".join(f"{kind} {count:,}" for kind, count in self.errors.items()),
        ]

    def _about_overkill(self) -> list[str]:
        """What an aim at it would give, or what so few good pictures cannot promise."""
        if self.by_overkill is not None:
            return [f"with --max-overkill {OVERKILL:g} instead: {', '.join(self.by_overkill.lines())}"]
        wanted = self.config.overkill
        if wanted is None or wanted * (self.good + 1) >= 1:
            return []
        least = f"{counted(self.good, 'good picture')} can promise {100 / (self.good + 1):.2g} % overkill at best"
        return [f"{least}; {math.ceil(1 / wanted) - 1:,} can promise {100 * wanted:.3g} %" if wanted else least]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values, without the curves."""
        pictures = {"all": self.pictures, "good": self.good, "bad": self.bad, "unlabelled": self.unlabelled}
        return {
            "aim": self.config.aim,
            "chosen": self.config.given is None,
            "rule": str(self.config.rule),
            "names": list(self.names),
            "pictures": pictures,
            "operating_point": self.point.plain(),
            "expected": self.expected.plain(),
            "froc": [{"at": rate, **self.froc.at(rate).plain()} for rate in REPORTED],
            "sizes": [one.plain() for one in self.sizes],
            "calibration": self.calibration.plain(),
            "class_calibration": [one.plain() for one in self.class_calibration],
            "errors": self.errors,
            "class_errors": list(self.class_errors),
            "label_suspects": self.labels.plain(),
            "misses": [one.plain() for one in self.misses],
            "false_alarms": [one.plain() for one in self.false_alarms],
            **({"unnamed": self.unnamed.plain()} if self.unnamed else {}),
            **({"by_overkill": {"share": OVERKILL, **self.by_overkill.plain()}} if self.by_overkill else {}),
        }


def inspect(evaluation: Evaluation, config: InspectionConfig) -> Inspection:
    """Work out everything from what is matched. Raises DataError when a least cost is asked for without good or without
    bad pictures.
    """
    names, matching = evaluation.names, evaluation.matched_by(config.rule)
    pairs, scores = matching.pairs, picture_scores(matching)
    thresholds, fit = chosen_thresholds(evaluation, matching, config)
    limits, every = np.array(thresholds), range(len(names))
    seen = np.bincount(pairs.detections.labels[matching.counts], minlength=pairs.classes)
    errors, at50 = error_types(matching, limits), evaluation.matching
    others = evaluation.unnamed_by(config.rule)
    expected = expected_point(matching, thresholds, fit)
    return Inspection(
        config=config,
        names=names,
        pictures=pairs.pictures,
        good=int(pairs.good.sum()),
        bad=int(pairs.bad.sum()),
        unlabelled=int((pairs.good & ~pairs.labelled).sum()),
        point=operating_point(matching, thresholds),
        expected=expected,
        froc=froc(matching),
        scores=scores,
        curve=one_threshold_curve(scores) if pairs.good.any() and pairs.bad.any() else None,
        sizes=size_bins(matching, fit, config.bins, config.mm_per_px),
        calibration=calibration(at50),
        class_calibration=tuple(calibration(at50, label) for label in every),
        errors=errors.counts(),
        class_errors=tuple(errors.counts(label) for label in every),
        labels=label_suspects(matching, names, config.confident),
        misses=worst_misses(errors, names),
        false_alarms=worst_false_alarms(errors, names),
        unseen=tuple(name for name, count in zip(names, seen, strict=True) if not (count or config.given)),
        unnamed=None if others is None else unnamed(matching, fit, others, config),
        by_overkill=_by_overkill(matching, names, fit, expected.decisions, config),
    )


def _by_overkill(
    matching: Matching, names: tuple[str, ...], fit: CrossFit, now: Decisions, config: InspectionConfig
) -> Decisions | None:
    """See Inspection."""
    if config.given is not None or config.weighs or not (now.escape and now.overkill):
        return None
    thresholds, other = keeping_overkill(matching, names, OVERKILL, fit.part, config.lowest)
    found = expected_point(matching, thresholds, other).decisions
    return found if found.escape and found.escape.events < now.escape.events else None


def chosen_thresholds(
    evaluation: Evaluation, matching: Matching, config: InspectionConfig
) -> tuple[tuple[float, ...], CrossFit]:
    """The thresholds, and those that are chosen without each part of the pictures; given ones are the same for all.
    Raises DataError.
    """
    if config.given is not None:
        values = config.given.values[: len(evaluation.names)]  # then comes that of what is none of them
        return values, CrossFit.fixed(matching.pairs.pictures, values)
    check_weighable(config, bool(matching.pairs.good.any()), bool(matching.pairs.bad.any()))
    part = parts_of([record.path.name for record in evaluation.records])
    return chosen(matching, evaluation.names, part, config)
