"""Detections as YOLO label files."""

from __future__ import annotations

from utils.values.detections import Detections


def label_text(found: Detections, size: tuple[int, int], confidence: bool) -> str:
    """One `class xc yc w h [confidence]` per line, fractions of a picture of `size` (height, width) px.

    Empty text means: looked at, nothing found.
    """
    height, width = size
    lines = []
    for (x1, y1, x2, y2), score, label in zip(
        found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
    ):
        values = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
        values += [score] if confidence else []
        lines.append(" ".join([str(label), *(f"{v:.6f}" for v in values)]) + "\n")
    return "".join(lines)
