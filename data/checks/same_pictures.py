"""The same picture more than once: one file under several paths, or several files of the same bytes.

Files are compared by size first, then by samples of their bytes, then whole, so that little is read.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

from data.files.shards import is_member, locate
from utils.words.errors import DataError

THREADS = 8
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


@dataclass(frozen=True)
class _Extent:
    """Where a picture's bytes lie: in a file of its own, or in a shard."""

    file: str
    start: int
    size: int
    identity: tuple[int, int, int]


def same_pictures(pictures: Sequence[Listed], across: bool, most_bytes: float = float("inf")) -> tuple[list[Same], int]:
    """The groups of same pictures, and how many files were compared by samples only, as more than `most_bytes` were to
    be read.

    `across`: only groups that reach over several splits. What cannot be read is passed over: it is said elsewhere.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        files: dict[tuple[int, int, int], list[Listed]] = defaultdict(list)
        extents: dict[Listed, _Extent] = {}
        for picture, extent in zip(pictures, pool.map(_extent, pictures, chunksize=256), strict=True):
            if extent is not None:
                files[extent.identity].append(picture)
                extents.setdefault(files[extent.identity][0], extent)
        found = [Same("file", tuple(members)) for members in files.values() if _meant(members, across)]

        def members_of(one: Listed) -> list[Listed]:
            return files[extents[one].identity]

        def split_by(groups: Iterable[list[Listed]], digest: Callable[[_Extent], Hashable]) -> list[list[Listed]]:
            """The groups divided further, without the parts that cannot hold what is looked for."""
            flat = [(number, one) for number, group in enumerate(groups) for one in group]
            parts: dict[Hashable, list[Listed]] = defaultdict(list)
            for (number, one), value in zip(flat, pool.map(digest, [extents[o] for _, o in flat]), strict=True):
                parts[number, value].append(one)
            return [p for p in parts.values() if len(p) > 1 and _meant([m for o in p for m in members_of(o)], across)]

        firsts = [[members[0] for members in files.values()]]
        alike = split_by(split_by(firsts, lambda extent: extent.size), _sampled)
        sampled, whole, left = 0, [], most_bytes
        for group in alike:
            left -= sum(extents[one].size for one in group)
            sampled += len(group) if left < 0 else 0
            whole += [group] if left < 0 else split_by([group], _whole)
    repeated = [[member for one in group for member in members_of(one)] for group in whole]
    within = {picture for members in repeated for picture in members}
    return [s for s in found if s.pictures[0] not in within] + [Same("bytes", tuple(m)) for m in repeated], sampled


def _meant(members: Sequence[Listed], across: bool) -> bool:
    return len({one.split for one in members}) > 1 if across else len(members) > 1


def _extent(picture: Listed) -> _Extent | None:
    """Where a picture's bytes lie, None where that cannot be known."""
    path = picture.path
    try:
        file = os.path.dirname(path) if is_member(path) else path
        start, size = locate(path) if file != path else (0, -1)
        info = os.stat(file)
    except (OSError, ValueError, DataError):
        return None
    return _Extent(file, start, info.st_size if size < 0 else size, (info.st_dev, info.st_ino, start))


def _sampled(extent: _Extent) -> bytes:
    """A digest of some pieces of a picture; of a small one all of it."""
    last = max(extent.size - PIECE, 0)
    return _digest(extent, [(last * i // (PIECES - 1), PIECE) for i in range(PIECES)])


def _whole(extent: _Extent) -> bytes:
    return _digest(extent, [(at, BLOCK) for at in range(0, extent.size, BLOCK)])


def _digest(extent: _Extent, pieces: Iterable[tuple[int, int]]) -> bytes:
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
        return repr(extent.identity).encode()
    return digest.digest()
