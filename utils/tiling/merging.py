"""What was found in the tiles of a picture, as one list. NumPy alone: an exported bundle takes this file along.

A box that ends where its tile does, inside the picture, is cut: it may be a piece of something larger. In the order of
their scores, and among boxes of one class,

* a cut box becomes the whole box of another tile that holds half of it: there the thing was seen from end to end;
* else it grows by the pieces that go on where it was cut, tile after tile: a scratch over three tiles is one box;
* what was taken then removes cut boxes of which it covers a half, and any box as NMS does.

Boxes that no edge cut meet NMS alone, so that two neighbours stay two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 0.03  # of a tile's side: so close to its edge a box counts as cut; networks do not end boxes exactly there
LEAST = 2.0  # px, of the same
HELD = 0.5  # the part of a cut box that a box must cover to be the same thing
ACROSS = 0.1  # what two pieces have in common along the edge between them, of the shorter; diagonals have little
SURE = 0.25  # of a box's score: from there on another one has a say in where it ends


@dataclass(frozen=True, eq=False)
class Pieces:
    """Found in tiles: `boxes` (N, 4) float32 xyxy px of the picture, `scores` (N,), `labels` (N,), and `areas` (N, 4)
    xyxy px, the tile of each.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    areas: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def at(self, places: np.ndarray) -> Pieces:
        """Those at `places`, in that order."""
        return Pieces(self.boxes[places], self.scores[places], self.labels[places], self.areas[places])

    def cut(self, size: tuple[int, int]) -> np.ndarray:
        """(N, 4) bool: which sides (left, top, right, bottom) end where the tile does, within a picture of `size`
        (height, width).
        """
        height, width = size
        inner = self.areas != np.array([0, 0, width, height])
        cut: np.ndarray = inner & (np.abs(self.boxes - self.areas) <= self.near[:, None])
        return cut

    @property
    def near(self) -> np.ndarray:
        """(N,) px: so close to the edge of its tile each counts as cut there."""
        sides = (self.areas[:, 2:] - self.areas[:, :2]).max(1, initial=1)
        near: np.ndarray = np.maximum(NEAR * sides, LEAST)
        return near


def merge_tiles(
    found: Pieces, size: tuple[int, int], iou: float, most: int, agnostic: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(M, 4) boxes, (M,) scores falling, (M,) labels of a picture of `size` (height, width) px, at most `most`.

    `found` in each tile has been through NMS of `iou`, which is that for boxes that no edge cut. `agnostic`: boxes of
    other classes are the same thing, too.
    """
    found = found.at(np.argsort(-found.scores, kind="stable"))
    table = _Table(found, found.cut(size), np.zeros_like(found.labels) if agnostic else found.labels)
    left = np.ones(len(found), bool)
    boxes, kept = [], []
    for place in range(len(found)):
        if not left[place]:
            continue
        box = table.grown(place, left)
        boxes.append(box)
        kept.append(place)
        if len(kept) == most:
            break
        left &= ~table.same(place, box, iou)
        left[place] = False
    return np.array(boxes, np.float32).reshape(-1, 4), found.scores[kept], found.labels[kept]


class _Table:
    """Pieces in the order of their scores; `kinds` (N,) says which may be the same thing."""

    def __init__(self, found: Pieces, cut: np.ndarray, kinds: np.ndarray) -> None:
        self.boxes, self.scores, self.areas = found.boxes, found.scores, found.areas.astype(np.float32)
        self.kinds, self.cut, self.near = kinds, cut, found.near
        self.is_cut = np.asarray(cut.any(1))
        self.sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(1)

    def same(self, place: int, box: np.ndarray, iou: float) -> np.ndarray:
        """(N,) which pieces are the thing in `box`, that the piece at `place` has become."""
        common = _common(box, self.boxes)
        union = (box[2:] - box[:2]).prod() + self.sizes - common
        alike: np.ndarray = common > iou * np.maximum(union, 1e-12)
        alike |= self.is_cut & (common >= HELD * self.sizes) & (common > 0)
        return alike & (self.kinds == self.kinds[place])

    def grown(self, place: int, left: np.ndarray) -> np.ndarray:
        """(4,) the box of the thing of which the piece at `place` is one; `left` (N,): pieces of nothing else."""
        box = self.boxes[place]
        if not self.is_cut[place]:
            return box
        mates = left & (self.kinds == self.kinds[place]) & (self.scores >= SURE * self.scores[place])
        holds: np.ndarray = _common(box, self.boxes) >= HELD * self.sizes[place]
        whole = mates & ~self.is_cut & holds
        if whole.any() and self.sizes[place] > 0:
            return self.boxes[whole.argmax()]
        reached, waiting = {place}, [place]
        while waiting:
            one = waiting.pop()
            for side in np.flatnonzero(self.cut[one]).tolist():
                other = self._beyond(one, side, mates)
                if other is not None and other not in reached:
                    reached.add(other)
                    waiting.append(other)
        pieces = self.boxes[sorted(reached)]
        return np.concatenate((pieces[:, :2].min(0), pieces[:, 2:].max(0)))

    def _beyond(self, one: int, side: int, mates: np.ndarray) -> int | None:
        """The piece that best goes on where the piece `one` was cut at `side` (left, top, right, bottom); None: none
        does.
        """
        facing, across, sign = (side + 2) % 4, 1 - side % 2, np.float32(1 if side >= 2 else -1)
        mine, theirs = self.areas[one], self.areas
        further = mates & (sign * (theirs[:, side] - mine[side]) > 0)  # their tile goes on where mine ends
        # What crosses my edge is in both tiles as far as they overlap, and was cut by the other's edge as well; or it
        # begins there, and the other tile shows what I show, and more.
        start, end = theirs[:, facing], mine[side]
        crosses = self.cut[:, facing] & (sign * (start - end) <= 0) & (sign * (start - mine[facing]) > 0)
        crosses &= sign * (self.boxes[one, facing] - start) <= self.near[one]
        crosses &= sign * (end - self.boxes[:, side]) <= self.near
        holds: np.ndarray = _common(self.boxes[one], self.boxes) >= HELD * self.sizes[one]
        low = np.maximum(self.boxes[one, across], self.boxes[:, across])
        high = np.minimum(self.boxes[one, across + 2], self.boxes[:, across + 2])
        common = high - low
        lengths = self.boxes[:, across + 2] - self.boxes[:, across]
        fits: np.ndarray = further & (crosses | holds) & (common > ACROSS * np.minimum(lengths, lengths[one]))
        if not fits.any():
            return None
        alike = common / np.maximum(lengths + lengths[one] - common, 1e-6)
        return int(np.where(fits, alike * self.scores, -1).argmax())


def _common(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(4,) and (N, 4) xyxy -> (N,) area that they share."""
    width, height = (np.minimum(box[k + 2], boxes[:, k + 2]) - np.maximum(box[k], boxes[:, k]) for k in (0, 1))
    common: np.ndarray = np.maximum(width, 0) * np.maximum(height, 0)
    return common
