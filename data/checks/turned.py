"""Boxes of pictures that are stored turned: are they those of the upright picture, as they are read?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data.files.data_report import Finding
from data.pictures.picture_decoder import read_grey
from data.pictures.picture_header import TURNS
from utils.values.record import Record
from utils.words.errors import DataError, printable
from utils.words.text import counted

LOOKED_AT = 200  # pictures of a split
LEAST = 256  # px
CLEARER = 1.5  # times as much contrast between a box and what is around it


def turned_findings(split: str, turned: Sequence[Record], max_pixels: int) -> Iterator[Finding]:
    """Whether boxes stand out more where they would be if they had been drawn on the unturned picture."""
    better, boxes = [], 0
    for record in turned[:LOOKED_AT]:
        try:
            grey, header = read_grey(record.path, max_pixels, LEAST)
        except DataError:  # said by those who use it
            continue
        as_read, as_drawn = record.boxes[~record.crowd], unturned(record.boxes[~record.crowd], header.orientation)
        for one, other in zip(as_read, as_drawn, strict=True):
            boxes += 1
            if _contrast(grey, other) > CLEARER * _contrast(grey, one):
                better.append(record.path)
    if not boxes:
        return
    wrong = 2 * len(better) > boxes
    yield Finding(
        kind="turned_boxes",
        count=len(better),
        said=f"{split}: {len(better):,} of {counted(boxes, 'box')} in turned pictures fit better when they are taken "
        "as drawn on the unturned one",
        advice="draw them on the upright picture, or remove the pictures' EXIF orientation" if wrong else "",
        names=tuple(printable(str(path)) for path in dict.fromkeys(better)),
        severity="wrong" if wrong else "note",
    )


def unturned(boxes: np.ndarray, orientation: int) -> np.ndarray:
    """Where boxes (N, 4) xyxy fractions of the picture as stored lie in the upright one."""
    if orientation not in TURNS:
        return boxes
    swap, rows, columns = TURNS[orientation]
    x1, y1, x2, y2 = boxes[:, [1, 0, 3, 2] if swap else [0, 1, 2, 3]].T
    if columns:
        x1, x2 = 1 - x2, 1 - x1
    if rows:
        y1, y2 = 1 - y2, 1 - y1
    return np.stack([x1, y1, x2, y2], 1)


def _contrast(grey: np.ndarray, box: np.ndarray) -> float:
    """How far the brightness of a box is from that of a ring around it."""
    height, width = grey.shape
    x1, y1, x2, y2 = (box * (width, height, width, height)).round().astype(int).tolist()
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    dx, dy = (x2 - x1) // 2 + 1, (y2 - y1) // 2 + 1
    around = grey[max(y1 - dy, 0) : y2 + dy, max(x1 - dx, 0) : x2 + dx].astype(np.float32)
    inside = grey[y1:y2, x1:x2].astype(np.float32)
    rest = around.size - inside.size
    if not inside.size or rest <= 0:
        return 0.0
    ring = (around.sum() - inside.sum()) / rest
    return abs(float(inside.mean() - ring))
