"""COCO annotation files: truth per picture, read once and checked entry by entry.

An annotation that is not right is a Problem of its picture, or of the file where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np

from data.files.data_report import Problem
from data.labels.classes import ClassMap
from data.labels.coco_columns import MOST_BAD, BadRow, CocoColumns, read_columns, wrong
from data.labels.coco_entries import LEAST_SIDE, UNKNOWN
from data.labels.long_rows import OVERHANG
from data.labels.loose_names import match_names
from data.labels.yolo_labels import ROUNDING, SMALLEST
from utils.words.class_names import name_key
from utils.words.errors import DataError, printable
from utils.words.text import counted, did_you_mean

NONE = np.zeros(0, np.int32)
NO_CLASS = -1
CHUNK = 1 << 16  # annotations


class CocoImage:
    """One entry of `images` with its annotations, made from the columns when it is asked for.

    `size` (height, width) px or None when the file does not say; `boxes` (N, 4) float64 xyxy px, `labels`
    (N,) int64 indices into the names, `crowd` (N,) bool; `where` names file and entry for messages.
    """

    __slots__ = ("_truth", "index")

    def __init__(self, truth: CocoTruth, index: int) -> None:
        self._truth, self.index = truth, index

    @property
    def image_id(self) -> int:
        """Its id in the file."""
        return int(self._truth.columns.image_ids[self.index])

    @property
    def file_name(self) -> str:
        """Its relative name with slashes."""
        return self._truth.columns.file_name(self.index)

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) px."""
        height, width = self._truth.columns.sizes[self.index].tolist()
        return None if height == UNKNOWN else (height, width)

    @property
    def where(self) -> str:
        """File and entry."""
        return f"{printable(str(self._truth.path))}: images[{self.index}]"

    @property
    def count(self) -> int:
        """Annotations, good or bad."""
        return len(self._truth.rows_of(self.index)) + len(self.bad)

    @property
    def bad(self) -> list[Problem]:
        """Its annotations that were left out."""
        return self._truth.bad.get(self.index, [])

    @property
    def boxes(self) -> np.ndarray:
        """(N, 4) float64 xyxy px."""
        return _corners(self._truth.columns.boxes[self._truth.rows_of(self.index)])

    @property
    def labels(self) -> np.ndarray:
        """(N,) int64."""
        return self._truth.labels[self._truth.rows_of(self.index)].astype(np.int64)

    @property
    def crowd(self) -> np.ndarray:
        """(N,) bool."""
        return self._truth.columns.crowd[self._truth.rows_of(self.index)]


@dataclass(frozen=True, eq=False)
class CocoTruth(Sequence[CocoImage]):
    """A COCO file: its pictures in the order of the file, and the category id of each class.

    `labels` (N,) int32 are those of the annotations in the order of the file; `order` (M,) int32 are those that can be
    used, sorted by picture; `ends` (P,) is where the annotations of each picture end in that order. `bad` are the
    annotations left out of each picture, `lost` those of no picture.
    """

    path: Path
    columns: CocoColumns
    category_ids: tuple[int, ...]
    labels: np.ndarray
    order: np.ndarray
    ends: np.ndarray
    bad: dict[int, list[Problem]]
    lost: tuple[Problem, ...]
    merged_ids: int  # category ids in use whose class has another one

    @property
    def notices(self) -> list[str]:
        """What is odd about the file."""
        said = []
        if repeated := self.columns.repeated_ids:
            said.append(f"{counted(repeated, 'annotation')} with the id of another one; every box is read")
        if self.merged_ids:
            words = "of a class that has another one; they are one class"
            said.append(f"{counted(self.merged_ids, 'category id')} {words}")
        return [f"{printable(str(self.path))}: {words}" for words in said]

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> CocoImage: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CocoImage]: ...
    def __getitem__(self, index: int | slice) -> CocoImage | Sequence[CocoImage]:
        numbers = range(len(self))[index]
        return CocoImage(self, numbers) if isinstance(numbers, int) else [CocoImage(self, i) for i in numbers]

    def rows_of(self, first: int, count: int = 1) -> np.ndarray:
        """(N,) the annotations of some pictures, by their number in the file."""
        return self.order[int(self.ends[first - 1]) if first else 0 : int(self.ends[first + count - 1])]

    @cached_property
    def names(self) -> dict[int, str]:
        """The file names of the entries that can be used."""
        return {index: self.columns.file_name(index) for index in np.flatnonzero(self.columns.usable).tolist()}

    def match(self, pictures: Sequence[Path]) -> tuple[dict[Path, CocoImage], list[Path]]:
        """The entries of those pictures, and which of these are named by another spelling; see `match_names`."""
        found, loosely = match_names(self.names, pictures)
        return {picture: self[index] for picture, index in found.items()}, loosely


def read_coco(path: Path, classes: ClassMap) -> CocoTruth:
    """Read COCO detection truth; categories are matched to the sources of `classes` by name or synonym.

    A class that the file lacks gets an unused category id. Raises DataError for a file that is no COCO truth, and for
    categories that are not among the classes, since then the whole data YAML is likely the wrong one.
    """
    columns = read_columns(path)
    used = np.unique(columns.category_ids)
    known = {key: name for key, name in columns.categories.items() if key not in columns.bad_categories}
    label_of = _labels(path, known, set(used.tolist()), classes)
    table = np.array([label_of.get(number, NO_CLASS) for number in used.tolist()], np.int32)
    labels = _by_chunks(columns.category_ids, lambda ids: table[np.searchsorted(used, ids)])
    pictures = _pictures(columns)
    usable = (pictures >= 0) & (labels != NO_CLASS)
    rows = np.flatnonzero(usable).astype(np.int32)
    bad, lost = _left_out(path, columns, pictures, np.flatnonzero(~usable).tolist())
    columns = replace(columns, of_images=NONE, category_ids=NONE)
    pictures = pictures[rows]
    order, ends = _sorted_rows(pictures, rows), np.bincount(pictures, minlength=len(columns.image_ids)).cumsum()
    category_of: dict[int, int] = {}
    for key, label in label_of.items():
        category_of.setdefault(label, key)
    spare = max(columns.categories, default=0) + 1
    category_ids = tuple(category_of.get(label, spare + label) for label in range(len(classes.sources)))
    merged = len(label_of) - len(set(label_of.values()))
    return CocoTruth(path, columns, category_ids, labels, order, ends, bad, lost, merged)


def _pictures(columns: CocoColumns) -> np.ndarray:
    """(N,) int32 the picture of each annotation, -1 for one without."""
    ids, wanted = columns.image_ids, columns.of_images
    sort = np.argsort(ids, kind="stable").astype(np.int32)
    sort = sort[columns.usable[sort]]
    if not len(sort):
        return np.full(len(wanted), -1, np.int32)
    ids_sorted, last = ids[sort], len(sort) - 1

    def look(part: np.ndarray) -> np.ndarray:
        places = np.searchsorted(ids_sorted, part).clip(max=last)
        return np.where(ids_sorted[places] == part, sort[places], np.int32(-1))

    return _by_chunks(wanted, look)


def _left_out(
    path: Path, columns: CocoColumns, pictures: np.ndarray, rows: list[int]
) -> tuple[dict[int, list[Problem]], tuple[Problem, ...]]:
    """The annotations that cannot be used: by picture, and those without one. `rows` have no picture or no class."""
    left_out = list(columns.bad_rows)
    for row in rows:
        image_id, category = int(columns.of_images[row]), int(columns.category_ids[row])
        where = f"{printable(str(path))}: annotations[{columns.annotation_number(row)}]"
        if pictures[row] < 0:
            left_out.append(BadRow(None, Problem(f"{where}.image_id", "no_picture", f"no picture has id {image_id}")))
        else:
            words = columns.bad_categories.get(category, f"{category} is not in 'categories'")
            left_out.append(BadRow(image_id, Problem(f"{where}.category_id", "class_id", words)))
        if len(left_out) > MOST_BAD:
            raise DataError(f"{left_out[0].problem}, and {counted(len(left_out) + len(rows), 'more problem')}; mend it")
    usable = np.flatnonzero(columns.usable).tolist() if left_out else []
    ids = {int(columns.image_ids[index]): index for index in usable}
    bad: dict[int, list[Problem]] = {}
    lost = []
    for one in left_out:
        if one.image_id in ids:
            bad.setdefault(ids[one.image_id], []).append(one.problem)
        else:
            lost.append(one.problem)
    return bad, tuple(lost)


def _sorted_rows(pictures: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(N,) int32: the rows in the order of their pictures, those of one picture in the order they had.

    Picture and row are packed into one number and sorted in place: argsort would take three times the memory.
    """
    keys = pictures.astype("<i8")
    keys <<= 32
    keys |= rows
    keys.sort()
    return keys.view("<i4")[::2].astype(np.int32)


def _by_chunks(values: np.ndarray, work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(N,) int32 or int64 of `work` on (N,) `values`, a piece at a time."""
    made = [work(values[start : start + CHUNK]) for start in range(0, len(values), CHUNK)]
    return np.concatenate(made) if made else NONE


def read_category_names(path: Path) -> tuple[str, ...]:
    """The categories of a COCO json in the order of their ids. Raises DataError.

    An unused one that only stands above the others is left out (Roboflow adds such).
    """
    columns = read_columns(path)
    for words in columns.bad_categories.values():
        raise DataError(f"{printable(str(path))}: {words}; mend the file, or write 'names' in the data YAML")
    ids = columns.categories
    above = set(columns.supercategories.values())
    used = set(np.unique(columns.category_ids).tolist())
    tops = {number for number, name in columns.supercategories.items() if name in ("", "none")}
    names = [ids[key] for key in sorted(ids) if key in used or key not in tops or ids[key] not in above]
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name_key(name), name)
    return tuple(found.values())


def truth_of(image: CocoImage, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Problem]]:
    """An entry on its upright picture of `size` (height, width).

    Returns boxes (N, 4) float32 xyxy fractions, labels (N,), crowd (N,) and Problems. The rules are those of
    label files: edges up to 1 % outside are clipped, other rows become Problems.
    """
    given = image.boxes
    inside, empty, outside, cut = _fit(given, np.array(size, np.float64))
    fraction = are_fractions(given, np.array(size))
    problems = list(image.bad)
    for row in np.flatnonzero(empty | outside | fraction):
        shown = " ".join(f"{value:.6g}" for value in given[row])
        reason = "fraction" if fraction[row] else "empty_box" if empty[row] else "outside"
        words = {
            "fraction": "looks like fractions of the picture; COCO counts in px",
            "empty_box": "has no area",
            "outside": f"lies outside the picture of {size[1]} x {size[0]}",
        }
        message = f"annotation {row + 1} of '{printable(image.file_name)}': box {shown} (xyxy px) {words[reason]}"
        problems.append(Problem(image.where, reason, message))
    keep = ~(empty | outside | fraction)
    clipped = int(cut[keep].sum())
    if clipped:
        message = "a box reached up to 1 % over the edge and was clipped"
        problems.append(Problem(image.where, "clipped", message, clipped))
    return inside[keep].astype(np.float32), image.labels[keep], image.crowd[keep], problems


def truths_of(truth: CocoTruth, first: int, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`truth_of` without its Problems for consecutive entries from `first` on, at once; `sizes` (P, 2) are those of
    their pictures.

    Returns boxes (N, 4) float32, labels (N,), crowd (N,) and how many each picture has (P,).
    """
    rows = truth.rows_of(first, len(sizes))
    ends = truth.ends[first : first + len(sizes)]
    counts = np.diff(ends, prepend=ends[0] - len(truth.rows_of(first)))
    pictures = np.repeat(np.arange(len(sizes)), counts)
    given = _corners(truth.columns.boxes[rows])
    inside, empty, outside, _ = _fit(given, sizes[pictures].astype(np.float64))
    keep = ~(empty | outside | are_fractions(given, sizes[pictures]))
    kept = np.bincount(pictures[keep], minlength=len(sizes))
    return inside[keep].astype(np.float32), truth.labels[rows[keep]], truth.columns.crowd[rows[keep]], kept


def _fit(boxes: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (N, 4) xyxy px as fractions inside their pictures of `sizes` (2,) or (N, 2), and which (N,) are empty, lie
    outside, were clipped.
    """
    fractions = boxes / sizes[..., [1, 0, 1, 0]]
    over = np.maximum(-fractions.min(1, initial=0), fractions.max(1, initial=1) - 1)
    inside = np.clip(fractions, 0, 1)
    side, side_inside = (np.min(b[:, 2:] - b[:, :2], axis=1) for b in (fractions, inside))
    outside = (side >= SMALLEST) & (over > OVERHANG)
    empty = ~outside & (np.minimum(side, side_inside) < SMALLEST)
    return inside, empty, outside, over > ROUNDING


def are_fractions(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(N,) bool: boxes (N, 4) xyxy that lie in the first pixel of a picture that has LEAST_SIDE of them, and are no
    whole numbers; `sizes` (2,) or (N, 2).
    """
    inside = (boxes.min(1, initial=0) >= 0) & (boxes.max(1, initial=0) <= 1 + OVERHANG)
    return inside & (sizes.min(-1) >= LEAST_SIDE) & (boxes % 1 != 0).any(1)


def _corners(boxes: np.ndarray) -> np.ndarray:
    """Xywh -> xyxy."""
    return np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), 1)


def _labels(path: Path, ids: dict[int, str], used: set[int], classes: ClassMap) -> dict[int, int]:
    """Category id -> source label, those in use first; an unused one may have any name (Roboflow adds some)."""
    known = classes.numbers()
    taken: dict[int, int] = {}
    for number in sorted(ids, key=lambda key: (key not in used, key)):
        label = known.get(name_key(ids[number]))
        if label is None and number in used:
            near = did_you_mean(ids[number], classes.sources)
            message = f"'{printable(ids[number])}' (id {number}) is not in the names of the data YAML{near}"
            raise wrong(path, "categories", message, "mend one of the two")
        if label is not None and (number in used or label not in taken.values()):
            taken[number] = label
    return taken
