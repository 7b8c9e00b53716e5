"""Thresholds chosen on some pictures and judged on others: cross-fitting (Stone 1974).

Thresholds look better on the pictures they were chosen on than on any that come later, the more so the more classes
there are. Judged on the fifth of the pictures that had no say, five times, they look as good as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from utils.scoring.matching import Matching

PARTS = 5

Choice = Callable[[Matching], Sequence[float]]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """`part` (P,) of each picture, and the thresholds `limits` (F, K) that the pictures outside each part choose."""

    part: np.ndarray
    limits: np.ndarray

    @classmethod
    def fixed(cls, pictures: int, thresholds: Sequence[float] | np.ndarray) -> CrossFit:
        """The same `thresholds` (K,) for so many pictures, which did not choose them."""
        return cls(np.zeros(pictures, np.int64), np.asarray(thresholds, float)[None])

    def each(self) -> list[CrossFit]:
        """The thresholds of each part for all pictures; none where no picture chose."""
        return [CrossFit.fixed(len(self.part), one) for one in self.limits] if len(self.limits) > 1 else []

    def found(self, matching: Matching) -> np.ndarray:
        """(T,) bool: the truth boxes that are found."""
        truth = matching.pairs.truth
        return matching.found_at() >= self.limits[self.part[truth.picture], truth.labels]

    def above(self, matching: Matching) -> np.ndarray:
        """(M,) bool: the detections that count in their picture."""
        boxes = matching.pairs.detections
        return matching.pairs.scores >= self.limits[self.part[boxes.picture], boxes.labels]


def cross_fit(matching: Matching, part: np.ndarray, choose: Choice) -> CrossFit:
    """`choose` on all but one of the parts, for each of them."""
    return CrossFit(part, np.array([choose(some) for some in without_each(matching, part)]))


def without_each(matching: Matching, part: np.ndarray) -> Iterator[Matching]:
    """All pictures but those of one part, for each part in turn."""
    return (matching.of_pictures(part != one) for one in range(part.max() + 1))


def parts_of(names: Sequence[str]) -> np.ndarray:
    """(P,) the part of each picture, PARTS of one size, drawn by their names, so that their order does not matter."""
    order = sorted(range(len(names)), key=lambda k: (zlib.crc32(names[k].encode("utf-8", "surrogateescape")), names[k]))
    part = np.empty(len(names), np.int64)
    part[order] = np.arange(len(names)) % PARTS
    return part
