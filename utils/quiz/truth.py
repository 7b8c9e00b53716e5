"""What the annotations say about a picture, and where they leave it open.

Plain arithmetic on the annotated boxes, on purpose apart from the code that answers: it is what answers are held
against. The longer side of a box is its length, the shorter one its width, and the largest is the one of most area. A
thing is in a part of the picture when its centre is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.quiz.answer_words import PLACES
from utils.values.record import EVERY_CLASS, Record

MARGIN = 0.02  # nearer than that to a line, or to the second largest, people disagree

Area = tuple[float, float, float, float]  # xyxy, fractions of width and height


def _readings(place: int) -> tuple[Area, ...]:
    """What may be meant by a word of the grid: its cell; by `top` and the like also the whole third, or the half."""
    row, column = divmod(place, 3)
    cell = (column / 3, row / 3, (column + 1) / 3, (row + 1) / 3)
    if row == 1 and column != 1:
        left, right = column / 3, (column + 1) / 3
        return cell, (left, 0, right, 1), (0, 0, 0.5, 1) if column == 0 else (0.5, 0, 1, 1)
    if column == 1 and row != 1:
        return cell, (0, cell[1], 1, cell[3]), (0, 0, 1, 0.5) if row == 0 else (0, 0.5, 1, 1)
    return (cell,)


READINGS = tuple((word, area) for k, word in enumerate(PLACES) for area in _readings(k))
_WORDS = np.array([word for word, _ in READINGS])
_AREAS = np.array([area for _, area in READINGS])  # (R, 4)
_EDGES = (_AREAS <= 0) | (_AREAS >= 1)  # sides that are the picture's, where nobody is in doubt


@dataclass(frozen=True, eq=False)
class Truth:
    """The things in a picture of `size` (height, width) px: `boxes` (N, 4) float64 xyxy px within it, `labels` (N,),
    and the classes of which there are regions to ignore, so that nobody knows how many things there are.
    """

    boxes: np.ndarray
    labels: np.ndarray
    size: tuple[int, int]
    open_classes: frozenset[int] = frozenset()

    @classmethod
    def of(cls, record: Record) -> Truth:
        """Boxes end where the picture does, at 1/1000 px: stored as float32 fractions they come back a little off."""
        height, width = record.size
        boxes = (record.boxes.astype(float) * (width, height, width, height)).round(3)
        kept = ~record.crowd
        boxes = boxes[kept].reshape(-1, 4).clip(0, (width, height, width, height))
        return cls(boxes, record.labels[kept], record.size, frozenset(record.labels[record.open].tolist()))

    def complete(self, label: int | None = None) -> bool:
        """Whether all things of that class are boxed; None: of every class."""
        if label is None:
            return not self.open_classes
        return not self.open_classes & {label, EVERY_CLASS}

    def of_class(self, label: int | None = None) -> np.ndarray:
        """(n, 4) the boxes of a class; None: of all."""
        return self.boxes if label is None else self.boxes[self.labels == label]

    def count(self, label: int | None = None) -> int:
        """How many things there are of a class; None: of all."""
        return len(self.of_class(label))

    def largest(self, label: int) -> np.ndarray | None:
        """(4,) the box with most area; None where there is none, it is flat, or another is as large within 2 %."""
        boxes = self.of_class(label)
        areas = sides(boxes).prod(1)
        order = np.argsort(-areas, kind="stable")
        if not len(order) or areas[order[0]] <= 0 or (len(order) > 1 and not differ(*areas[order[:2]])):
            return None
        return boxes[order[0]]

    def place(self, box: np.ndarray) -> str:
        """The word of the 3 x 3 grid for the centre of a box; "" within 2 % of the picture's side from a line."""
        inside = self._inside(box[None], -MARGIN)[:, 0]
        return next((word for word in PLACES if inside[_WORDS == word][0]), "")  # the first reading is the cell

    def within(self, boxes: np.ndarray) -> dict[str, np.ndarray]:
        """For the words of the grid (n,) bool: which boxes are there. Words are left out for which that is a matter of
        opinion.
        """
        surely, perhaps = self._inside(boxes, -MARGIN), self._inside(boxes, MARGIN)
        known = {word: (surely[_WORDS == word].all(0), perhaps[_WORDS == word].any(0)) for word in PLACES}
        return {word: inside for word, (inside, near) in known.items() if (inside == near).all()}

    def share(self, label: int | None = None) -> float:
        """How much of the picture the boxes of a class cover together, 0..1; None: those of all."""
        return union_area(self.of_class(label)) / (self.size[0] * self.size[1])

    def _inside(self, boxes: np.ndarray, grown: float) -> np.ndarray:
        """(R, n) bool: whose centre is in the area of each reading, whose lines are moved outwards by `grown`."""
        height, width = self.size
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / (width, height)
        lines = _AREAS + np.where(_EDGES, 1.0, grown) * (-1, -1, 1, 1)
        after, before = lines[:, None, :2] <= centres, centres <= lines[:, None, 2:]
        return (after & before).all(2)


def sides(boxes: np.ndarray) -> np.ndarray:
    """(n, 2) width and height of (n, 4) xyxy."""
    return boxes[:, 2:] - boxes[:, :2]


def differ(one: float, other: float) -> bool:
    """Whether it is plain which of two sizes is the larger: by more than 2 % of it."""
    return abs(one - other) > MARGIN * max(one, other)


def union_area(boxes: np.ndarray) -> float:
    """What (n, 4) xyxy boxes cover together, where they overlap once. Exact: their edges, prolonged, cut the plane into
    cells, each of which a box covers whole or not at all.
    """
    xs, ys = np.unique(boxes[:, [0, 2]]), np.unique(boxes[:, [1, 3]])
    covered = np.zeros((max(len(ys) - 1, 0), max(len(xs) - 1, 0)), bool)
    places = np.searchsorted(xs, boxes[:, [0, 2]]), np.searchsorted(ys, boxes[:, [1, 3]])
    for (left, right), (top, bottom) in zip(*places, strict=True):
        covered[top:bottom, left:right] = True
    return float(np.diff(ys) @ covered @ np.diff(xs)) if covered.size else 0.0
