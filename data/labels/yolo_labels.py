"""One YOLO label file: where it lies and what it says, row by row. `LabelRows` collects the boxes of any label file.

A row is `class xc yc w h` in fractions of the upright picture. A longer row with an odd count of numbers is
a polygon (`class x1 y1 x2 y2 x3 y3 ...`) and stands for its bounding box. A row that breaks a rule becomes a
Problem with file and line; what happens to it is the caller's policy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import numpy as np

from data.files.data_report import Problem
from data.pictures.picture_decoder import is_picture
from utils.words.errors import DataError, printable

OVERHANG = 0.010002  # share of the picture by which an edge may lie outside and be clipped
ROUNDING = 2e-6  # what six printed digits can add to an edge; clipped without a word
SMALLEST = 1e-6
LABEL_FOLDERS = ("labels", "Labels", "LABELS")
PIXELS = "; this looks like pixels, rows are fractions 0..1"

Box = tuple[float, float, float, float]


def label_path(image: Path, labels_root: Path | None = None) -> Path:
    """The txt file of a picture: the first of `label_candidates` that exists, else the first of them."""
    candidates = label_candidates(image, labels_root)
    first = next(candidates)
    if os.path.lexists(first):
        return first
    return next((path for path in candidates if os.path.lexists(path)), first)


class LabelPlaces:
    """`label_path` for many pictures: which folders there are is looked up once for all pictures of a folder."""

    def __init__(self, labels_root: Path | None) -> None:
        self.labels_root = labels_root
        self._homes: dict[str, tuple[str, list[str]]] = {}

    def find(self, image: Path) -> Path:
        """The txt file of a picture; see `label_path`."""
        home, name = os.path.split(image)
        likeliest, folders = self._homes.get(home) or self._look(home)
        label = f"{os.path.splitext(name)[0]}.txt"
        found = (path for folder in folders if os.path.lexists(path := os.path.join(folder, label)))
        return Path(next(found, os.path.join(likeliest, label)))

    def _look(self, home: str) -> tuple[str, list[str]]:
        places = [os.fspath(path.parent) for path in label_candidates(Path(home, "x"), self.labels_root)]
        self._homes[home] = places[0], [place for place in places if os.path.isdir(place)]
        return self._homes[home]


def label_candidates(image: Path, labels_root: Path | None = None) -> Iterator[Path]:
    """Where the label of `image` may lie, likeliest first.

    Without a root: the last folder called `images` (any case) becomes `labels`, then the picture's own
    folder, and without any `images` also `labels/<folder>` beside that. With a root: below it, keeping as many
    of the picture's sub-folders as exist there. Each is also tried with a `txt` sub-folder (the GCD tree).
    """
    parts = image.parent.parts
    last = max((i for i, part in enumerate(parts) if part.lower() == "images"), default=None)
    if labels_root is not None:
        below = parts[max(len(parts) - 3, 1) :] if last is None else parts[last + 1 :]
        folders = [labels_root.joinpath(*below[i:]) for i in range(len(below) + 1)]
    elif last is None:
        folders = [image.parent, *(image.parent.parent / name / image.parent.name for name in LABEL_FOLDERS)]
    else:
        folders = [Path(*parts[:last], name, *parts[last + 1 :]) for name in LABEL_FOLDERS]
        folders.insert(1, image.parent)
    for folder in folders:
        yield folder / f"{image.stem}.txt"
        yield folder / "txt" / f"{image.stem}.txt"


def parse_labels(path: Path, raw: bytes, class_count: int) -> tuple[np.ndarray, np.ndarray, list[Problem]]:
    """The rows of a label file: boxes (N, 4) float32 xyxy fractions, labels (N,) int64, and what was odd.

    Rows with a harmful Problem are left out. Raises DataError at once for a class id that `class_count` does
    not cover, since then the whole data YAML is likely the wrong one.
    """
    rows = LabelRows(path, PIXELS)
    reader = _TextRows(rows, class_count)
    for number, line in enumerate(_lines(raw), 1):
        if tokens := line.split():
            reader.add(number, line, tokens)
    return rows.boxes(), np.array(rows.labels, np.int64), rows.finish()


def count_rows(raw: bytes) -> int:
    """How many rows a label file has, good or bad."""
    return sum(1 for line in _lines(raw) if line.strip())


def count_orphans(pairs: Iterable[tuple[Path, Path]], ignore: Container[Path] = ()) -> int:
    """How many txt files beside those looked for belong to no picture; `pairs` are (picture, label)."""
    homes: dict[Path, set[Path]] = {}
    for picture, label in pairs:
        if label.suffix != ".txt":
            continue
        homes.setdefault(label.parent, set()).add(picture.parent)
    orphans = 0
    for folder, sources in homes.items():
        stems = {os.path.splitext(name)[0] for source in sources for name in _file_names(source)}
        texts = [name for name in _file_names(folder, ".txt") if folder / name not in ignore]
        orphans += sum(name != "classes.txt" and os.path.splitext(name)[0] not in stems for name in texts)
    return orphans


def _file_names(folder: Path, suffix: str = "") -> list[str]:
    """The names in a folder that end in `suffix`, or like a picture; none when it cannot be read."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [name for name in names if (name.endswith(suffix) if suffix else is_picture(name))]


def _lines(raw: bytes) -> list[bytes]:
    """Lines of bytes (LF, CRLF or CR); a byte-order mark is taken off, UTF-16 is turned into UTF-8."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16", "replace").encode("utf-8", "replace")
    return raw.removeprefix(b"\xef\xbb\xbf").splitlines()


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
            self.bad(number, "empty_box", "a box without width or height; remove the row")
            return None
        if low < -ROUNDING or high > 1 + ROUNDING:
            self.note(number, "clipped")
        return inside


class _TextRows:
    """Reads the rows of one txt file."""

    def __init__(self, rows: LabelRows, class_count: int) -> None:
        self.rows, self.class_count = rows, class_count

    def add(self, number: int, line: bytes, tokens: list[bytes]) -> None:
        """Read one row; `number` is its line."""
        values = self._numbers(number, line, tokens)
        if values is None or not self._shape_is_fine(number, len(values)):
            return
        label = self._label(number, values[0])
        if label is None:
            return
        polygon = len(values) > 5
        if self.rows.place(number, label, _outline(values) if polygon else _corners(values)) and polygon:
            self.rows.note(number, "polygon")

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

    def _shape_is_fine(self, number: int, count: int) -> bool:
        if count == 5 or (count >= 7 and count % 2):
            return True
        hint = "; this looks like a predictions file with confidence" if count == 6 else ""
        message = f"{count} numbers; a row is 'class xc yc w h' or 'class' and three or more points{hint}"
        self.rows.bad(number, "columns", message)
        return False

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
