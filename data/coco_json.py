"""COCO annotation files: truth per picture, read once and checked entry by entry."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from data.books import Problem
from data.classes import ClassMap
from data.images import read_file
from data.labels import OVERHANG, ROUNDING, SMALLEST
from utils.errors import DataError, printable
from utils.names import name_key
from utils.text import did_you_mean

MAX_BYTES = 4 << 30


@dataclass(frozen=True, eq=False)
class CocoImage:
    """One entry of `images` with its annotations.

    `size` (height, width) px or None when the file does not say; `boxes` (N, 4) float64 xyxy px, `labels`
    (N,) int64 indices into the names, `crowd` (N,) bool; `where` names file and entry for messages.
    """

    image_id: int
    file_name: str
    size: tuple[int, int] | None
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    where: str


@dataclass(frozen=True, eq=False)
class CocoTruth:
    """A COCO file: its pictures in the order of the file, and the category id of each class.

    `repeated_ids` counts the annotations with the id of another one; nothing here goes by those ids.
    """

    path: Path
    category_ids: tuple[int, ...]
    repeated_ids: int
    images: tuple[CocoImage, ...]
    by_name: dict[str, CocoImage] = field(repr=False)
    by_base: dict[str, CocoImage | None] = field(repr=False)

    def find(self, picture: Path) -> CocoImage | None:
        """The entry of a picture: by its longest matching relative name, else by a unique base name."""
        parts = picture.parts
        for start in range(max(len(parts) - 8, 0), len(parts)):
            found = self.by_name.get("/".join(parts[start:]))
            if found is not None:
                return found
        return self.by_name.get(picture.as_posix()) or self.by_base.get(picture.name)

    def match(self, pictures: Iterable[Path]) -> dict[Path, CocoImage]:
        """The entries of those pictures; an entry that would serve two pictures serves neither."""
        found = {picture: entry for picture in pictures if (entry := self.find(picture)) is not None}
        uses: dict[int, int] = {}
        for entry in found.values():
            uses[entry.image_id] = uses.get(entry.image_id, 0) + 1
        return {picture: entry for picture, entry in found.items() if uses[entry.image_id] == 1}


def read_coco(path: Path, classes: ClassMap) -> CocoTruth:
    """Read COCO detection truth; categories are matched to the sources of `classes` by name or synonym.

    A class that the file lacks gets an unused category id. Raises DataError naming key and entry for anything that
    does not fit.
    """
    content = _parse(path)
    ids = _categories(path, content)
    rows = _annotations(path, content)
    used = {row["category_id"] for row in rows}
    unknown = used - ids.keys()
    if unknown:
        raise _error(path, "annotations", f"category_id {min(unknown)} is not in 'categories'")
    label_of = _labels(path, ids, used, classes)
    images = _images(path, content, rows, label_of)
    category_of = {label: key for key, label in label_of.items()}
    spare = max(ids, default=0) + 1
    category_ids = tuple(category_of.get(label, spare + label) for label in range(len(classes.sources)))
    by_base: dict[str, CocoImage | None] = {}
    for image in images:
        base = PurePosixPath(image.file_name).name
        by_base[base] = None if base in by_base else image
    by_name = {image.file_name: image for image in images}
    numbers = [row["id"] for row in rows if isinstance(row.get("id"), int)]
    return CocoTruth(path, category_ids, len(numbers) - len(set(numbers)), images, by_name, by_base)


def read_category_names(path: Path) -> tuple[str, ...]:
    """The categories of a COCO json in the order of their ids. Raises DataError.

    An unused one that only stands above the others is left out (Roboflow adds such).
    """
    content = _parse(path)
    ids = _categories(path, content)
    used = {row["category_id"] for row in _annotations(path, content)}
    above = {entry.get("supercategory") for entry in content["categories"]}
    tops = {entry["id"] for entry in content["categories"] if entry.get("supercategory") in (None, "none")}
    return tuple(ids[key] for key in sorted(ids) if key in used or key not in tops or ids[key] not in above)


def truth_of(image: CocoImage, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Problem]]:
    """An entry on its upright picture of `size` (height, width).

    Returns boxes (N, 4) float32 xyxy fractions, labels (N,), crowd (N,) and Problems. The rules are those of
    label files: edges up to 1 % outside are clipped, other rows become Problems.
    """
    boxes = image.boxes / np.array([size[1], size[0], size[1], size[0]], np.float64)
    over = np.maximum(-boxes.min(1, initial=0), boxes.max(1, initial=1) - 1)
    inside = np.clip(boxes, 0, 1)
    side, side_inside = (np.min(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, inside))
    outside = (side >= SMALLEST) & (over > OVERHANG)
    empty = ~outside & (np.minimum(side, side_inside) < SMALLEST)
    problems = []
    for row in np.flatnonzero(empty | outside):
        shown = " ".join(f"{value:.6g}" for value in image.boxes[row])
        reason = "empty_box" if empty[row] else "outside"
        words = "has no area" if empty[row] else f"lies outside the picture of {size[1]} x {size[0]}"
        message = f"annotation {row + 1} of '{printable(image.file_name)}': box {shown} (xyxy px) {words}"
        problems.append(Problem(image.where, reason, message))
    keep = ~(empty | outside)
    clipped = int((over[keep] > ROUNDING).sum())
    if clipped:
        message = "a box reached up to 1 % over the edge and was clipped"
        problems.append(Problem(image.where, "clipped", message, clipped))
    return inside[keep].astype(np.float32), image.labels[keep], image.crowd[keep], problems


def places_of(image: CocoImage, folders: Iterable[Path]) -> Iterator[Path]:
    """Where the picture of an entry may lie, likeliest first."""
    return (folder / image.file_name for folder in folders)


def _parse(path: Path) -> dict[str, Any]:
    raw = read_file(path, MAX_BYTES)
    try:
        content = json.loads(raw)
    except json.JSONDecodeError as error:
        raise DataError(f"{printable(str(path))}:{error.lineno}: not valid JSON: {error.msg}; mend it") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise DataError(f"{printable(str(path))}: not valid JSON: {type(error).__name__}; mend it") from error
    if isinstance(content, list):
        raise _error(path, "top level", "a list of detections, not truth; COCO truth is an object")
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise _error(path, key, "missing or not a list; this is not COCO detection truth")
        for index, entry in enumerate(content[key]):
            if not isinstance(entry, dict):
                raise _error(path, f"{key}[{index}]", "not an object")
    return content


def _error(path: Path, key: str, message: str, advice: str = "mend the file") -> DataError:
    return DataError(f"{printable(str(path))}: {key}: {message}; {advice}")


def _whole(path: Path, key: str, entry: dict[str, Any], name: str) -> int:
    value = entry.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        shown = "missing" if value is None else f"{printable(repr(value))[:40]}, not a whole number"
        raise _error(path, f"{key}.{name}", shown)
    return value


def _categories(path: Path, content: dict[str, Any]) -> dict[int, str]:
    """Category id -> name."""
    ids: dict[int, str] = {}
    for index, entry in enumerate(content["categories"]):
        key = f"categories[{index}]"
        number = _whole(path, key, entry, "id")
        if number in ids:
            raise _error(path, f"{key}.id", f"id {number} appears twice")
        if not isinstance(entry.get("name"), str):
            raise _error(path, f"{key}.name", "missing or not a text")
        ids[number] = entry["name"].strip()
    return ids


def _labels(path: Path, ids: dict[int, str], used: set[int], classes: ClassMap) -> dict[int, int]:
    """Category id -> source label; a category nobody uses may be strange (Roboflow adds such)."""
    known = classes.numbers()
    taken: dict[int, int] = {}
    for number in sorted(ids, key=lambda key: (key not in used, key)):
        label = known.get(name_key(ids[number]))
        if label is None and number in used:
            near = did_you_mean(ids[number], classes.sources)
            message = f"'{printable(ids[number])}' (id {number}) is not in the names of the data YAML{near}"
            raise _error(path, "categories", message, "mend one of the two")
        if label in taken.values() and number in used:
            raise _error(
                path, "categories", f"the class '{printable(ids[number])}' appears under two ids that are both used"
            )
        if label is not None and label not in taken.values():
            taken[number] = label
    return taken


def _annotations(path: Path, content: dict[str, Any]) -> list[dict[str, Any]]:
    """The annotations with their numbers checked."""
    for index, entry in enumerate(content["annotations"]):
        key = f"annotations[{index}]"
        _whole(path, key, entry, "image_id")
        _whole(path, key, entry, "category_id")
        box = entry.get("bbox")
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)):
            message = f"{printable(repr(box))[:60]} is not 4 finite numbers (x, y, width, height in px)"
            raise _error(path, f"{key}.bbox", message)
    return content["annotations"]


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < 1e9 and math.isfinite(value)


def _images(
    path: Path, content: dict[str, Any], rows: list[dict[str, Any]], label_of: dict[int, int]
) -> tuple[CocoImage, ...]:
    entries: dict[int, tuple[str, dict[str, Any]]] = {}
    names: set[str] = set()
    for index, entry in enumerate(content["images"]):
        key = f"images[{index}]"
        number = _whole(path, key, entry, "id")
        name = entry.get("file_name")
        if number in entries:
            raise _error(path, f"{key}.id", f"id {number} appears twice")
        if not isinstance(name, str) or not name.strip():
            raise _error(path, f"{key}.file_name", "missing or not a text")
        if name in names:
            raise _error(path, f"{key}.file_name", f"'{printable(name)}' appears twice")
        names.add(name)
        entries[number] = key, entry
    groups: dict[int, list[dict[str, Any]]] = {number: [] for number in entries}
    for index, row in enumerate(rows):
        if row["image_id"] not in groups:
            raise _error(path, f"annotations[{index}].image_id", f"no picture has id {row['image_id']}")
        groups[row["image_id"]].append(row)
    return tuple(_image(path, key, entry, groups[i], label_of) for i, (key, entry) in entries.items())


def _image(
    path: Path, key: str, entry: dict[str, Any], rows: list[dict[str, Any]], label_of: dict[int, int]
) -> CocoImage:
    size = None
    if entry.get("height") is not None and entry.get("width") is not None:
        size = _whole(path, key, entry, "height"), _whole(path, key, entry, "width")
    boxes = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return CocoImage(
        image_id=int(entry["id"]),
        file_name=entry["file_name"].strip().replace("\\", "/").removeprefix("./"),
        size=size,
        boxes=boxes,
        labels=np.array([label_of[row["category_id"]] for row in rows], np.int64),
        crowd=np.array([bool(row.get("iscrowd")) for row in rows], bool),
        where=f"{printable(str(path))}: {key}",
    )
