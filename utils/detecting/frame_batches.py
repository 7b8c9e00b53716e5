"""The inputs of detect.py in the batches that a network is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from utils.processes.threads import prefetch
from utils.values.frame import Frame


def frame_batches(
    frames: Iterable[Frame], shape: Callable[[np.ndarray], tuple[int, int]], most: int
) -> Iterator[list[Frame]]:
    """Every input in order: up to `most` neighbours whose network inputs have one shape, and each unreadable input
    alone. The next ones are read meanwhile.

    `shape` gives (height, width) of the network input for a picture (H, W, C).
    """
    pending: list[Frame] = []
    known: tuple[int, int] | None = None
    for frame in prefetch(frames, max(2, most)):
        own = None if frame.image is None else shape(frame.image)
        # an unreadable input has no shape: it ends the batch before it, and no other input joins it
        if pending and (len(pending) == most or own is None or own != known):
            yield pending
            pending = []
        pending, known = [*pending, frame], own
    if pending:
        yield pending
