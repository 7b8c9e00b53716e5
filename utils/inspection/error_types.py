"""What kind of mistake each false alarm and each miss is. The kinds are those of TIDE (Bolya et al. 2020); the exact
definitions, in `DetectionKind` and `TruthKind`, are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from utils.scoring.box_pairs import NEAREST
from utils.scoring.matching import Matching


class DetectionKind(IntEnum):
    """What a detection is: the first of these that holds. "On" is lying on a truth box as the matching has it, "near"
    is an IoU of at least 0.1, or lying on it.
    """

    UNUSED = 0  # below the threshold, or in a region to ignore
    HIT = 1
    DUPLICATE = 2  # on a truth box of its class that a better detection has taken
    CLASS = 3  # on a truth box of another class
    LOCALISATION = 4  # near a truth box of its class
    BOTH = 5  # near a truth box of another class
    BACKGROUND = 6  # near none


class TruthKind(IntEnum):
    """What becomes of a truth box: the first of these that holds."""

    HIT = 1
    CLASS = 3  # not found, but a detection of another class lies on it
    LOCALISATION = 4  # not found, but a detection of its class is near
    MISSED = 7  # none of these


@dataclass(frozen=True, eq=False)
class ErrorTypes:
    """`kind` (M,) int8 DetectionKind; `partner` (M,) the truth box that makes it that kind (of those the one of most
    IoU), -1 without, and `iou` (M,) with it; `truth_kind` (T,) int8 TruthKind.
    """

    matching: Matching
    kind: np.ndarray
    partner: np.ndarray
    iou: np.ndarray
    truth_kind: np.ndarray

    def counts(self, label: int | None = None) -> dict[str, int]:
        """How many of each: hits, the kinds of false alarms, and missed; of all classes, or of the class `label`."""
        mine = self.matching.pairs.detections.labels == label if label is not None else slice(None)
        mine_truth = self.matching.pairs.truth.labels == label if label is not None else slice(None)
        kinds = np.bincount(self.kind[mine], minlength=len(DetectionKind))
        counts = {kind.name.lower(): int(kinds[kind]) for kind in DetectionKind if kind != DetectionKind.UNUSED}
        return {**counts, "missed": int((self.truth_kind[mine_truth] == TruthKind.MISSED).sum())}


def error_types(matching: Matching, thresholds: float | np.ndarray = 0.0) -> ErrorTypes:
    """Sort detections of at least one threshold, or one per class (K,), and the truth into kinds."""
    pairs = matching.pairs
    labels = pairs.detections.labels
    used = matching.counts & (pairs.scores >= np.broadcast_to(thresholds, pairs.classes)[labels])
    kind = np.full(len(labels), DetectionKind.BACKGROUND, np.int8)
    partner, iou = np.full(len(labels), -1), np.zeros(len(labels), np.float32)
    same = labels[pairs.detection] == pairs.truth.labels[pairs.truth_box]
    on, beside = matching.rule.on(pairs), near(matching)
    rising = (
        (DetectionKind.BOTH, beside & ~same),
        (DetectionKind.LOCALISATION, beside & same),
        (DetectionKind.CLASS, on & ~same),
        (DetectionKind.DUPLICATE, on & same),
        (DetectionKind.HIT, matching.taken[pairs.detection] == pairs.truth_box),
    )
    for name, which in rising:
        rows = np.flatnonzero(which)
        first = rows[np.unique(pairs.detection[rows], return_index=True)[1]]  # pairs are ordered by falling IoU
        mine = pairs.detection[first]
        kind[mine], partner[mine], iou[mine] = name, pairs.truth_box[first], pairs.iou[first]
    kind[~used] = DetectionKind.UNUSED
    return ErrorTypes(matching, kind, partner, iou, _truth_kinds(len(pairs.truth), kind, partner))


def near(matching: Matching) -> np.ndarray:
    """(Q,) bool: the pairs that have to do with each other."""
    return (matching.pairs.iou >= NEAREST) | matching.rule.on(matching.pairs)


def _truth_kinds(truth: int, kind: np.ndarray, partner: np.ndarray) -> np.ndarray:
    kinds = np.full(truth, TruthKind.MISSED, np.int8)
    for name in (TruthKind.LOCALISATION, TruthKind.CLASS, TruthKind.HIT):
        kinds[partner[kind == name]] = name
    return kinds
