"""Which picture of a split a name from another file means."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

_SLASHES = re.compile(r"[\\/]+")


class UnknownPicture(ValueError):
    """Why a name means no picture, in words that go on after it: `is not among the 12 pictures; ...`."""


class PictureNames:
    """Finds the one of `files` whose path has the longest end in common with a name: folders above differ from one
    machine to another.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._parts = [_parts_of(name) for name in files]
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for index, parts in enumerate(self._parts):
            self._by_name[parts[-1]].append(index)
        self._meant: dict[int, tuple[str, ...]] = {}
        self._found: dict[str, int] = {}

    def find(self, name: str) -> int:
        """The index of the file that `name` means. Raises UnknownPicture where there is none, or more than one, or
        another name meant that file before: `cup/1.png` and `pen/1.png` cannot both be `a/1.png`.
        """
        if name not in self._found:
            self._found[name] = self._search(_parts_of(name))
        return self._found[name]

    def _search(self, parts: tuple[str, ...]) -> int:
        known = self._by_name.get(parts[-1], [])
        if not known:
            raise UnknownPicture(
                f"is not among the {len(self._parts):,} pictures of the split; take it out, or score the split it is of"
            )
        shared = [_shared(parts, self._parts[index]) for index in known]
        best = [index for index, length in zip(known, shared, strict=True) if length == max(shared)]
        if len(best) > 1:
            raise UnknownPicture(f"means any of {len(best):,} pictures of the split; write more of its folders")
        (index,) = best
        before = self._meant.setdefault(index, parts)
        if _shared(before, parts) < min(len(before), len(parts)):
            raise UnknownPicture(f"means the same picture as '{'/'.join(before)}'; take out the one that is not there")
        return index


def _parts_of(name: str) -> tuple[str, ...]:
    parts = _SLASHES.split(unicodedata.normalize("NFC", name))
    return tuple(part for part in parts if part not in ("", ".")) or ("",)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts at the end are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((k for k, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
