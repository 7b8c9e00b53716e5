"""What was found in one picture, ready to be measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from utils.deciding.threshold_file import DIGITS
from utils.questions.question import COMPARED, Limit, Measure, Place, Subject, Trait
from utils.values.answer import Evidence
from utils.values.detections import Detections
from utils.values.masks import Rle, decode_mask

# longer side of a thing over the picture's longer side
TINY, SMALL, LARGE = 0.02, 0.1, 0.3
ELONGATED, ROUND = 3.0, 1.5  # longer side over shorter side: at least, at most
ROUND_FILL = (0.65, 0.9)  # share of its box that a mask covers; a disc: pi / 4


@dataclass(frozen=True, eq=False)
class FoundThings:
    """N things in a picture of `size` (height, width) px: `boxes` (N, 4) float64 xyxy px within it, `scores` (N,),
    `labels` (N,), best first. `mm_per_px`: the side of a pixel where it is known; `masks` (N) where they are.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    size: tuple[int, int]
    mm_per_px: float | None = None
    masks: tuple[Rle, ...] = ()

    @classmethod
    def of(cls, found: Detections, size: tuple[int, int], mm_per_px: float | None = None) -> FoundThings:
        """The detections of a picture of that size, surest first, then by class and box; boxes end where the picture
        does. Scores are rounded as they are written, so that thresholds part them as they do everywhere.
        """
        scores, labels = found.scores.numpy().astype(float).round(DIGITS), found.labels.numpy()
        height, width = size
        boxes = found.boxes.numpy().astype(float).reshape(-1, 4).clip(0, (width, height, width, height))
        order = np.lexsort((*boxes.T[::-1], labels, -scores))  # the last key sorts first
        masks = tuple(found.masks[k] for k in order) if found.masks else ()
        return cls(boxes[order], scores[order], labels[order], found.names, size, mm_per_px, masks)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def best(self) -> float:
        """The best score; 0 without any."""
        return float(self.scores.max(initial=0))

    def at(self, chosen: np.ndarray | slice) -> FoundThings:
        """Those at the indices `chosen`, or where it is True."""
        picked = np.arange(len(self))[chosen]
        masks = tuple(self.masks[k] for k in picked) if self.masks else ()
        return replace(
            self, boxes=self.boxes[picked], scores=self.scores[picked], labels=self.labels[picked], masks=masks
        )

    def sides(self) -> np.ndarray:
        """(N, 2) width and height, px."""
        return self.boxes[:, 2:] - self.boxes[:, :2]

    def centres(self) -> np.ndarray:
        """(N, 2) in fractions of the picture's width and height."""
        height, width = self.size
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2 / (width, height)

    def areas(self) -> np.ndarray:
        """(N,) px2: of the masks, or of the boxes."""
        if not self.masks:
            return self.sides().prod(1)
        return np.array([decode_mask(one).sum() for one in self.masks], float)

    def measured(self, measure: Measure) -> np.ndarray:
        """(N,) px, or px2 for an area."""
        sides = self.sides()
        match measure:
            case Measure.LENGTH:
                return sides.max(1, initial=0)
            case Measure.WIDTH:
                return sides.min(1, initial=np.inf)
            case Measure.HEIGHT:
                return sides[:, 1]
            case Measure.AREA:
                return self.areas()
            case Measure.LEFT | Measure.TOP:
                return self.boxes[:, int(measure is Measure.TOP)]
            case Measure.SCORE:
                return self.scores

    def in_unit(self, pixels: np.ndarray, unit: str) -> np.ndarray:
        """Lengths in px, or areas in px2, in `unit`. mm and mm2 need `mm_per_px`."""
        if unit in ("px", "px2"):
            return pixels
        if unit == "%":
            return pixels / (self.size[0] * self.size[1]) * 100
        assert self.mm_per_px is not None, "who asks in mm was asked for the scale before"
        return pixels * self.mm_per_px ** (2 if unit == "mm2" else 1)

    def covered(self) -> float:
        """px2 that all of them cover together: where two overlap, once."""
        canvas = np.zeros(self.size, bool)
        if self.masks:
            for one in self.masks:
                canvas |= decode_mask(one)
            return float(canvas.sum())
        return union_area(self.boxes)

    def that_are(self, subject: Subject, labels: frozenset[int]) -> np.ndarray:
        """(N,) bool: those of the classes `labels` that pass every filter of `subject` but its rank."""
        kept = np.isin(self.labels, list(labels))
        for limit in subject.limits:
            kept &= self._within(limit)
        for place in subject.places:
            kept &= self.inside(place)
        for trait in subject.traits:
            kept &= self.has(trait)
        return kept

    def inside(self, place: Place) -> np.ndarray:
        """(N,) bool: those whose centre lies there; a line between two places belongs to the lower or right one."""
        x1, y1, x2, y2 = place.box
        x, y = self.centres().T
        return (x >= x1) & ((x < x2) | (x2 >= 1)) & (y >= y1) & ((y < y2) | (y2 >= 1))

    def has(self, trait: Trait) -> np.ndarray:
        """(N,) bool. Sizes are told by the longer side against the picture's; shapes by box, or mask where there is
        one.
        """
        share = self.measured(Measure.LENGTH) / max(self.size)
        match trait:
            case Trait.TINY:
                return share < TINY
            case Trait.SMALL:
                return share < SMALL
            case Trait.MEDIUM:
                return (share >= SMALL) & (share < LARGE)
            case Trait.LARGE:
                return share >= LARGE
            case Trait.ELONGATED:
                return self.elongation() >= ELONGATED
            case Trait.ROUND:
                return np.array([self.shape(k) == "round" for k in range(len(self))], bool)

    def elongation(self) -> np.ndarray:
        """(N,) longer side over shorter side, of the box, or of the tightest rectangle around the mask: a scratch that
        runs from corner to corner fills a square box.
        """
        sides = self.sides()
        if self.masks:
            sides = np.array([_tightest(one) for one in self.masks]).reshape(-1, 2)
        return sides.max(1, initial=0) / np.maximum(sides.min(1, initial=np.inf), 1e-9)

    def shape(self, index: int) -> str:
        """elongated, round, or irregular."""
        aspect = self.elongation()[index]
        if aspect >= ELONGATED:
            return "elongated"
        if aspect > ROUND:
            return "irregular"
        if not self.masks:
            return "round"
        fill = decode_mask(self.masks[index]).sum() / max(self.sides()[index].prod(), 1)
        return "round" if ROUND_FILL[0] <= fill <= ROUND_FILL[1] else "irregular"

    def evidence(self, indices: np.ndarray) -> tuple[Evidence, ...]:
        """Those at `indices`, in that order."""
        return tuple(
            Evidence(self.names[self.labels[k]], float(self.scores[k]), tuple(self.boxes[k].tolist())) for k in indices
        )

    def _within(self, limit: Limit) -> np.ndarray:
        values = self.in_unit(self.measured(limit.measure), limit.unit)
        passed: np.ndarray = COMPARED[limit.sign](values, limit.value)
        return passed


def _tightest(mask: Rle) -> tuple[float, float]:
    """Sides of the smallest rectangle, turned as may be, around a mask; 0, 0 of an empty one."""
    points = np.argwhere(decode_mask(mask)).astype(np.float32)
    if not len(points):
        return 0.0, 0.0
    one, other = cv2.minAreaRect(points)[1]  # around the centres of the pixels: half a pixel less on each side
    return one + 1, other + 1


def union_area(boxes: np.ndarray) -> float:
    """Area of the union of (N, 4) xyxy boxes: exact, by the grid that their sides make."""
    xs, ys = np.unique(boxes[:, 0::2]), np.unique(boxes[:, 1::2])
    inside = np.zeros((max(len(ys) - 1, 0), max(len(xs) - 1, 0)), bool)
    for x1, y1, x2, y2 in boxes:
        inside[np.searchsorted(ys, y1) : np.searchsorted(ys, y2), np.searchsorted(xs, x1) : np.searchsorted(xs, x2)] = (
            True
        )
    return float((inside * np.diff(ys)[:, None] * np.diff(xs)[None]).sum())
