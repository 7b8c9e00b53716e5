"""How an input of the network lies in its picture, so that what is found in one can be said of the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class View:
    """One input of the network: px of the input = px of the picture x `scale` + `shift`, each (x, y).

    `picture` is the picture's number, `size` its (height, width) px. A negative scale mirrors. A letterboxed picture
    has one view; a picture that is looked at in tiles, mirrored or at several scales has more: this is number `part`
    of `parts`, and shows the `area` (xyxy px, None: all) of it. Views of one `look`, of so many `looks`, show the
    picture once altogether.
    """

    picture: int
    size: tuple[int, int]
    scale: tuple[float, float]
    shift: tuple[float, float]
    area: tuple[int, int, int, int] | None = None
    part: int = 0
    parts: int = 1
    look: int = 0
    looks: int = 1

    @property
    def shown(self) -> tuple[int, int, int, int]:
        """Xyxy px of the picture: what of it the input shows."""
        return self.area or (0, 0, self.size[1], self.size[0])

    def of_area(self, area: tuple[int, int, int, int], size: tuple[int, int]) -> View:
        """The view of a picture of `size`, where this one is of its `area` as if that were a picture."""
        x, y = self.shift[0] - self.scale[0] * area[0], self.shift[1] - self.scale[1] * area[1]
        return replace(self, size=size, shift=(x, y), area=area)

    def mirrored(self, across: bool, down: bool, canvas: tuple[int, int]) -> View:
        """The view of an input of size `canvas` (height, width) that was mirrored left-right, top-bottom."""
        flips = (across, canvas[1]), (down, canvas[0])
        scale = tuple(-one if flip else one for one, (flip, _) in zip(self.scale, flips, strict=True))
        shift = tuple(length - one if flip else one for one, (flip, length) in zip(self.shift, flips, strict=True))
        return replace(self, scale=(scale[0], scale[1]), shift=(shift[0], shift[1]))

    def apply(self, boxes: np.ndarray) -> np.ndarray:
        """(N, 4) float32 xyxy px of the picture -> px of the input."""
        moved: np.ndarray = boxes * np.array(self.scale * 2, np.float32) + np.array(self.shift * 2, np.float32)
        return moved[:, self._corners]

    def undo(self, boxes: Tensor) -> Tensor:
        """(N, 4) xyxy px of the input -> px of the picture, beyond whose edges they may reach."""
        moved = (boxes - boxes.new_tensor(self.shift * 2)) / boxes.new_tensor(self.scale * 2)
        return moved[:, self._corners]

    def clip(self, boxes: Tensor) -> Tensor:
        """(N, 4) xyxy px of the picture, limited to what is shown of it."""
        left, top, right, bottom = self.shown
        least, most = boxes.new_tensor([left, top] * 2), boxes.new_tensor([right, bottom] * 2)
        return boxes.clamp(min=least, max=most)

    @property
    def _corners(self) -> list[int]:
        """The columns that are x1, y1, x2, y2 afterwards: a mirror swaps left and right, or top and bottom."""
        left, right = (0, 2) if self.scale[0] > 0 else (2, 0)
        top, bottom = (1, 3) if self.scale[1] > 0 else (3, 1)
        return [left, top, right, bottom]
