"""Which defects a world shows on which materials, how often, and as which classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from data.world.materials import MATERIALS
from data.world.primitives import PRIMITIVES

MIXES = ("kinds", "closed")  # of drawn surfaces
CLOSED = 351  # classes of MMIOC-1M
# rank and thousands of boxes, read off the long-tail figure of MMIOC-1M's page
TAIL = (
    *((1, 31.7), (2, 24), (5, 21.5), (10, 16), (20, 11), (30, 8.3), (50, 6.5), (75, 4), (100, 2.8), (125, 1.9)),
    *((150, 1.4), (200, 0.6), (250, 0.3), (351, 0.15)),
)
ORDER_SEED = 351  # of which class has which rank: fixed, the same in every world


@dataclass(frozen=True, eq=False)
class Mix:
    """`names`: the synonyms of each class. `chances` (M, K) of material and kind of a defect, 1 in all; `labels` (M, K)
    the class of each pair, -1 where there is none. M is 1 for surfaces of which nothing is known.
    """

    names: tuple[tuple[str, ...], ...]
    chances: np.ndarray
    labels: np.ndarray

    def materials(self) -> np.ndarray:
        """(M,) the chance of each material."""
        total: np.ndarray = self.chances.sum(1)
        return total

    def kinds(self, material: int) -> np.ndarray:
        """(K,) the chance of each kind on this material."""
        row: np.ndarray = self.chances[material]
        return row / row.sum()


@cache
def mix_of(name: str) -> Mix:
    """`kinds`: all materials and their kinds of defects alike, a class for each kind. `closed`: CLOSED classes, each a
    kind on a material, with the long tail of MMIOC-1M. `backgrounds`: the kinds that may be on anything, alike.
    """
    able = _able()
    if name == "backgrounds":
        able = np.array([[not one.on for one in PRIMITIVES]])
        names = tuple(one.names for one in PRIMITIVES if not one.on)
        return Mix(names, able / able.sum(), np.where(able, able.cumsum() - 1, -1))
    if name == "kinds":
        chances = able / able.sum(1, keepdims=True) / len(able)
        labels = np.where(able, np.arange(len(PRIMITIVES)), -1)
        return Mix(tuple(one.names for one in PRIMITIVES), chances, labels)
    pairs = np.argwhere(able)
    chosen = np.random.default_rng(ORDER_SEED).permutation(pairs)[:CLOSED]
    chances, labels = np.zeros(able.shape), np.full(able.shape, -1)
    chances[tuple(chosen.T)], labels[tuple(chosen.T)] = long_tail(CLOSED), np.arange(CLOSED)
    materials = tuple(MATERIALS)
    names = tuple((f"{materials[m]} {PRIMITIVES[k].names[0]}",) for m, k in chosen.tolist())
    return Mix(names, chances, labels)


def long_tail(classes: int) -> np.ndarray:
    """(classes,) falling shares of boxes: those of MMIOC-1M's classes by rank, as its figure shows them."""
    ranks, boxes = np.array(TAIL).T
    shares: np.ndarray = np.exp(np.interp(np.arange(1, classes + 1), ranks, np.log(boxes)))
    return shares / shares.sum()


def _able() -> np.ndarray:
    """(M, K) bool: which kinds there are on which materials."""
    return np.array([[not one.on or material in one.on for one in PRIMITIVES] for material in MATERIALS])
