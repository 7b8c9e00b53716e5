"""The tiles of many pictures as one row of numbers, and which boxes each of them shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from data.index.flat_truth import flatten
from utils.tiling.tiles import Tiling
from utils.values.record import Record

AT_ONCE = 4096  # boxes that are compared with all tiles of their pictures
Area = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class TiledSet:
    """The tiles of P pictures, numbered picture by picture: those of picture p are `starts[p]` to `starts[p + 1]` - 1.

    `sizes` (P, 2) int32 height and width px, `starts` (P + 1,) int64.
    """

    tiling: Tiling
    sizes: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, tiling: Tiling, sizes: np.ndarray) -> TiledSet:
        """The tiles of pictures of these (P, 2) sizes; each different size is worked out once."""
        different, which = np.unique(sizes, axis=0, return_inverse=True)
        counts = np.array([len(tiling.areas((h, w))) for h, w in different.tolist()], np.int64)
        starts = np.concatenate((np.zeros(1, np.int64), counts[which.reshape(-1)].cumsum()))
        return cls(tiling, np.asarray(sizes, np.int32), starts)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def picture(self, tile: int) -> int:
        """The picture that a tile is of."""
        return int(np.searchsorted(self.starts, tile, side="right")) - 1

    def area(self, tile: int) -> Area:
        """Xyxy px of its picture."""
        picture = self.picture(tile)
        height, width = self.sizes[picture].tolist()
        left, top, right, bottom = self.tiling.areas((height, width))[tile - int(self.starts[picture])].tolist()
        return left, top, right, bottom

    @property
    def pictures(self) -> np.ndarray:
        """(T,) int64: the picture of every tile."""
        return np.repeat(np.arange(len(self.sizes)), np.diff(self.starts))

    @property
    def areas(self) -> np.ndarray:
        """(T, 4) int32 xyxy px of their pictures."""
        areas = np.empty((len(self), 4), np.int32)
        different, which = np.unique(self.sizes, axis=0, return_inverse=True)
        for (height, width), pictures in zip(different.tolist(), _places(which, len(different)), strict=True):
            mine = self.tiling.areas((height, width))
            places = self.starts[pictures]
            areas[places[:, None] + np.arange(len(mine))] = mine
        return areas

    @property
    def tile_sizes(self) -> np.ndarray:
        """(T, 2) int32: height and width px of the tiles."""
        areas = self.areas
        return np.stack((areas[:, 3] - areas[:, 1], areas[:, 2] - areas[:, 0]), 1)

    def of_pictures(self, pictures: Iterable[int]) -> np.ndarray:
        """(n,) int64: all tiles of these pictures."""
        return np.concatenate([np.arange(self.starts[p], self.starts[p + 1]) for p in pictures])


@dataclass(frozen=True, eq=False)
class TileTruth:
    """Which boxes to learn the tiles of a set show: `tiles` (N,) int64 and `labels` (N,) int64, a row for each box in
    each tile that shows enough of it; `boxes` to learn there are, `unseen` of which no tile shows enough.
    """

    tiles: np.ndarray
    labels: np.ndarray
    boxes: int
    unseen: int

    @classmethod
    def of(cls, tiled: TiledSet, records: Sequence[Record], least: float) -> TileTruth:
        """`least`: the part of a box that a tile must show."""
        boxes, labels, pictures = flatten(records).to_learn()
        tiles, owners = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        different, which = np.unique(tiled.sizes, axis=0, return_inverse=True)
        by_size = _places(which.reshape(-1)[pictures], len(different))
        for (height, width), mine in zip(different.tolist(), by_size, strict=True):
            areas = tiled.tiling.areas((height, width))
            for start in range(0, len(mine), AT_ONCE):
                part = mine[start : start + AT_ONCE]
                row, place = np.nonzero(shown_parts(boxes[part], areas) >= least)
                tiles.append(tiled.starts[pictures[part[row]]] + place)
                owners.append(part[row])
        owner = np.concatenate(owners)
        unseen = len(boxes) - len(np.unique(owner))
        return cls(np.concatenate(tiles), labels[owner].astype(np.int64), len(boxes), unseen)

    def showing(self, count: int) -> np.ndarray:
        """(count,) bool: which of so many tiles show a box."""
        return np.bincount(self.tiles, minlength=count) > 0


def _places(numbers: np.ndarray, count: int) -> list[np.ndarray]:
    """Where each of the numbers 0 to `count` - 1 is, ascending."""
    flat = numbers.reshape(-1)
    ends = np.bincount(flat, minlength=count).cumsum()
    return np.split(np.argsort(flat, kind="stable"), ends)[:count]  # behind the last end is nothing


def shown_parts(boxes: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """(N, 4) and (T, 4) xyxy px -> (N, T) float32: the part of each box that lies in each area.

    Of a box that is longer than an area in one direction, such as a scratch across it, the part of what the area can
    show: its piece has something of it from end to end. Of one that is so in both nobody knows where in it the defect
    is; a diagonal leaves most of its box empty.
    """
    shown, whole = [], []
    for k in (0, 1):
        low = np.maximum(boxes[:, None, k], areas[None, :, k])
        high = np.minimum(boxes[:, None, k + 2], areas[None, :, k + 2])
        shown.append(np.maximum(high - low, 0))
        whole.append(boxes[:, k + 2] - boxes[:, k])
    room = [areas[:, k + 2] - areas[:, k] for k in (0, 1)]
    longer = [whole[k][:, None] > room[k][None] for k in (0, 1)]
    alone = longer[0] ^ longer[1]
    lengths = [np.where(alone & longer[k], room[k][None], whole[k][:, None]) for k in (0, 1)]
    parts: np.ndarray = shown[0] * shown[1] / np.maximum(lengths[0] * lengths[1], 1e-9)
    return parts
