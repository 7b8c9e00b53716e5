"""One entry of a COCO json: what it says where it is not written as most are, or why it is left out."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from utils.words.errors import printable

UNKNOWN = -(1 << 31)  # the size of a picture of which the file does not say it
LEAST_SIDE = 8  # px of a picture in which a box of less than a pixel is none
LIMIT = 1 << 63
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
FLAGS = {
    **dict.fromkeys(("", "0", "0.0", "false", "no", "n", "f", "none", "null"), False),
    **dict.fromkeys(("1", "1.0", "true", "yes", "y", "t"), True),
}


class BadEntry(Exception):
    """Why an entry cannot be used: a `reason` code for counting, the key of the entry, words."""

    def __init__(self, reason: str, key: str, words: str) -> None:
        super().__init__(words)
        self.reason, self.key = reason, key


class Picture(NamedTuple):
    """An entry of `images`; the size is UNKNOWN where it is missing or zero."""

    image_id: int
    height: int
    width: int
    file_name: str


class Annotation(NamedTuple):
    """An entry of `annotations`; `box` is xywh px."""

    image_id: int
    category_id: int
    box: list[float]
    crowd: bool


def read_picture(entry: Any) -> Picture:
    """Raises BadEntry."""
    if not isinstance(entry, dict):
        raise BadEntry("bad_entry", "", "not an object")
    name = entry.get("file_name")
    if not isinstance(name, str) or not name.strip():
        raise BadEntry("bad_entry", "file_name", "missing or not a text")
    height, width = (_side(entry, key) for key in ("height", "width"))
    if UNKNOWN in (height, width):
        height = width = UNKNOWN
    return Picture(number_of(entry, "id"), height, width, name)


def read_annotation(entry: Any) -> Annotation:
    """Raises BadEntry."""
    if not isinstance(entry, dict):
        raise BadEntry("bad_entry", "", "not an object")
    image_id, category_id = number_of(entry, "image_id"), number_of(entry, "category_id", "class_id")
    given = entry.get("iscrowd")
    crowd = flag(given)
    if crowd is None:
        raise BadEntry("bad_flag", "iscrowd", f"{shown(given)} is neither 0 nor 1")
    return Annotation(image_id, category_id, _box(entry), crowd)


def number_of(entry: dict[str, Any], key: str, reason: str = "bad_entry") -> int:
    """A whole number, as one, as 7.0 or as text. Raises BadEntry."""
    value = whole_number(entry.get(key))
    if value is None:
        given = entry.get(key)
        raise BadEntry(reason, key, "missing" if given is None else f"{shown(given)}, not a whole number")
    return value


def whole_number(value: object) -> int | None:
    """An int of 64 bits; None for anything else."""
    if isinstance(value, str) and value.isascii() and WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= LIMIT:
        return None
    return value


def flag(value: object) -> bool | None:
    """Yes or no, as true, 1 or text; missing is no, and None what says neither."""
    if value is None:
        return False
    if isinstance(value, bool | int | float):
        return bool(value) if value in (0, 1) else None
    return FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def shown(value: object) -> str:
    """A value for a message."""
    return printable(repr(value))[:40]


def _side(entry: dict[str, Any], key: str) -> int:
    given = entry.get(key)
    if given is None:
        return UNKNOWN
    value = number_of(entry, key)
    return min(value, -UNKNOWN - 1) if value > 0 else UNKNOWN  # some tools write 0; beyond 2^31 it is no picture's


def _box(entry: dict[str, Any]) -> list[float]:
    """`bbox`, or where there is none that of the polygons under `segmentation`."""
    box = entry.get("bbox")
    if box is None or box == []:
        return _outline(entry.get("segmentation"))
    if not isinstance(box, list) or len(box) != 4:
        raise BadEntry("columns", "bbox", f"{printable(repr(box))[:60]} is not 4 finite numbers (x, y, width, height)")
    if not all(map(_is_number, box)):
        text = f"{printable(repr(box))[:60]} is not 4 finite numbers (x, y, width, height in px)"
        raise BadEntry("not_a_number", "bbox", text)
    if not all(map(is_finite, box)):
        raise BadEntry("non_finite", "bbox", f"{printable(repr(box))[:60]} is not 4 finite numbers (px)")
    return box


def _outline(polygons: object) -> list[float]:
    if not polygons:
        raise BadEntry("no_box", "bbox", "None, and there is no polygon")
    if isinstance(polygons, dict):
        raise BadEntry("no_box", "bbox", "None, only a mask (RLE), which is not read; export boxes or polygons")
    parts = polygons if isinstance(polygons, list) else []
    if not all(isinstance(part, list) and len(part) >= 6 and len(part) % 2 == 0 for part in parts) or not parts:
        raise BadEntry("no_box", "segmentation", "no polygons of three or more points, and there is no bbox")
    if not all(is_finite(value) for part in parts for value in part):
        raise BadEntry("no_box", "segmentation", "holds what is not a finite number, and there is no bbox")
    xs, ys = ([value for part in parts for value in part[axis::2]] for axis in (0, 1))
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def is_finite(value: object) -> bool:
    """A number that a box in px can have."""
    return _is_number(value) and abs(value) < 1e9 and math.isfinite(value)  # type: ignore[arg-type,operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
