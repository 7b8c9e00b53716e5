"""What a txt row of more than five numbers is: a polygon, or a box with more columns behind it.

    rows: polygons        # in a data YAML: class x1 y1 x2 y2 x3 y3 ...
    rows: boxes           # class xc yc w h, then what is not read: confidence, track, flags
    kpt_shape: [17, 3]    # boxes with so many pose points behind them, which are not read

`0 0.5 0.5 0.2 0.2 0.4 0.6` can be either, and the boxes would differ. Where the YAML does not say it, all rows of a set
together may: of polygons, most can be nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["polygons", "boxes", "unsaid"]
BOX = 5  # numbers: class xc yc w h
OVERHANG = 0.010002  # share of the picture by which an edge may lie outside and be clipped
SHARE = 3  # one row in so many must be a polygon for certain
LENGTHS = 5  # boxes do not come with so many different numbers of further columns
PARALLEL = 1e-4


@dataclass(frozen=True)
class LongRows:
    """`more` is how many numbers stand behind a box, where the data YAML says so."""

    kind: Kind = "unsaid"
    more: int | None = None

    def read_as(self, values: Sequence[float]) -> tuple[Literal["box", "polygon", ""], str]:
        """What a row of other than five finite numbers is; where it is nothing, why."""
        count = len(values)
        more = count - BOX
        outline = more >= 2 and more % 2 == 0
        if self.kind == "boxes" and more > 0 and self.more in (None, more):
            return "box", ""
        if outline and (self.kind == "polygons" or (self.kind == "unsaid" and _is_parallelogram(values))):
            return "polygon", ""
        if outline and self.kind == "unsaid":
            words = f"a polygon of {count // 2} points, or a box with {more} more numbers behind it"
            return "", f"{count} numbers: {words}; say it in the data YAML: rows: polygons, or rows: boxes"
        if self.more is not None:
            return "", f"{count} numbers; kpt_shape says {BOX + self.more}"
        hint = "; this looks like a predictions file with confidence (rows: boxes reads it)" if more == 1 else ""
        return "", f"{count} numbers; a row is 'class xc yc w h' or 'class' and three or more points{hint}"


UNSAID = LongRows()


def told_by(rows: Iterable[Sequence[float]]) -> tuple[LongRows, str]:
    """What the long rows of a set are, by all of them together, with a sentence for the user; unsaid when in doubt."""
    certain = total = 0
    lengths = set()
    for values in rows:
        total += 1
        lengths.add(len(values))
        certain += _can_be_outline(values) and (_is_parallelogram(values) or not _can_be_box(values))
    if not total or (certain * SHARE < total and len(lengths) < LENGTHS):
        return UNSAID, ""
    words = f"of {total:,} looked at, {certain:,} can be nothing else"
    return LongRows("polygons"), f"label rows of more than five numbers are read as polygons: {words}"


def _can_be_box(values: Sequence[float]) -> bool:
    x, y, w, h = values[1:BOX]
    return w > 0 and h > 0 and all(abs(2 * c - 1) + side <= 1 + 2 * OVERHANG for c, side in ((x, w), (y, h)))


def _can_be_outline(values: Sequence[float]) -> bool:
    return -OVERHANG <= min(values[1:]) <= max(values[1:]) <= 1 + OVERHANG


def _is_parallelogram(values: Sequence[float]) -> bool:
    """Four corners, as a turned box has them."""
    if len(values) != 9:
        return False
    x1, y1, x2, y2, x3, y3, x4, y4 = values[1:]
    area = abs((x2 - x1) * (y4 - y1) - (y2 - y1) * (x4 - x1))
    return max(abs(x1 + x3 - x2 - x4), abs(y1 + y3 - y2 - y4)) < PARALLEL and area > PARALLEL**2
