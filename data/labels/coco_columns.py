"""A COCO json as flat columns, read as a stream: a million pictures make no million objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from data.files.json_stream import read_lists
from utils.words.errors import DataError, printable

MAX_BYTES = 16 << 30
UNKNOWN = -(1 << 31)  # the size of a picture of which the file does not say it
LIMIT = 1 << 31
NO_LIST = "missing or not a list; this is not COCO detection truth"
UNSIZED = {"height": UNKNOWN, "width": UNKNOWN}
KEYS = ("images", "annotations", "categories")


class Column:
    """Numbers that are added piece by piece; they grow in place, so that they are never there twice.

    Whole numbers (kind i8) take four bytes each as long as that is enough.
    """

    def __init__(self, kind: str, width: int = 1) -> None:
        self.kind, self.width, self.raw = np.dtype("i4" if kind == "i8" else kind), width, bytearray()

    def add(self, values: Sequence[Any] | np.ndarray) -> None:
        """Append rows."""
        if self.kind == np.int32:
            rows = np.asarray(values, np.int64)
            if rows.size and not -LIMIT <= rows.min() <= rows.max() < LIMIT:
                self.raw = bytearray(np.frombuffer(self.raw, self.kind).astype(np.int64).tobytes())
                self.kind = np.dtype("i8")
        self.raw += np.ascontiguousarray(values, self.kind).tobytes()

    def array(self) -> np.ndarray:
        """(N,) or (N, width); nothing can be added afterwards."""
        flat = np.frombuffer(self.raw, self.kind)
        return flat if self.width == 1 else flat.reshape(-1, self.width)


@dataclass(frozen=True, eq=False)
class CocoColumns:
    """Of the pictures `image_ids` (P,), `sizes` (P, 2) int32 height and width px or UNKNOWN, `file_names`, all in UTF-8
    one after the other, and `file_name_ends` (P,); of the annotations `of_images` (N,), the ids of their pictures,
    `category_ids` (N,), `boxes` (N, 4) float64 xywh px, `crowd` (N,) bool. `categories` and `supercategories` by id.
    """

    image_ids: np.ndarray
    sizes: np.ndarray
    file_names: bytes
    file_name_ends: np.ndarray
    of_images: np.ndarray
    category_ids: np.ndarray
    boxes: np.ndarray
    crowd: np.ndarray
    repeated_ids: int  # annotations with the id of another one: said, but nothing goes by those ids
    categories: dict[int, str]
    supercategories: dict[int, Any]

    def file_name(self, index: int) -> str:
        """The name of a picture, with slashes."""
        start = int(self.file_name_ends[index - 1]) if index else 0
        return self.file_names[start : int(self.file_name_ends[index])].decode("utf-8", "surrogatepass")


def wrong(path: Path, key: str, message: str, advice: str = "mend the file") -> DataError:
    """A DataError that names file and entry."""
    return DataError(f"{printable(str(path))}: {key}: {message}; {advice}")


def read_columns(path: Path) -> CocoColumns:
    """Read and check a file. Raises DataError naming key and entry."""
    builder = _ColumnBuilder(path)
    takes: dict[str, Callable[[list[dict[str, Any]]], None]]
    takes = {"images": builder.add_images, "annotations": builder.add_annotations, "categories": builder.add_categories}
    missing = dict.fromkeys(KEYS, True)
    for key, entries in read_lists(path, KEYS, MAX_BYTES):
        if key == "[]":
            raise wrong(path, "top level", "a list of detections, not truth; COCO truth is an object")
        if entries is None:
            raise wrong(path, key or "images", NO_LIST)
        if not entries and not missing[key]:
            raise wrong(path, key, "appears twice")
        missing[key] = False
        if set(map(type, entries)) - {dict}:
            number = builder.done[key] + next(i for i, entry in enumerate(entries) if not isinstance(entry, dict))
            raise wrong(path, f"{key}[{number}]", "not an object")
        if entries:
            takes[key](entries)
            builder.done[key] += len(entries)
    for key in KEYS:
        if missing[key]:
            raise wrong(path, key, NO_LIST)
    return builder.columns()


@dataclass(eq=False)
class _ColumnBuilder:
    """The columns of a file while it is read; `done` counts the entries of each list."""

    path: Path
    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    image_ids: Column = field(default_factory=lambda: Column("i8"))
    sizes: Column = field(default_factory=lambda: Column("i4", 2))
    file_names: bytearray = field(default_factory=bytearray)
    file_name_lengths: Column = field(default_factory=lambda: Column("i8"))
    file_name_hashes: Column = field(default_factory=lambda: Column("i8"))
    of_images: Column = field(default_factory=lambda: Column("i8"))
    category_ids: Column = field(default_factory=lambda: Column("i8"))
    boxes: Column = field(default_factory=lambda: Column("f8", 4))
    crowd: Column = field(default_factory=lambda: Column("?"))
    ids: Column = field(default_factory=lambda: Column("i8"))
    categories: dict[int, str] = field(default_factory=dict)
    supercategories: dict[int, Any] = field(default_factory=dict)

    def add_images(self, entries: list[dict[str, Any]]) -> None:
        """Ids, sizes and names."""
        self.image_ids.add(self._whole("images", entries, "id"))
        sized = [entry if _is_sized(entry) else UNSIZED for entry in entries]
        sizes = np.stack([self._whole("images", sized, name) for name in ("height", "width")], 1)
        self.sizes.add(sizes.clip(UNKNOWN, -UNKNOWN - 1))  # beyond that it is no picture's anyway
        names = [entry.get("file_name") for entry in entries]
        for index, name in enumerate(names):
            if not isinstance(name, str) or not name.strip():
                key = f"images[{self.done['images'] + index}].file_name"
                raise wrong(self.path, key, "missing or not a text")
        raw = [_tidy(str(name)).encode("utf-8", "surrogatepass") for name in names]
        self.file_names += b"".join(raw)
        self.file_name_lengths.add([len(one) for one in raw])
        self.file_name_hashes.add([hash(name) for name in names])

    def add_annotations(self, entries: list[dict[str, Any]]) -> None:
        """Picture, category, box and whether it is a crowd's."""
        self.of_images.add(self._whole("annotations", entries, "image_id"))
        self.category_ids.add(self._whole("annotations", entries, "category_id"))
        boxes = [entry.get("bbox") for entry in entries]
        plain = set(map(type, boxes)) == {list} and set(map(len, boxes)) == {4}  # type: ignore[arg-type]
        values = list(chain.from_iterable(boxes)) if plain else []  # type: ignore[arg-type]
        if not plain or not {int, float}.issuperset(map(type, values)) or not _finite(values):
            for index, box in enumerate(boxes):
                if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)):
                    message = f"{printable(repr(box))[:60]} is not 4 finite numbers (x, y, width, height in px)"
                    raise wrong(self.path, f"annotations[{self.done['annotations'] + index}].bbox", message)
        self.boxes.add(values)
        self.crowd.add([bool(entry.get("iscrowd")) for entry in entries])
        ids = [entry.get("id") for entry in entries]
        self.ids.add([one for one in ids if type(one) is int and abs(one) < 1 << 63])

    def add_categories(self, entries: list[dict[str, Any]]) -> None:
        """Id and name."""
        numbers = self._whole("categories", entries, "id").tolist()
        for index, (entry, number) in enumerate(zip(entries, numbers, strict=True), self.done["categories"]):
            if number in self.categories:
                raise wrong(self.path, f"categories[{index}].id", f"id {number} appears twice")
            if not isinstance(entry.get("name"), str):
                raise wrong(self.path, f"categories[{index}].name", "missing or not a text")
            self.categories[number] = entry["name"].strip()
            self.supercategories[number] = entry.get("supercategory")

    def columns(self) -> CocoColumns:
        """The columns of the whole file."""
        repeated = _repeated(self.ids.array())
        self.ids = Column("i8")
        image_ids = self.image_ids.array()
        twice = _first_repeated(image_ids)
        if twice is not None:
            raise wrong(self.path, f"images[{twice}].id", f"id {image_ids[twice]} appears twice")
        file_names = bytes(self.file_names)
        self.file_names.clear()
        made = CocoColumns(
            image_ids=image_ids,
            sizes=self.sizes.array(),
            file_names=file_names,
            file_name_ends=self.file_name_lengths.array().cumsum(),
            of_images=self.of_images.array(),
            category_ids=self.category_ids.array(),
            boxes=self.boxes.array(),
            crowd=self.crowd.array(),
            repeated_ids=repeated,
            categories=self.categories,
            supercategories=self.supercategories,
        )
        twice = _first_repeated(self.file_name_hashes.array())
        if twice is not None:
            message = f"'{printable(made.file_name(twice))}' appears twice"
            raise wrong(self.path, f"images[{twice}].file_name", message)
        return made

    def _whole(self, key: str, entries: Sequence[dict[str, Any]], name: str) -> np.ndarray:
        """(N,) int64 the whole numbers under a name."""
        values = [entry.get(name) for entry in entries]
        if set(map(type, values)) <= {int}:
            try:
                return np.array(values, np.int64)
            except OverflowError:
                pass
        found = []
        for index, value in enumerate(values):
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 63:
                shown = "missing" if value is None else f"{printable(repr(value))[:40]}, not a whole number"
                raise wrong(self.path, f"{key}[{self.done[key] + index}].{name}", shown)
            found.append(value)
        return np.array(found, np.int64)


def _is_sized(entry: dict[str, Any]) -> bool:
    return entry.get("height") is not None and entry.get("width") is not None


def _tidy(name: str) -> str:
    return name.strip().replace("\\", "/").removeprefix("./")


def _finite(values: list[Any]) -> bool:
    try:
        numbers = np.array(values, np.float64)
    except OverflowError:
        return False
    return bool((np.abs(numbers) < 1e9).all())


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < 1e9 and math.isfinite(value)


def _repeated(values: np.ndarray) -> int:
    """How many are equal to another one; they are sorted in place."""
    values.sort()
    return int((values[1:] == values[:-1]).sum())


def _first_repeated(values: np.ndarray) -> int | None:
    """The index of the first that is equal to one before."""
    order = np.argsort(values, kind="stable")
    repeated = order[1:][values[order[1:]] == values[order[:-1]]]
    return int(repeated.min()) if len(repeated) else None
