"""How an input of the network lies in its picture, so that what is found in one can be said of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class View:
    """One input of the network: px of the input = px of the picture x `scale` + `shift`, each (x, y).

    `picture` is the picture's number, `size` its (height, width) px. A negative scale mirrors. A letterboxed picture
    has one view; a picture that is looked at in tiles, mirrored or at several scales has more.
    """

    picture: int
    size: tuple[int, int]
    scale: tuple[float, float]
    shift: tuple[float, float]

    def apply(self, boxes: np.ndarray) -> np.ndarray:
        """(N, 4) float32 xyxy px of the picture -> px of the input."""
        moved: np.ndarray = boxes * np.array(self.scale * 2, np.float32) + np.array(self.shift * 2, np.float32)
        return moved[:, self._corners]

    def undo(self, boxes: Tensor) -> Tensor:
        """(N, 4) xyxy px of the input -> px of the picture, beyond whose edges they may reach."""
        moved = (boxes - boxes.new_tensor(self.shift * 2)) / boxes.new_tensor(self.scale * 2)
        return moved[:, self._corners]

    def clip(self, boxes: Tensor) -> Tensor:
        """(N, 4) xyxy px of the picture, limited to it."""
        height, width = self.size
        limit = boxes.new_tensor([width, height] * 2)
        return boxes.clamp(min=torch.zeros_like(limit), max=limit)

    @property
    def _corners(self) -> list[int]:
        """The columns that are x1, y1, x2, y2 afterwards: a mirror swaps left and right, or top and bottom."""
        left, right = (0, 2) if self.scale[0] > 0 else (2, 0)
        top, bottom = (1, 3) if self.scale[1] > 0 else (3, 1)
        return [left, top, right, bottom]
