"""Some of the training pictures, drawn by a seed: what would fewer have taught (data.pictures)?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.index.flat_truth import flatten
from utils.values.record import Record


def rarest_classes(records: Sequence[Record]) -> np.ndarray:
    """(N,) of each picture the class that is in the fewest pictures among those it shows, -1 for a good one."""
    flat = flatten(records)
    rows = np.flatnonzero(~flat.crowd)
    shown = np.unique(np.stack((flat.pictures[rows], flat.labels[rows].astype(np.int64))), axis=1)
    pictures, labels = shown
    counts = np.bincount(labels)
    order = np.lexsort((labels, counts[labels]))[::-1]  # the rarest last, so that it is what stays
    rarest = np.full(len(records), -1)
    rarest[pictures[order]] = labels[order]
    return rarest


def draw_pictures(records: Sequence[Record], count: int, seed: int) -> list[int]:
    """The places of `count` pictures in ascending order: one of each class in turn, of the rarest first, as long as
    there are some; good ones come in turn too. Fewer with the same seed are some of the same.
    """
    rarest = rarest_classes(records)
    shuffled = np.random.default_rng(seed).permutation(len(records))
    turn = np.empty(len(records), np.int64)  # how many of its class came before a picture
    for label in np.unique(rarest):
        members = shuffled[rarest[shuffled] == label]
        turn[members] = np.arange(len(members))
    sizes = np.bincount(rarest + 1)[rarest + 1]
    order = np.lexsort((rarest, sizes, rarest < 0, turn))
    return sorted(order[:count].tolist())
