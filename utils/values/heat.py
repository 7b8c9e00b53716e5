"""Where in its picture the score of one box comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]  # xyxy px


@dataclass(frozen=True, eq=False)
class Heat:
    """Why a network found a box: what becomes of its likeness, score x overlap, when parts of the picture are hidden.

    `values` (h, w) float32 in 0..1: how far the likeness falls where a place is hidden, 1 where it falls most, all 0
    where nothing matters; spread evenly over the `area` (xyxy px) of a picture of `size` (height, width) px. `box` in
    px of the picture, `label` its class. The likeness, each 0..1: `score` as the picture is, `hidden` without the
    inside of the box, `alone` with nothing but that, `nothing` without both.
    """

    values: np.ndarray
    area: Box
    size: tuple[int, int]
    box: Box
    label: int
    score: float
    hidden: float
    alone: float
    nothing: float

    @property
    def inside(self) -> float:
        """The part 0..1 of the score that the pixels inside the box bring: what they add to their surroundings, and
        what they add to nothing, on average (their Shapley value).
        """
        return self._part(self.score - self.hidden + self.alone - self.nothing)

    @property
    def outside(self) -> float:
        """The part 0..1 of the score that all other pixels bring."""
        return self._part(self.score - self.alone + self.hidden - self.nothing)

    def _part(self, twice: float) -> float:
        return min(max(twice / 2 / self.score, 0.0), 1.0) if self.score > 0 else 0.0
