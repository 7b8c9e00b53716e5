"""What the data of a run is known by."""

from __future__ import annotations

from typing import TypedDict


class SplitFingerprint(TypedDict):
    """Counts of the pictures and boxes of a split; digests of what its classes are called (`words`), of the pictures'
    names in order, their sizes in px, their truth, and the lengths (`bytes`) and times of their files.
    """

    pictures: int
    boxes: int
    words: str
    names: str
    sizes: str
    truth: str
    bytes: str
    times: str
