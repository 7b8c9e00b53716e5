"""The inputs of detect.py in the batches that a network is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from utils.console.signals import Stop
from utils.processes.threads import PATIENCE, prefetch, within
from utils.values.frame import Frame
from utils.words.errors import printable


def frame_batches(
    frames: Iterable[Frame], shape: Callable[[np.ndarray], tuple[int, int]] | None, most: int, stop: Stop
) -> Iterator[list[Frame]]:
    """Every input in order: up to `most` neighbours whose network inputs have one shape, and each unreadable input
    alone. The next ones are read meanwhile. Without a `shape`, of huge pictures, each is alone and read when the one
    before it is done.

    `shape` gives (height, width) of the network input for a picture (H, W, C). Ends early when `stop` has received a
    signal. Raises ResourceError when nothing can be read for a long time.
    """
    if shape is None:
        for frame in frames:
            if stop.received:
                return
            alone = [frame]
            del frame
            yield alone
            alone.clear()  # whoever got it may still have the list; the next picture may be as large
        return
    name = ""

    def going(waited: float) -> bool:
        return not stop.received and within(PATIENCE, f"{name or 'the start'}: nothing was read after it")(waited)

    pending: list[Frame] = []
    known: tuple[int, int] | None = None
    for frame in prefetch(frames, max(2, most), going):
        if stop.received:
            return
        name = printable(frame.name)
        own = None if frame.image is None else shape(frame.image)
        # an unreadable input has no shape: it ends the batch before it, and no other input joins it
        if pending and (len(pending) == most or own is None or own != known):
            yield pending
            pending = []
        pending, known = [*pending, frame], own
    if pending and not stop.received:
        yield pending
