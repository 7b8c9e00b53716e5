"""Where the tiles of a picture lie. NumPy alone: an exported bundle takes this file along as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tiling:
    """How pictures are cut: squares of `side` px that overlap by at least the part `overlap` (0 to below 1) of that, to
    the nearest px.

    `whole`: a picture that is larger than a tile is looked at as a whole, too, shrunk to the size of a tile.
    """

    side: int
    overlap: float = 0.2
    whole: bool = False

    def spans(self, length: int) -> np.ndarray:
        """(T, 2) int32: start and end px of the tiles along a side of that length. The last one moves inward instead
        of reaching beyond it; what is no longer than a tile is one tile.
        """
        if length <= self.side:
            return np.array([[0, length]], np.int32)
        step = max(round(self.side * (1 - self.overlap)), 1)
        starts = np.append(np.arange(0, length - self.side, step), length - self.side)
        return np.stack((starts, starts + self.side), 1).astype(np.int32)

    def areas(self, size: tuple[int, int]) -> np.ndarray:
        """(T, 4) int32 xyxy px: what is looked at of a picture of `size` (height, width), row by row; as the last one
        the picture as a whole, if that is wanted and is not the only tile.
        """
        rows, columns = self.spans(size[0]), self.spans(size[1])
        across, down = np.tile(columns, (len(rows), 1)), np.repeat(rows, len(columns), 0)
        tiles = np.stack((across[:, 0], down[:, 0], across[:, 1], down[:, 1]), 1)
        if self.whole and len(tiles) > 1:
            return np.concatenate((tiles, np.array([[0, 0, size[1], size[0]]], np.int32)))
        return tiles
