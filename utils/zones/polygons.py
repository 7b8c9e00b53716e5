"""Points in polygons, many at once, all in NumPy.

Polygons are closed by themselves, without holes, and do not cross themselves. A point on an edge belongs to one side
of it: two polygons that share an edge share no point, and leave none out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

CHUNK = 1_000_000  # pairs of point and edge looked at in one go, so that memory stays flat


@dataclass(frozen=True, eq=False)
class Polygons:
    """P polygons as their E edges: `low` and `high` (E, 2) are their ends, the upper one (of less y) first, whichever
    way round the polygon goes; `starts` (P,) is where the edges of each begin.
    """

    low: np.ndarray
    high: np.ndarray
    starts: np.ndarray

    @cached_property
    def slope(self) -> np.ndarray:
        """(E, 1) how far an edge goes to the right while it goes down by 1; of a level one 0: no point is beside it."""
        right, down = (self.high - self.low).T
        return (right / np.where(down > 0, down, 1))[:, None]

    @classmethod
    def of(cls, corners: Sequence[np.ndarray]) -> Polygons:
        """Of each the corners (C, 2) float64 x, y."""
        assert corners, "no polygons"
        one = np.concatenate(corners)
        other = np.concatenate([np.roll(polygon, -1, 0) for polygon in corners])
        up = (one[:, 1] <= other[:, 1])[:, None]
        counts = [len(polygon) for polygon in corners]
        return cls(np.where(up, one, other), np.where(up, other, one), np.cumsum([0, *counts[:-1]]))

    def hold(self, points: np.ndarray) -> np.ndarray:
        """(P, N) bool: which polygon holds which of the points (N, 2) x, y."""
        step = max(CHUNK // len(self.low), 1)
        parts = [self._hold(points[start : start + step]) for start in range(0, len(points), step)]
        return np.concatenate(parts, 1) if parts else np.zeros((len(self.starts), 0), bool)

    def _hold(self, points: np.ndarray) -> np.ndarray:
        x, y = np.ascontiguousarray(points.T)
        left, top = self.low[:, :1], self.low[:, 1:]
        beside = (top <= y) & (y < self.high[:, 1:])  # (E, N)
        crossed = beside & (x < left + (y - top) * self.slope)
        # a ray to the right that begins inside of a polygon meets an odd number of its edges
        return np.bitwise_xor.reduceat(crossed, self.starts, 0)


def area(corners: np.ndarray) -> float:
    """Of the polygon with the corners (C, 2)."""
    x, y = (corners - corners[0]).T
    return float(abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2)


def in_line(corners: np.ndarray) -> bool:
    """Whether all corners (C, 2) lie on one line, or in one place."""
    shifted = corners - corners[0]
    far = shifted[np.argmax((shifted**2).sum(1))]
    return bool((np.abs(_cross(far, shifted)) <= 1e-9 * (far**2).sum()).all())


def crossing(corners: np.ndarray) -> tuple[int, int] | None:
    """The first two edges of the polygon with the corners (C, 2) that meet where they should not, as the corners that
    they begin at; None: there are none.
    """
    count = len(corners)
    ends = np.roll(corners, -1, 0)
    for i in range(count):
        a, b = corners[i], ends[i]
        j = np.arange(i + 1, count)
        met = _meet(a, b, corners[j], ends[j])
        # neighbours share a corner, and must not turn back on each other there; the last edge is one of the first's
        met[j == i + 1] = _turns_back(a, b, ends[(i + 1) % count])
        met[j == count - 1 + i] = _turns_back(corners[i - 1], a, b)
        if met.any():
            return i, int(j[met][0])
    return None


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(..., 2) x (..., 2): z of the cross product."""
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]


def _turns_back(before: np.ndarray, corner: np.ndarray, after: np.ndarray) -> bool:
    one, other = corner - before, after - corner
    return bool(_cross(one, other) == 0 and (one * other).sum() < 0)


def _meet(a: np.ndarray, b: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(M,) bool: which of the segments from `starts` to `ends` (M, 2) touch or cross the one from a to b."""
    sides = [np.sign(_cross(b - a, point - a)) for point in (starts, ends)]
    others = [np.sign(_cross(ends - starts, point - starts)) for point in (a, b)]
    apart = (sides[0] * sides[1] > 0) | (others[0] * others[1] > 0)
    # of segments in one line the sides say nothing: there their extents decide
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    clear = ((high < np.minimum(a, b)) | (low > np.maximum(a, b))).any(1)
    return ~apart & ~clear
