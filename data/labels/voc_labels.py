"""Pascal VOC annotation files: one xml per picture, classes by name, boxes in pixels counted from 1, ends included.

A hostile file cannot do much: document types and entities are refused, size, depth and count are limited.
Objects marked `difficult` are kept as regions in which their class counts neither as hit nor as false alarm, as the
VOC challenge has it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np

from data.files.data_report import Problem
from data.labels.coco_entries import LEAST_SIDE, flag
from data.labels.yolo_labels import LabelRows
from data.pictures.picture_decoder import read_file
from utils.words.class_names import name_key
from utils.words.errors import DataError, printable
from utils.words.text import did_you_mean

MAX_BYTES = 16 << 20
MAX_DEPTH = 16
MAX_ELEMENTS = 200_000
MAX_TEXT = 1_000
FOLDERS = ("Annotations", "annotations", "ANNOTATIONS", "labels", "Labels", "LABELS")
IMAGE_FOLDERS = ("images", "jpegimages")
TAKEN = {"object": "object", "bndbox": "object/bndbox"}  # where each lies in the annotation
EDGES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(eq=False)
class VocObject:
    """One `object` of a file: its line and the texts of its direct children and of its bndbox."""

    line: int
    texts: dict[str, str] = field(default_factory=dict)
    box: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class VocFile:
    """A parsed file: (height, width) px where it says so, and its objects."""

    path: Path
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]


def xml_folders(home: Path, labels_root: Path | None = None) -> list[Path]:
    """The existing folders in which the xml of pictures in the folder `home` may lie, likeliest first.

    The last folder called `images` or `JPEGImages` becomes `Annotations` (or `labels`), keeping as many sub-folders as
    exist there; the same beside `home`; then `home` itself. With a root: below it. Each also with an `xml` sub-folder.
    """
    return [place for place in xml_places(home, labels_root) if os.path.isdir(place)]


def xml_places(home: Path, labels_root: Path | None = None) -> list[Path]:
    """Where `xml_folders` looks, there or not."""
    parts = home.parts
    last = max((i for i, part in enumerate(parts) if part.lower() in IMAGE_FOLDERS), default=None)
    root, below = (home.parent, parts[-1:]) if last is None else (Path(*parts[:last]), parts[last + 1 :])
    bases = [labels_root] if labels_root is not None else [root / name for name in FOLDERS]
    tails = dict.fromkeys([below[i:] for i in range(len(below) + 1)] + [below[:i] for i in range(len(below))])
    places = [base.joinpath(*tail) for base in bases for tail in tails]
    if labels_root is None:
        places += [home, *(home / name for name in FOLDERS)]
    return list(dict.fromkeys(place / sub for place in places for sub in ("", "xml")))


def find_xml(picture: Path, folders: list[Path]) -> Path | None:
    """The xml of a picture in the first of `folders` that has one."""
    for folder in folders:
        path = folder / f"{picture.stem}.xml"
        if os.path.lexists(path):
            return path
    return None


def read_voc(path: Path) -> VocFile:
    """Parse one file. Raises DataError (file:line) for what is not a VOC annotation or breaks the limits."""
    raw = read_file(path, MAX_BYTES)
    reader = _Reader()
    try:
        reader.parser.Parse(raw, True)
    except expat.ExpatError as error:
        reason = f"not well-formed xml: {expat.ErrorString(error.code)}"
        raise DataError(f"{printable(str(path))}:{error.lineno}: {reason}; mend it") from error
    except _Refused as error:
        line = reader.parser.CurrentLineNumber
        raise DataError(f"{printable(str(path))}:{line}: {error}; mend or remove it") from error
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{printable(str(path))}:1: xml in an encoding that cannot be read; save it as UTF-8"
        ) from error
    return VocFile(path, reader.picture_size(), tuple(reader.objects))


def truth_of_voc(
    file: VocFile, size: tuple[int, int], labels: Mapping[str, int], names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Problem]]:
    """The truth of a file for a picture of `size` (height, width); `labels` maps `name_key` of a name to its label.

    Returns boxes (N, 4) float32 xyxy fractions, labels (N,) int64, crowd (N,) bool (difficult), Problems. Raises
    DataError for a class that is not among `names`, since then the whole data YAML is likely the wrong one.
    """
    rows, crowd = LabelRows(file.path), []
    height, width = size
    for item in file.objects:
        name = item.texts.get("name", "").strip()
        if not name:
            rows.bad(item.line, "class_id", "an object without a name; write one or remove it")
            continue
        if name_key(name) not in labels:
            known = did_you_mean(name, names) or f"; it names {printable(', '.join(names)[:200])}"
            raise DataError(f"{rows.where(item.line)}: class '{printable(name)}' is not in the data YAML{known}")
        edges = _edges(rows, item)
        difficult = None if edges is None else _is_difficult(rows, item)
        if edges is None or difficult is None:
            continue
        if max(edges) <= 1 and min(size) >= LEAST_SIDE and any(edge % 1 for edge in edges):
            rows.bad(item.line, "fraction", "a box that looks like fractions of the picture; VOC counts in px")
            continue
        x1, y1, x2, y2 = edges
        # Pixels are 1..width, ends included. Tools that count from 0 write 0 at the edge: not reason enough to refuse.
        left, top = (1.0 if 0 <= edge < 1 else edge for edge in (x1, y1))
        box = (left - 1) / width, (top - 1) / height, x2 / width, y2 / height
        if rows.place(item.line, labels[name_key(name)], box):
            if (left, top) != (x1, y1):
                rows.note(item.line, "clipped")
            crowd.append(difficult)
            if difficult:
                rows.note(item.line, "difficult")
    return rows.boxes(), np.array(rows.labels, np.int64), np.array(crowd, bool), rows.finish()


def _is_difficult(rows: LabelRows, item: VocObject) -> bool | None:
    """None, and a Problem, for a text that says neither."""
    text = item.texts.get("difficult", "")
    difficult = flag(text)
    if difficult is None:
        rows.bad(item.line, "bad_flag", f"difficult '{printable(text[:40])}' is neither 0 nor 1; mend it")
    return difficult


def _edges(rows: LabelRows, item: VocObject) -> tuple[float, float, float, float] | None:
    missing = [edge for edge in EDGES if edge not in item.box]
    if missing:
        rows.bad(
            item.line, "columns", f"an object whose bndbox lacks {', '.join(missing)}; write it or remove the object"
        )
        return None
    values = []
    for edge in EDGES:
        text = item.box[edge].strip()
        try:
            value = float(text if "_" not in text else "x")
        except ValueError:
            rows.bad(item.line, "not_a_number", f"{edge} '{printable(text[:40])}' is not a plain number; mend it")
            return None
        if not math.isfinite(value):
            rows.bad(item.line, "non_finite", f"{edge} is NaN or infinite; mend or remove the object")
            return None
        values.append(value)
    return values[0], values[1], values[2], values[3]


class _Refused(Exception):
    """Why a file is no VOC annotation for us, in words."""


class _Reader:
    """Keeps the few elements of a VOC file that matter, with their lines."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.objects: list[VocObject] = []
        self.size: dict[str, str] = {}
        self.path: list[str] = []
        self.boxed = False  # whether the object has its box
        self.elements = 0
        self.text = ""

    def picture_size(self) -> tuple[int, int] | None:
        """(height, width); None when it is missing, zero or no whole number (some tools write 0)."""
        texts = [self.size.get(key, "").strip() for key in ("height", "width")]
        if not all(text.isascii() and text.isdigit() and len(text) < 10 and int(text) for text in texts):
            return None
        return int(texts[0]), int(texts[1])

    def _refuse(self, *_: object) -> None:
        raise _Refused("holds a document type or entities, which are refused")

    def _start(self, tag: str, _: dict[str, str]) -> None:
        self.path.append(tag)
        self.elements += 1
        self.text = ""
        if self.elements > MAX_ELEMENTS or len(self.path) > MAX_DEPTH:
            raise _Refused("too many or too deeply nested elements for an annotation")
        if len(self.path) == 1 and tag.lower() != "annotation":
            raise _Refused(f"starts with <{printable(tag[:40])}>, not with <annotation>")
        self._check_place(tag)
        if self.path[1:] == ["object"]:
            self.objects.append(VocObject(self.parser.CurrentLineNumber))

    def _check_place(self, tag: str) -> None:
        """Raise for an object or a box that would not be read: the file would pass as one without it."""
        name, place = tag.lower().rpartition(":")[2], "/".join(self.path[1:])
        if name not in TAKEN or place.startswith("object/part/"):
            return
        if place != TAKEN[name]:
            raise _Refused(f"has <{printable(tag[:40])}> where none is read, not as annotation/{TAKEN[name]}")
        if name == "bndbox":
            if self.boxed:
                raise _Refused("has an object with two boxes, of which one would be lost")
            self.boxed = True
        else:
            self.boxed = False

    def _characters(self, text: str) -> None:
        self.text += text
        if len(self.text) > MAX_TEXT:
            self.text = self.text[:MAX_TEXT]

    def _end(self, tag: str) -> None:
        place = "/".join(self.path[1:-1])
        if place == "size":
            self.size[tag] = self.text
        elif place == "object":
            self.objects[-1].texts.setdefault(tag, self.text)
        elif place == "object/bndbox":
            self.objects[-1].box.setdefault(tag, self.text)
        self.path.pop()
        self.text = ""
