"""A COCO json as flat columns, read as a stream: a million pictures make no million objects.

An entry that is not right is left out and said; the others are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from data.files.data_report import Problem
from data.files.json_stream import read_lists
from data.files.number_column import LIMIT, Column
from data.labels.coco_entries import (
    UNKNOWN,
    Annotation,
    BadEntry,
    Picture,
    number_of,
    read_annotation,
    read_picture,
    whole_number,
)
from utils.words.class_names import name_key
from utils.words.errors import DataError, printable

MAX_BYTES = 16 << 30
MOST_BAD = 10_000  # entries left out of one file; more is no slip of the pen
NO_LIST = "missing or not a list; this is not COCO detection truth"
NO_PICTURE = Picture(0, UNKNOWN, UNKNOWN, "")
KEYS = ("images", "annotations", "categories")
PLAIN_CROWD = frozenset((None, 0, 1))

Rows = tuple[Sequence[int] | np.ndarray, Sequence[int] | np.ndarray, Sequence[list[float]], Sequence[bool]]


@dataclass(frozen=True, eq=False)
class BadRow:
    """An annotation that was left out, and the id of its picture where it says one."""

    image_id: int | None
    problem: Problem


@dataclass(frozen=True, eq=False)
class CocoColumns:
    """Of the pictures `image_ids` (P,), `sizes` (P, 2) int32 height and width px or UNKNOWN, `file_names`, all in UTF-8
    one after the other, `file_name_ends` (P,) and `usable` (P,), false where `bad_images` says why; of the annotations
    `of_images` (N,), the ids of their pictures, `category_ids` (N,), `boxes` (N, 4) float64 xywh px, `crowd` (N,) bool.

    `numbers_left_out` (B,) are the places in the file of the annotations that were left out, `bad_rows` say why.
    `categories` and `supercategories` are by id; `bad_categories` says of an id why it names no class.
    """

    image_ids: np.ndarray
    sizes: np.ndarray
    file_names: bytes
    file_name_ends: np.ndarray
    usable: np.ndarray
    bad_images: tuple[Problem, ...]
    of_images: np.ndarray
    category_ids: np.ndarray
    boxes: np.ndarray
    crowd: np.ndarray
    numbers_left_out: np.ndarray
    bad_rows: tuple[BadRow, ...]
    repeated_ids: int  # annotations with the id of another one: said, but nothing goes by those ids
    categories: dict[int, str]
    supercategories: dict[int, str]
    bad_categories: dict[int, str]

    @property
    def annotation_count(self) -> int:
        """Entries of `annotations` in the file, good or bad."""
        return len(self.boxes) + len(self.bad_rows)

    def annotation_number(self, row: int) -> int:
        """The place in the file of a row of the columns."""
        before = self.numbers_left_out - np.arange(len(self.numbers_left_out))
        return row + int(np.searchsorted(before, row, side="right"))

    def file_name(self, index: int) -> str:
        """The name of a picture, with slashes."""
        start = int(self.file_name_ends[index - 1]) if index else 0
        return self.file_names[start : int(self.file_name_ends[index])].decode("utf-8", "surrogatepass")


def wrong(path: Path, key: str, message: str, advice: str = "mend the file") -> DataError:
    """A DataError that names file and entry."""
    return DataError(f"{printable(str(path))}: {key}: {message}; {advice}")


def read_columns(path: Path) -> CocoColumns:
    """Read and check a file. Raises DataError for what is no COCO truth, or has more than MOST_BAD bad entries."""
    builder = _ColumnBuilder(path)
    takes: dict[str, Callable[[list[Any]], None]]
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
    supercategories: dict[int, str] = field(default_factory=dict)
    bad_categories: dict[int, str] = field(default_factory=dict)
    bad_images: dict[int, Problem] = field(default_factory=dict)  # by place in the file
    bad_rows: dict[int, BadRow] = field(default_factory=dict)

    def add_images(self, entries: list[Any]) -> None:
        """Ids, sizes and names; a bad one keeps its place."""
        pictures = _plain_pictures(entries) or [
            self._picture(number, entry) for number, entry in enumerate(entries, self.done["images"])
        ]
        ids, heights, widths, names = zip(*pictures, strict=True)
        self.image_ids.add(ids)
        self.sizes.add(np.array((heights, widths), np.int64).T)
        raw = [_tidy(name).encode("utf-8", "surrogatepass") for name in names]
        self.file_names += b"".join(raw)
        self.file_name_lengths.add([len(one) for one in raw])
        self.file_name_hashes.add([hash(name) for name in raw])

    def _picture(self, number: int, entry: Any) -> Picture:
        try:
            return read_picture(entry)
        except BadEntry as error:
            self.bad_images[number] = self._problem("images", number, error.key, error.reason, str(error))
            return NO_PICTURE

    def add_annotations(self, entries: list[Any]) -> None:
        """Picture, category, box and whether it is a crowd's; bad ones are left out."""
        rows = _plain_annotations(entries) or self._annotations(entries)
        if rows is None:
            return
        of_images, category_ids, boxes, crowd = rows
        self.of_images.add(of_images)
        self.category_ids.add(category_ids)
        self.boxes.add(list(chain.from_iterable(boxes)))
        self.crowd.add(crowd)
        ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
        self.ids.add([one for one in ids if type(one) is int and abs(one) < 1 << 63])

    def _annotations(self, entries: list[Any]) -> Rows | None:
        """The good ones of entries, each looked at; None when there are none."""
        start = self.done["annotations"]
        good = [row for number, e in enumerate(entries, start) if (row := self._annotation(number, e)) is not None]
        if not good:
            return None
        of_images, category_ids, boxes, crowd = zip(*good, strict=True)
        return of_images, category_ids, boxes, crowd

    def _annotation(self, number: int, entry: Any) -> Annotation | None:
        try:
            return read_annotation(entry)
        except BadEntry as error:
            problem = self._problem("annotations", number, error.key, error.reason, str(error))
            image_id = whole_number(entry.get("image_id")) if isinstance(entry, dict) else None
            self.bad_rows[number] = BadRow(image_id, problem)
            return None

    def _problem(self, key: str, number: int, name: str, reason: str, words: str) -> Problem:
        place = f"{key}[{number}]{name and f'.{name}'}"
        if len(self.bad_rows) + len(self.bad_images) >= MOST_BAD:
            raise wrong(self.path, place, f"{words}; so are more than {MOST_BAD:,} others")
        return Problem(f"{printable(str(self.path))}: {place}", reason, words)

    def add_categories(self, entries: list[Any]) -> None:
        """Id and name. One that is not right matters only when an annotation is of it."""
        for index, entry in enumerate(entries, self.done["categories"]):
            try:
                number = number_of(entry, "id") if isinstance(entry, dict) else None
            except BadEntry:
                number = None
            if number is None:
                continue
            name = entry.get("name")
            text = str(name).strip() if isinstance(name, str | int | float) and not isinstance(name, bool) else ""
            if not isinstance(name, str) and not text:
                self.bad_categories[number] = f"categories[{index}].name: missing or not a text"
            elif name_key(self.categories.setdefault(number, text)) != name_key(text):
                self.bad_categories[number] = f"categories[{index}].id: id {number} appears twice"
            self.supercategories[number] = str(entry.get("supercategory") or "")

    def columns(self) -> CocoColumns:
        """The columns of the whole file."""
        repeated = _repeated(self.ids.array())
        self.ids = Column("i8")
        image_ids = self.image_ids.array()
        usable = self._usable(image_ids, self.file_name_hashes.array())
        file_names = bytes(self.file_names)
        self.file_names.clear()
        return CocoColumns(
            image_ids=image_ids,
            sizes=self.sizes.array(),
            file_names=file_names,
            file_name_ends=self.file_name_lengths.array().cumsum(),
            usable=usable,
            bad_images=tuple(self.bad_images.values()),
            of_images=self.of_images.array(),
            category_ids=self.category_ids.array(),
            boxes=self.boxes.array(),
            crowd=self.crowd.array(),
            numbers_left_out=np.array(list(self.bad_rows), np.int64),
            bad_rows=tuple(self.bad_rows.values()),
            repeated_ids=repeated,
            categories=self.categories,
            supercategories=self.supercategories,
            bad_categories=self.bad_categories,
        )

    def _usable(self, image_ids: np.ndarray, names: np.ndarray) -> np.ndarray:
        """(P,) bool: not those that say nothing, name a picture that another names too, or share an id with another.

        Which of those an annotation means cannot be told; the same entry twice is read once.
        """
        usable = np.ones(len(image_ids), bool)
        usable[list(self.bad_images)] = False
        for number, first in zip(*_equals(names, usable), strict=True):
            usable[number] &= number == first
            if image_ids[first] != image_ids[number]:
                words = f"images[{first}] has this name, too, under another id"
                self.bad_images[number] = self._problem("images", number, "file_name", "repeated", words)
        for number, _ in zip(*_equals(image_ids, usable), strict=True):
            words = f"id {image_ids[number]} appears twice"
            self.bad_images[number] = self._problem("images", number, "id", "repeated", words)
            usable[number] = False
        return usable


def _plain_pictures(entries: list[Any]) -> list[Picture] | None:
    """Entries as most files have them, without a look at each; None when one is not so."""
    try:
        pictures = [Picture(e.get("id"), e.get("height"), e.get("width"), e.get("file_name")) for e in entries]
    except AttributeError:
        return None
    ids, heights, widths, names = zip(*pictures, strict=True)
    if set(map(type, chain(ids, heights, widths))) != {int} or set(map(type, names)) != {str}:
        return None
    fits = 0 < min(*heights, *widths) <= max(*heights, *widths) < LIMIT and -(1 << 63) < min(ids) <= max(ids) < 1 << 63
    return pictures if fits and all(map(str.strip, names)) else None


def _plain_annotations(entries: list[Any]) -> Rows | None:
    """Image ids, category ids, boxes and crowd of entries as most files have them; None when one is not so."""
    try:
        of_images = [entry.get("image_id") for entry in entries]
        category_ids = [entry.get("category_id") for entry in entries]
        boxes = [entry.get("bbox") for entry in entries]
        crowd = [entry.get("iscrowd") for entry in entries]
        if not PLAIN_CROWD.issuperset(crowd) or set(map(type, boxes)) != {list} or set(map(len, boxes)) != {4}:
            return None
        if set(map(type, of_images)) != {int} or set(map(type, category_ids)) != {int}:
            return None
        values = list(chain.from_iterable(boxes))
        if not {int, float}.issuperset(map(type, values)) or not (np.abs(np.array(values, np.float64)) < 1e9).all():
            return None
        return np.array(of_images, np.int64), np.array(category_ids, np.int64), boxes, list(map(bool, crowd))
    except (AttributeError, TypeError, OverflowError):  # no object, a list as iscrowd, a number beyond 64 bits
        return None


def _tidy(name: str) -> str:
    return name.strip().replace("\\", "/").removeprefix("./")


def _repeated(values: np.ndarray) -> int:
    """How many are equal to another one; they are sorted in place."""
    values.sort()
    return int((values[1:] == values[:-1]).sum())


def _equals(values: np.ndarray, usable: np.ndarray) -> tuple[list[int], list[int]]:
    """The places of usable values that are equal to another usable one, and for each the first of its equals."""
    order = np.argsort(values, kind="stable")
    order = order[usable[order]]
    same = values[order[1:]] == values[order[:-1]]
    begins = np.concatenate(([True], ~same))[: len(order)]
    firsts = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))] if len(order) else order
    several = ~begins | np.concatenate((same, [False]))[: len(order)]
    return order[several].tolist(), firsts[several].tolist()
