"""Which classes one training batch is compared with, when the vocabulary is too large for all."""

from __future__ import annotations

import numpy as np

ALL = 128  # up to here every class takes part


def sample_classes(
    rng: np.random.Generator, positives: np.ndarray, count: int, limit: int = 96
) -> tuple[np.ndarray, np.ndarray]:
    """The classes of one batch, shared by its pictures: all `count` up to 128, else the positives and random negatives
    up to `limit` in total (more only when there are more positives). No padding.

    `positives` are the labels found in the batch, in any order and number. Returns `ids` (M,) int64, ascending, and
    `inverse` (count,) int64 with `inverse[ids[k]] == k` and -1 for classes left out, so `inverse[labels]` relabels.
    """
    present = np.unique(np.asarray(positives, np.int64))
    assert not len(present) or (present[0] >= 0 and present[-1] < count), "labels of real classes only"
    if count <= ALL:
        ids = np.arange(count, dtype=np.int64)
    else:
        absent = np.setdiff1d(np.arange(count, dtype=np.int64), present)
        room = min(max(limit - len(present), 0), len(absent))
        ids = np.sort(np.concatenate([present, rng.choice(absent, room, replace=False)]))
    inverse = np.full(count, -1, np.int64)
    inverse[ids] = np.arange(len(ids))
    return ids, inverse
