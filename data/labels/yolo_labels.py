"""One YOLO label file, row by row. `LabelRows` collects the boxes of any label file.

A row is `class xc yc w h` in fractions of the upright picture. A longer one is what `LongRows` says: a polygon, which
stands for its bounding box, or a box with more columns behind it. A row that breaks a rule becomes a Problem with file
and line; what happens to it is the caller's policy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.files.data_report import Problem
from data.files.text_lines import text_lines
from data.labels.long_rows import BOX, OVERHANG, UNSAID, LongRows
from utils.words.errors import DataError, printable

ROUNDING = 2e-6  # what six printed digits can add to an edge; clipped without a word
SMALLEST = 1e-6
PIXELS = "; this looks like pixels, rows are fractions 0..1"

Box = tuple[float, float, float, float]


def parse_labels(
    path: Path, raw: bytes, class_count: int, long_rows: LongRows = UNSAID
) -> tuple[np.ndarray, np.ndarray, list[Problem]]:
    """The rows of a label file: boxes (N, 4) float32 xyxy fractions, labels (N,) int64, and what was odd.

    Rows with a harmful Problem are left out. Raises DataError at once for a class id that `class_count` does
    not cover, since then the whole data YAML is likely the wrong one.
    """
    rows = LabelRows(path, PIXELS)
    reader = _TextRows(rows, class_count, long_rows)
    for number, line in enumerate(text_lines(raw), 1):
        if tokens := line.split():
            reader.add(number, line, tokens)
    return rows.boxes(), np.array(rows.labels, np.int64), rows.finish()


def count_rows(raw: bytes) -> int:
    """How many rows a label file has, good or bad."""
    return sum(1 for line in text_lines(raw) if line.strip())


def long_rows_of(raw: bytes) -> Iterator[list[float]]:
    """The rows of a label file that may be polygons: finite numbers, seven or more and odd in count."""
    for line in text_lines(raw):
        tokens = line.split()
        if len(tokens) > BOX and len(tokens) % 2:
            try:
                values = [float(token) for token in tokens]
            except ValueError:
                continue
            if math.isfinite(sum(values)):
                yield values


class LabelRows:
    """The boxes of one label file on their way into a Record, with what was wrong or odd about them.

    Boxes are xyxy fractions of the upright picture. `outside_hint` is added to the complaint about a box that is far
    outside.
    """

    def __init__(self, path: Path, outside_hint: str = "") -> None:
        self.path, self.outside_hint = path, outside_hint
        self.labels: list[int] = []
        self._boxes: list[Box] = []
        self._problems: list[Problem] = []
        self._notes: dict[str, list[int]] = {}

    def place(self, number: int, label: int, box: Box) -> bool:
        """Take a box, clipped to the picture; False, and a Problem, when it is not usable. `number` is its line."""
        inside = self._inside(number, box)
        if inside is None:
            return False
        self.labels.append(label)
        self._boxes.append(inside)
        return True

    def boxes(self) -> np.ndarray:
        """(N, 4) float32."""
        return np.array(self._boxes, np.float32).reshape(-1, 4)

    def where(self, number: int) -> str:
        """`file:line`."""
        return f"{printable(str(self.path))}:{number}"

    def bad(self, number: int, reason: str, message: str) -> None:
        """Leave a row out and say why."""
        self._problems.append(Problem(self.where(number), reason, message))

    def note(self, number: int, reason: str) -> None:
        """Keep a row that is odd."""
        self._notes.setdefault(reason, []).append(number)

    def finish(self) -> list[Problem]:
        """All problems; the harmless ones are one per reason."""
        words = {
            "clipped": "reached up to 1 % over the edge and was clipped",
            "polygon": "is a polygon and stands for its bounding box",
            "more_columns": "has more columns than a box; those are not read",
            "difficult": "is marked difficult and counts neither as hit nor as false alarm",
        }
        for reason, numbers in self._notes.items():
            message = f"this row {words[reason]} ({len(numbers)} such in this file)"
            self._problems.append(Problem(self.where(numbers[0]), reason, message, len(numbers)))
        return self._problems

    def _inside(self, number: int, box: Box) -> Box | None:
        """The box clipped to the picture, or None and a Problem."""
        x1, y1, x2, y2 = box
        low, high = min(x1, y1), max(x2, y2)
        if not _is_empty(box) and (low < -OVERHANG or high > 1 + OVERHANG):
            hint = self.outside_hint if high > 1.5 else ""
            message = f"box {x1:.4g} {y1:.4g} {x2:.4g} {y2:.4g} lies outside the picture{hint}"
            self.bad(number, "outside", message)
            return None
        inside = max(x1, 0.0), max(y1, 0.0), min(x2, 1.0), min(y2, 1.0)
        if _is_empty(inside):
            self.bad(
                number, "empty_box", "a box without width or height, or with its corners swapped; mend or remove it"
            )
            return None
        if low < -ROUNDING or high > 1 + ROUNDING:
            self.note(number, "clipped")
        return inside


class _TextRows:
    """Reads the rows of one txt file."""

    def __init__(self, rows: LabelRows, class_count: int, long_rows: LongRows) -> None:
        self.rows, self.class_count, self.long_rows = rows, class_count, long_rows

    def add(self, number: int, line: bytes, tokens: list[bytes]) -> None:
        """Read one row; `number` is its line."""
        values = self._numbers(number, line, tokens)
        if values is None:
            return
        kind, why_not = ("box", "") if len(values) == BOX else self.long_rows.read_as(values)
        if not kind:
            self.rows.bad(number, "columns", why_not)
            return
        label = self._label(number, values[0])
        if label is None:
            return
        placed = self.rows.place(number, label, _outline(values) if kind == "polygon" else _corners(values[:BOX]))
        if placed and len(values) > BOX:
            self.rows.note(number, "polygon" if kind == "polygon" else "more_columns")

    def _numbers(self, number: int, line: bytes, tokens: list[bytes]) -> list[float] | None:
        try:
            values = [float(token) for token in tokens]
            if b"_" in line:  # float() reads 1_0 as ten
                raise ValueError
        except ValueError:
            shown = printable(line[:40].decode("utf-8", "replace").strip())
            advice = "use blanks and decimal points, not commas" if b"," in line else "write 'class xc yc w h'"
            self.rows.bad(number, "not_a_number", f"'{shown}' holds what is not a plain number; {advice}")
            return None
        if not math.isfinite(sum(values)) and not all(map(math.isfinite, values)):
            self.rows.bad(number, "non_finite", "NaN, infinite or overflowing number; remove or mend the row")
            return None
        return values

    def _label(self, number: int, value: float) -> int | None:
        if value < 0 or value != int(value):
            self.rows.bad(number, "class_id", f"class {value:g}; it must be a whole number from 0 up")
            return None
        if value >= self.class_count:
            raise DataError(
                f"{self.rows.where(number)}: class {value:.12g}, but the data YAML names {self.class_count} "
                f"(0..{self.class_count - 1}); the data YAML may be the wrong one; mend names or the row"
            )
        return int(value)


def _is_empty(box: Box) -> bool:
    return box[2] - box[0] < SMALLEST or box[3] - box[1] < SMALLEST


def _corners(values: list[float]) -> Box:
    _, x, y, w, h = values
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _outline(values: list[float]) -> Box:
    xs, ys = values[1::2], values[2::2]
    return min(xs), min(ys), max(xs), max(ys)
