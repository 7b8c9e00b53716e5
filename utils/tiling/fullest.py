"""Which parts of a picture show most of a box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEARLY = 0.9  # of what the best part shows of a box
MOST = 5  # parts: four tiles meet in a place, and the whole picture


def fullest(areas: Sequence[tuple[int, int, int, int]], box: Sequence[float]) -> list[int]:
    """The numbers of the areas (xyxy px) that show most of a box, or nearly as much, at most MOST: first the smallest,
    and those whose middle is nearest.
    """
    edges, wanted = np.array(areas, np.float64), np.array(box, np.float64)
    common = np.minimum(edges[:, 2:], wanted[2:]) - np.maximum(edges[:, :2], wanted[:2])
    part = common.clip(min=0).prod(1)
    sizes = (edges[:, 2:] - edges[:, :2]).prod(1)
    off = np.abs(edges[:, :2] + edges[:, 2:] - wanted[:2] - wanted[2:]).sum(1)
    order = np.lexsort((off, sizes))
    numbers: list[int] = order[part[order] >= NEARLY * part.max()][:MOST].tolist()
    return numbers
