"""COCO annotation files: truth per picture, read once and checked entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import overload

import numpy as np

from data.files.data_report import Problem
from data.labels.classes import ClassMap
from data.labels.coco_columns import UNKNOWN, CocoColumns, read_columns, wrong
from data.labels.yolo_labels import OVERHANG, ROUNDING, SMALLEST
from utils.words.class_names import name_key
from utils.words.errors import printable
from utils.words.text import did_you_mean

NONE = np.zeros(0, np.int32)
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
        """Annotations."""
        return len(self._truth.rows_of(self.index))

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

    `labels` (N,) int32 are those of the annotations in the order of the file; `order` (N,) int32 sorts them by picture,
    `ends` (P,) is where the annotations of each picture end in that order.
    """

    path: Path
    columns: CocoColumns
    category_ids: tuple[int, ...]
    labels: np.ndarray
    order: np.ndarray
    ends: np.ndarray

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
    def by_name(self) -> dict[str, int]:
        """File name -> its entry."""
        return {self.columns.file_name(index): index for index in range(len(self))}

    @cached_property
    def by_base(self) -> dict[str, int]:
        """Base name -> its entry, -1 for several."""
        found: dict[str, int] = {}
        for name, index in self.by_name.items():
            base = PurePosixPath(name).name if name[-1:] in "/." else name.rpartition("/")[2]
            found[base] = -1 if base in found else index
        return found

    def find(self, picture: Path) -> CocoImage | None:
        """The entry of a picture: by its longest matching relative name, else by a unique base name."""
        parts = picture.parts
        for start in range(max(len(parts) - 8, 0), len(parts)):
            found = self.by_name.get("/".join(parts[start:]))
            if found is not None:
                return self[found]
        found = self.by_name.get(picture.as_posix(), self.by_base.get(picture.name, -1))
        return self[found] if found >= 0 else None

    def match(self, pictures: Iterable[Path]) -> dict[Path, CocoImage]:
        """The entries of those pictures; an entry that would serve two pictures serves neither."""
        found = {picture: entry for picture in pictures if (entry := self.find(picture)) is not None}
        uses = np.bincount([entry.index for entry in found.values()], minlength=len(self))
        return {picture: entry for picture, entry in found.items() if uses[entry.index] == 1}


def read_coco(path: Path, classes: ClassMap) -> CocoTruth:
    """Read COCO detection truth; categories are matched to the sources of `classes` by name or synonym.

    A class that the file lacks gets an unused category id. Raises DataError naming key and entry for anything that
    does not fit.
    """
    columns = read_columns(path)
    used = np.unique(columns.category_ids)
    unknown = [number for number in used.tolist() if number not in columns.categories]
    if unknown:
        raise wrong(path, "annotations", f"category_id {unknown[0]} is not in 'categories'")
    label_of = _labels(path, columns.categories, set(used.tolist()), classes)
    table = np.array([label_of[number] for number in used.tolist()], np.int32)
    labels = _by_chunks(columns.category_ids, lambda ids: table[np.searchsorted(used, ids)])
    pictures = _pictures(path, columns)
    columns = replace(columns, of_images=NONE, category_ids=NONE)
    order, ends = _sorted_rows(pictures), np.bincount(pictures, minlength=len(columns.image_ids)).cumsum()
    category_of = {label: key for key, label in label_of.items()}
    spare = max(columns.categories, default=0) + 1
    category_ids = tuple(category_of.get(label, spare + label) for label in range(len(classes.sources)))
    return CocoTruth(path, columns, category_ids, labels, order, ends)


def _pictures(path: Path, columns: CocoColumns) -> np.ndarray:
    """(N,) int32 the picture of each annotation. Raises DataError for one without."""
    ids, wanted = columns.image_ids, columns.of_images
    sort = np.argsort(ids, kind="stable").astype(np.int32)
    if len(sort):
        last = len(sort) - 1
        pictures = _by_chunks(wanted, lambda part: sort[np.searchsorted(ids, part, sorter=sort).clip(max=last)])
        lost = np.flatnonzero(ids[pictures] != wanted)
    else:
        pictures, lost = NONE, np.arange(len(wanted))
    if len(lost):
        raise wrong(path, f"annotations[{lost[0]}].image_id", f"no picture has id {wanted[lost[0]]}")
    return pictures


def _sorted_rows(pictures: np.ndarray) -> np.ndarray:
    """(N,) int32: the rows in the order of their pictures, those of one picture in the order they had.

    Picture and row are packed into one number and sorted in place: argsort would take three times the memory.
    """
    keys = pictures.astype("<i8")
    keys <<= 32
    keys |= np.arange(len(keys), dtype=np.int32)
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
    ids, above = columns.categories, set(columns.supercategories.values())
    used = set(np.unique(columns.category_ids).tolist())
    tops = {number for number, name in columns.supercategories.items() if name in (None, "none")}
    return tuple(ids[key] for key in sorted(ids) if key in used or key not in tops or ids[key] not in above)


def truth_of(image: CocoImage, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Problem]]:
    """An entry on its upright picture of `size` (height, width).

    Returns boxes (N, 4) float32 xyxy fractions, labels (N,), crowd (N,) and Problems. The rules are those of
    label files: edges up to 1 % outside are clipped, other rows become Problems.
    """
    given = image.boxes
    inside, empty, outside, cut = _fit(given, np.array(size, np.float64))
    problems = []
    for row in np.flatnonzero(empty | outside):
        shown = " ".join(f"{value:.6g}" for value in given[row])
        reason = "empty_box" if empty[row] else "outside"
        words = "has no area" if empty[row] else f"lies outside the picture of {size[1]} x {size[0]}"
        message = f"annotation {row + 1} of '{printable(image.file_name)}': box {shown} (xyxy px) {words}"
        problems.append(Problem(image.where, reason, message))
    keep = ~(empty | outside)
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
    inside, empty, outside, _ = _fit(_corners(truth.columns.boxes[rows]), sizes[pictures].astype(np.float64))
    keep = ~(empty | outside)
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


def _corners(boxes: np.ndarray) -> np.ndarray:
    """Xywh -> xyxy."""
    return np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), 1)


def _labels(path: Path, ids: dict[int, str], used: set[int], classes: ClassMap) -> dict[int, int]:
    """Category id -> source label; an unused category may be malformed (Roboflow adds some)."""
    known = classes.numbers()
    taken: dict[int, int] = {}
    for number in sorted(ids, key=lambda key: (key not in used, key)):
        label = known.get(name_key(ids[number]))
        if label is None and number in used:
            near = did_you_mean(ids[number], classes.sources)
            message = f"'{printable(ids[number])}' (id {number}) is not in the names of the data YAML{near}"
            raise wrong(path, "categories", message, "mend one of the two")
        if label in taken.values() and number in used:
            raise wrong(
                path, "categories", f"the class '{printable(ids[number])}' appears under two ids that are both used"
            )
        if label is not None and label not in taken.values():
            taken[number] = label
    return taken
