"""Some of the training pictures, drawn by a seed: what would fewer have taught (data.pictures)?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.index.flat_truth import GOOD, flatten
from utils.values.record import Record


def draw_pictures(records: Sequence[Record], count: int, seed: int) -> list[int]:
    """The places of `count` pictures in ascending order: one of each class in turn, of the rarest first, as long as
    there are some; good ones come in turn too. Fewer with the same seed are some of the same.
    """
    rarest = flatten(records).rarest_classes()
    shuffled = np.random.default_rng(seed).permutation(len(records))
    turn = np.empty(len(records), np.int64)  # how many of its class came before a picture
    for label in np.unique(rarest):
        members = shuffled[rarest[shuffled] == label]
        turn[members] = np.arange(len(members))
    sizes = np.bincount(rarest + 1)[rarest + 1]
    order = np.lexsort((rarest, sizes, rarest == GOOD, turn))
    return sorted(order[:count].tolist())
