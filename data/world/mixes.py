"""Which defects a world shows on which materials, how often, and as which classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from data.defects.primitives import PRIMITIVES
from data.surfaces.materials import MATERIALS

OPEN = "open"  # what the parts of the open protocol begin with
PARTS = ("open-combinations", "open-kinds", "open-words")  # of which training sees nothing
MIXES = ("kinds", "closed", OPEN, *PARTS)  # of drawn surfaces
CLOSED = 351  # classes of MMIOC-1M
# rank and thousands of boxes, read off the long-tail figure of MMIOC-1M's page
TAIL = (
    *((1, 31.7), (2, 24), (5, 21.5), (10, 16), (20, 11), (30, 8.3), (50, 6.5), (75, 4), (100, 2.8), (125, 1.9)),
    *((150, 1.4), (200, 0.6), (250, 0.3), (351, 0.15)),
)
ORDER_SEED = 351  # of which class has which rank, and which combinations are held out: the same in every world
HELD_KINDS = ("branching crack", "pinhole", "blister", "water mark", "corrosion", "smear", "chip", "spur")
HELD_COMBINATIONS = 0.15  # of a kind's materials, where it has several
HELD_FROM = 3  # names that a kind needs to keep one back


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
    `open`: as `kinds` without what its parts hold back, which are combinations of a known kind and a known material,
    kinds, and names.
    """
    if name == "closed":
        return _closed()
    able: np.ndarray = _able()
    names = [one.names for one in PRIMITIVES]
    if name == "backgrounds":
        able = np.asarray(able.all(0, keepdims=True))
    if name.startswith(OPEN):
        held = np.array([one.names[0] in HELD_KINDS for one in PRIMITIVES])
        apart = _held_combinations(able)
        able = able & {"open-kinds": held, "open-combinations": apart & ~held}.get(name, ~apart & ~held)
        silent = held_words()
        names = [tuple(word for word in row if (word in silent) == (name == "open-words")) for row in names]
        able &= np.array([bool(row) for row in names])
    some = able.sum(1, keepdims=True)
    chances = able / np.maximum(some, 1) / (some > 0).sum()
    shown = np.asarray(able.any(0))
    labels = np.where(able, shown.cumsum() - 1, -1)
    return Mix(tuple(row for row, is_shown in zip(names, shown, strict=True) if is_shown), chances, labels)


def _closed() -> Mix:
    pairs = np.argwhere(_able())
    chosen = np.random.default_rng(ORDER_SEED).permutation(pairs)[:CLOSED]
    chances, labels = np.zeros(_able().shape), np.full(_able().shape, -1)
    chances[tuple(chosen.T)], labels[tuple(chosen.T)] = long_tail(CLOSED), np.arange(CLOSED)
    materials = tuple(MATERIALS)
    names = tuple((f"{materials[m]} {PRIMITIVES[k].names[0]}",) for m, k in chosen.tolist())
    return Mix(names, chances, labels)


def held_words() -> frozenset[str]:
    """The names that the open mix never says: the last one of kinds that have several others."""
    return frozenset(
        one.names[-1] for one in PRIMITIVES if len(one.names) >= HELD_FROM and one.names[0] not in HELD_KINDS
    )


def _held_combinations(able: np.ndarray) -> np.ndarray:
    """(M, K) bool: of each kind some of its materials."""
    rng, held = np.random.default_rng(ORDER_SEED), np.zeros_like(able)
    for kind, row in enumerate(able.T):
        places = rng.permutation(np.flatnonzero(row))
        held[places[: int(HELD_COMBINATIONS * len(places) + 0.5)], kind] = True
    return held


def long_tail(classes: int) -> np.ndarray:
    """(classes,) falling shares of boxes: those of MMIOC-1M's classes by rank, as its figure shows them."""
    ranks, boxes = np.array(TAIL).T
    shares: np.ndarray = np.exp(np.interp(np.arange(1, classes + 1), ranks, np.log(boxes)))
    return shares / shares.sum()


def _able() -> np.ndarray:
    """(M, K) bool: which kinds there are on which materials."""
    return np.array([[not one.on or material in one.on for one in PRIMITIVES] for material in MATERIALS])
