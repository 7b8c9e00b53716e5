"""How many pictures and boxes a split has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassCounts:
    """Pictures and good ones (see Record.good); of each of the classes `names` (K,) the `boxes` to find, (K,), and the
    pictures in which they are `shown`, (K,).
    """

    names: tuple[str, ...]
    pictures: int
    good: int
    boxes: tuple[int, ...]
    shown: tuple[int, ...]

    def of(self, name: str) -> tuple[int, int]:
        """Boxes and pictures of a class, none of one that the split does not have."""
        place = self.names.index(name) if name in self.names else -1
        return (0, 0) if place < 0 else (self.boxes[place], self.shown[place])
