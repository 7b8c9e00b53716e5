"""The same picture more than once: one file under several paths, or several files of the same bytes.

Files are compared by size first, then by pieces of their bytes, then whole, so that little is read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple

from data.files.shards import locate
from utils.words.errors import DataError

THREADS = 8
TAKEN = 256  # files that a thread takes at a time
PIECE = 4096  # bytes of a sample
PIECES = 5  # samples of a file, spread over it evenly
BLOCK = 1 << 20


class Listed(NamedTuple):
    """A picture of a split."""

    split: str
    path: str


@dataclass(frozen=True)
class Same:
    """Pictures that are one `file`, or files of the same `bytes`; the first is the one that others repeat."""

    how: Literal["file", "bytes"]
    pictures: tuple[Listed, ...]


class _Extent(NamedTuple):
    """Where a picture's bytes lie: in a file of its own, or in a shard; `identity`: device, inode, first byte."""

    file: str
    start: int
    size: int
    identity: tuple[int, int, int]


Digest = Callable[[_Extent], Hashable]


def same_pictures(
    pictures: Sequence[Listed], within: Collection[str], most_bytes: float = float("inf")
) -> tuple[list[Same], int]:
    """The groups of same pictures, and how many files were compared by samples only, as more than `most_bytes` were to
    be read.

    They reach over several splits, or lie in one of `within`. What cannot be read is passed over: it is said elsewhere.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        search = _Search(pictures, within, pool)
        alike = [list(search.extents)]
        for digest in (_size, _middle, _sampled):
            alike = search.divided(alike, digest)
        sampled, whole, left = 0, [], most_bytes
        for group in alike:
            left -= sum(search.extents[one].size for one in group)
            sampled += len(group) if left < 0 else 0
            whole += [group] if left < 0 else search.divided([group], _whole)
    repeated = [search.members(group) for group in whole]
    listed = {picture for members in repeated for picture in members}
    found = [Same("file", tuple(m)) for m in search.files.values() if search.meant(m) and m[0] not in listed]
    return found + [Same("bytes", tuple(members)) for members in repeated], sampled


class _Search:
    """Pictures by the file that holds them; `extents` are those of the first picture of each file."""

    def __init__(self, pictures: Sequence[Listed], within: Collection[str], pool: ThreadPoolExecutor) -> None:
        self.within, self.pool = within, pool
        self.files: dict[tuple[int, int, int], list[Listed]] = {}
        self.extents: dict[Listed, _Extent] = {}
        for picture, extent in zip(pictures, self._all(_extent, [one.path for one in pictures]), strict=True):
            if extent is None:
                continue
            if extent.identity in self.files:
                self.files[extent.identity].append(picture)
            else:
                self.files[extent.identity] = [picture]
                self.extents[picture] = extent

    def _all(self, do: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """What `do` gives for each item, in order; threads take TAKEN at a time."""
        pieces = (items[start : start + TAKEN] for start in range(0, len(items), TAKEN))
        return chain.from_iterable(self.pool.map(lambda piece: [do(item) for item in piece], pieces))

    def members(self, group: Iterable[Listed]) -> list[Listed]:
        """The pictures of some files, each given by its first picture."""
        return [member for one in group for member in self.files[self.extents[one].identity]]

    def meant(self, members: Sequence[Listed]) -> bool:
        """Whether these pictures, if they are the same, are what is looked for."""
        splits = {one.split for one in members}
        return len(splits) > 1 or (len(members) > 1 and not splits.isdisjoint(self.within))

    def divided(self, groups: Sequence[list[Listed]], digest: Digest) -> list[list[Listed]]:
        """The groups divided further by a digest, without the parts that cannot hold what is looked for."""
        flat = [(number, one) for number, group in enumerate(groups) for one in group]
        parts: dict[Hashable, list[Listed]] = defaultdict(list)
        for (number, one), value in zip(flat, self._all(digest, [self.extents[o] for _, o in flat]), strict=True):
            parts[number, value].append(one)
        return [part for part in parts.values() if len(part) > 1 and self.meant(self.members(part))]


def _extent(path: str) -> _Extent | None:
    """Where a picture's bytes lie, None where that cannot be known."""
    try:
        try:
            info = os.stat(path)
        except NotADirectoryError:  # a picture in a shard, whose path is that of the shard and a name
            start, size = locate(path)
            info = os.stat(os.path.dirname(path))
            return _Extent(os.path.dirname(path), start, size, (info.st_dev, info.st_ino, start))
    except (OSError, ValueError, DataError):
        return None
    return _Extent(path, 0, info.st_size, (info.st_dev, info.st_ino, 0)) if stat.S_ISREG(info.st_mode) else None


def _size(extent: _Extent) -> int:
    return extent.size


def _middle(extent: _Extent) -> Hashable:
    """A piece from the middle of a picture: other pictures of the same size differ there, but for drawn ones."""
    return _digest(extent, [(max(extent.size - PIECE, 0) // 2, PIECE)])


def _sampled(extent: _Extent) -> Hashable:
    """Some pieces of a picture; of a small one all of it."""
    last = max(extent.size - PIECE, 0)
    return _digest(extent, [(last * i // (PIECES - 1), PIECE) for i in range(PIECES)])


def _whole(extent: _Extent) -> Hashable:
    return _digest(extent, [(at, BLOCK) for at in range(0, extent.size, BLOCK)])


def _digest(extent: _Extent, pieces: Sequence[tuple[int, int]]) -> Hashable:
    """The digest of (start, bytes) pieces of a picture; of an unreadable one something that nothing else equals."""
    digest = hashlib.sha256()
    try:
        descriptor = os.open(extent.file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            for at, size in pieces:
                os.lseek(descriptor, extent.start + at, os.SEEK_SET)
                digest.update(os.read(descriptor, min(size, extent.size - at)))
        finally:
            os.close(descriptor)
    except OSError:
        return extent.identity
    return digest.digest()
