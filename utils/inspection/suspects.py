"""Where to look first: labels that are probably wrong, and the detector's worst mistakes, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.inspection.error_types import DetectionKind, ErrorTypes, TruthKind, error_types, near
from utils.scoring.box_pairs import Pairs
from utils.scoring.matching import Matching

LIMIT = 50


@dataclass(frozen=True)
class Suspect:
    """One place to look at: `picture` by index into the records, `box` xyxy px of the original picture.

    `detection` and `truth` index utils.scoring.box_pairs.Pairs, None where there is none; so is `score` without a
    detection.
    """

    reason: str
    picture: int
    box: tuple[float, float, float, float]
    label: int
    score: float | None
    detection: int | None
    truth: int | None

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**vars(self), "box": list(self.box)}


@dataclass(frozen=True)
class LabelSuspects:
    """Labels that are probably wrong, best score first. `missing_labels`: confident detections near no label.
    `wrong_classes`: one of another class on a label that nothing finds. `misplaced_boxes`: one of its class near a
    label that nothing finds.
    """

    missing_labels: tuple[Suspect, ...]
    wrong_classes: tuple[Suspect, ...]
    misplaced_boxes: tuple[Suspect, ...]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {name: [one.plain() for one in rows] for name, rows in vars(self).items()}


def label_suspects(
    matching: Matching, names: Sequence[str], confident: float = 0.5, limit: int = LIMIT
) -> LabelSuspects:
    """At most `limit` of each kind. `confident` is the score from which a detection casts doubt on a label: one for all
    classes, since a label that is missing drives the threshold of its class up.
    """
    errors = error_types(matching, confident)

    def listed(kind: DetectionKind) -> tuple[Suspect, ...]:
        rows = _best_first(errors, errors.kind == kind)
        if kind != DetectionKind.BACKGROUND:
            rows = _one_per_truth(errors, rows)
        return tuple(_detection(errors, names, int(row)) for row in rows[:limit])

    return LabelSuspects(
        listed(DetectionKind.BACKGROUND), listed(DetectionKind.CLASS), listed(DetectionKind.LOCALISATION)
    )


def worst_false_alarms(errors: ErrorTypes, names: Sequence[str], limit: int = LIMIT) -> tuple[Suspect, ...]:
    """The false alarms of best score."""
    rows = _best_first(errors, errors.kind >= DetectionKind.DUPLICATE)[:limit]
    return tuple(_detection(errors, names, int(row)) for row in rows)


def worst_misses(errors: ErrorTypes, names: Sequence[str], limit: int = LIMIT) -> tuple[Suspect, ...]:
    """Truth that nothing finds: first what leaves no trace at any score, then by falling size."""
    areas = errors.matching.pairs.truth.areas().round()  # px: boxes of one size keep their order, however stored
    missed = np.flatnonzero(errors.truth_kind != TruthKind.HIT)
    trace = _best_traces(errors.matching)
    order = missed[np.lexsort((-areas[missed], trace[missed] >= 0))][:limit]
    return tuple(_miss(errors.matching.pairs, names, int(row), int(trace[row])) for row in order)


def _best_first(errors: ErrorTypes, which: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(which)
    return rows[np.argsort(-errors.matching.pairs.scores[rows], kind="stable")]


def _one_per_truth(errors: ErrorTypes, rows: np.ndarray) -> np.ndarray:
    """The first row of each truth box that nothing finds."""
    rows = rows[errors.truth_kind[errors.partner[rows]] != TruthKind.HIT]
    return rows[np.sort(np.unique(errors.partner[rows], return_index=True)[1])]


def _detection(errors: ErrorTypes, names: Sequence[str], row: int) -> Suspect:
    pairs, partner = errors.matching.pairs, int(errors.partner[row])
    picture = int(pairs.detections.picture[row])
    label, score, iou = int(pairs.detections.labels[row]), float(pairs.scores[row]), float(errors.iou[row])
    where = f"{names[label]} {score:.2f}"
    other = f"the label {names[pairs.truth.labels[partner]]} (IoU {iou:.2f})" if partner >= 0 else ""
    kind_of_picture = "a picture labelled good" if pairs.labelled[picture] else "a picture without a label file"
    reasons = {
        DetectionKind.DUPLICATE: f"{where} once more on {other}",
        DetectionKind.CLASS: f"{where} on {other}",
        DetectionKind.LOCALISATION: f"{where} beside {other}",
        DetectionKind.BOTH: f"{where} beside {other}",
        DetectionKind.BACKGROUND: f"{where} near no label, in "
        + (kind_of_picture if pairs.good[picture] else "a picture with others"),
    }
    box = _box(pairs.detections.xyxy[row])
    reason = reasons[DetectionKind(int(errors.kind[row]))]
    return Suspect(reason, picture, box, label, score, row, partner if partner >= 0 else None)


def _best_traces(matching: Matching) -> np.ndarray:
    """(T,) the detection of best score near each truth box, of any class and below the threshold too, unless it finds
    another; -1 without.
    """
    pairs = matching.pairs
    taken = matching.taken[pairs.detection]
    rows = np.flatnonzero(near(matching) & ((taken < 0) | (taken == pairs.truth_box)))
    rising = rows[np.argsort(pairs.scores[pairs.detection[rows]], kind="stable")]
    trace = np.full(len(pairs.truth), -1)
    trace[pairs.truth_box[rising]] = pairs.detection[rising]  # the last one written stays
    return trace


def _miss(pairs: Pairs, names: Sequence[str], row: int, trace: int) -> Suspect:
    label, name = int(pairs.truth.labels[row]), names[pairs.truth.labels[row]]
    score, detection = (float(pairs.scores[trace]), trace) if trace >= 0 else (None, None)
    if detection is None:
        reason = f"{name} missed: nothing near it at any score"
    else:
        reason = f"{name} missed: the best near it is {names[pairs.detections.labels[detection]]} {score:.2f}"
    return Suspect(reason, int(pairs.truth.picture[row]), _box(pairs.truth.xyxy[row]), label, score, detection, row)


def _box(xyxy: np.ndarray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(v), 3) for v in xyxy)
    return x1, y1, x2, y2
