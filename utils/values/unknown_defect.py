"""A defect that no class's name fits: what it is looked for by, what it is called, and when it is none."""

from __future__ import annotations

from utils.values.boxes import pairwise_iou
from utils.values.detections import Detections

PRESENCE = "defect"  # what is said of a defect of whatever kind
UNKNOWN = "unknown defect"  # the last class, where it is looked for
SAME = 0.5  # IoU with a detection of a class from which on both show one thing


def without_twice_found(found: Detections) -> Detections:
    """`found` of one picture, all of which counts, without UNKNOWN defects where a class shows the same thing."""
    if UNKNOWN not in found.names:
        return found
    unnamed = found.labels == found.names.index(UNKNOWN)
    shown = (pairwise_iou(found.boxes, found.boxes[~unnamed]) >= SAME).any(1)
    return found.keep(~(unnamed & shown))
