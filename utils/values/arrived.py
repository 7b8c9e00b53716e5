"""An input that came while detect.py was waiting for it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from utils.values.frame import Frame


@dataclass(frozen=True, eq=False)
class Arrived:
    """`frame` as it was read; `stamp` tells its file from an earlier or a later one of that name; `since`: when it was
    there, seconds of time.monotonic(). `dropped`: how many the line was too slow for so far; `waiting`: how many
    more are there already.
    """

    frame: Frame
    stamp: str
    since: float
    dropped: int = 0
    waiting: int = 0


def stamp_of(about: os.stat_result) -> str:
    """What tells a file from an earlier or a later one of its name: its size and time."""
    return f"{about.st_size:x}-{about.st_mtime_ns:x}"
