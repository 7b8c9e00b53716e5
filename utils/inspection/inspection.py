"""What an inspection line asks of a detector: does it let bad parts pass, does it throw good ones away, and where does
it fail? One call that gathers the figures of the files around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.cross_fit import CrossFit, parts_of
from utils.deciding.decisions import DecisionCurve, PictureScores, one_threshold_curve, picture_scores
from utils.deciding.froc import REPORTED, Froc, budget, froc
from utils.deciding.intervals import Rate
from utils.deciding.operating import OperatingPoint, expected_point, operating_point
from utils.inspection.aims import OtherAim, by_overkill, chosen, least_rate, pictures_for
from utils.inspection.calibration import Calibration, calibration
from utils.inspection.error_types import error_types
from utils.inspection.inspection_config import InspectionConfig, check_weighable
from utils.inspection.sizes import SizeBin, size_bins
from utils.inspection.suspects import LabelSuspects, Suspect, label_suspects, worst_false_alarms, worst_misses
from utils.inspection.unnamed import Unnamed, unnamed
from utils.scoring.evaluation import Evaluation
from utils.scoring.matching import Matching
from utils.words.text import counted

MOST_NAMES = 10  # in a line


@dataclass(frozen=True, eq=False)
class Inspection:
    """The figures: pictures by kind (`unlabelled`: good for want of a label file); the operating point at the chosen
    thresholds, which `sizes`, `errors`, `misses` and `false_alarms` are at too, and what is `expected` of them on other
    pictures; the best scores of each picture, and the curves of one threshold for all classes (`curve` is None unless
    there are good and bad pictures); calibration and error counts of all classes and of each. Of the classes `unseen`
    nothing was detected: their threshold is the one that all classes would share. `unnamed`: what detections of no
    class add, where such were looked for. `other_aim`: where thresholds for a rate of false alarms were chosen, what
    others are expected to decide by which fewer escape.
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
    other_aim: OtherAim | None

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
            *([str(self.other_aim)] if self.other_aim else []),
            *([self.missed_aim] if self.missed_aim else []),
            *([f"nothing detected of {shared}: the threshold that all classes would share"] if self.unseen else []),
            "recall by size: " + "; ".join(str(one) for one in self.sizes),
            *(self.unnamed.lines() if self.unnamed else []),
            "errors: " + ", ".join(f"{kind} {count:,}" for kind, count in self.errors.items()),
        ]

    @property
    def missed_aim(self) -> str:
        """Why more escapes or overkill than were asked for are to be expected; "" where they are not."""
        config, decisions = self.config, self.expected.decisions
        if config.overkill is not None and decisions.overkill is not None:
            return _missed(config.overkill, "overkill", decisions.overkill, "good")
        if config.escape is not None and decisions.escape is not None:
            never = int((self.scores.bad & ~np.isfinite(self.scores.hits).any(1)).sum())
            seen = f"in {never:,} of them no defect is found with a score from {config.lowest:g}"
            because = seen if never > budget(config.escape, self.bad) else ""
            return _missed(config.escape, "escapes", decisions.escape, "bad", because)
        return ""

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
            "froc": [{"at": rate, **self.froc.at(rate).counts()} for rate in REPORTED],
            "sizes": [one.plain() for one in self.sizes],
            "calibration": self.calibration.plain(),
            "class_calibration": [one.plain() for one in self.class_calibration],
            "errors": self.errors,
            "class_errors": list(self.class_errors),
            "label_suspects": self.labels.plain(),
            "misses": [one.plain() for one in self.misses],
            "false_alarms": [one.plain() for one in self.false_alarms],
            **({"unnamed": self.unnamed.plain()} if self.unnamed else {}),
            **({"by_overkill": self.other_aim.plain()} if self.other_aim else {}),
            **({"missed_aim": self.missed_aim} if self.missed_aim else {}),
        }


def inspect(evaluation: Evaluation, config: InspectionConfig) -> Inspection:
    """Work out everything from what is matched. Raises DataError where good and bad pictures are to be weighed and
    there are none of a kind.
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
        other_aim=by_overkill(matching, names, fit.part, config, expected.decisions),
    )


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


def _missed(wanted: float, mistakes: str, expected: Rate, kind: str, because: str = "") -> str:
    """Why more of some `mistakes` than `wanted` are to be expected with pictures of this `kind`; "" where they are not,
    to a tenth of a percent.
    """
    if expected.value < wanted + 0.0005:
        return ""
    pictures, least = counted(expected.total, f"{kind} picture"), least_rate(expected.total)
    share = f"{100 * wanted:.3g} %"
    more = f"more than the {share} {mistakes} that were asked for is to be expected"
    if because or wanted >= least:
        return f"{more} of {pictures}: {because}" if because else more
    few = f"{pictures} can show {100 * least:.3g} % {mistakes} at best"
    return few + (f"; {pictures_for(wanted):,} can show {share}" if wanted > 1e-6 else "")
