"""Whether files are still what they were: size, times and inode of each, and for COCO jsons their content.

The stamp of a folder changes when an entry comes or goes, so that new pictures are noticed, too.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

CHUNK, PIECE = 4096, 512  # paths in hand, and those that a thread takes at a time
THREADS = 8  # for file systems whose answers take their time
ABSENT = (-1, 0, 0, 0)


@dataclass(frozen=True)
class Stamp:
    """A path and its `facts`: size, mtime_ns, ctime_ns, inode; ABSENT when nothing is there.

    `content` is the SHA-256 of a json, which then counts instead: copying or touching it changes nothing.
    """

    path: str
    facts: tuple[int, int, int, int]
    content: str = ""


def take_stamps(paths: Iterable[str | Path]) -> Iterator[Stamp]:
    """Stamps of files and folders, in order. Take them before reading, so that a later change is always seen."""
    rest = (os.fspath(path) for path in paths)
    with ThreadPoolExecutor(THREADS) as pool:
        while chunk := list(islice(rest, CHUNK)):
            pieces = (chunk[start : start + PIECE] for start in range(0, len(chunk), PIECE))
            yield from chain.from_iterable(pool.map(_stamps, pieces))


def change(old: Stamp, new: Stamp) -> str:
    """What happened to a file, in words; empty when nothing did."""
    if old.content and new.content:
        return "" if old.content == new.content else "has other content"
    if old.facts == new.facts:
        return ""
    if ABSENT in (old.facts, new.facts):
        return "has appeared" if old.facts == ABSENT else "is gone"
    return "has other entries" if os.path.isdir(new.path) else "was changed"


def _stamps(paths: Iterable[str]) -> list[Stamp]:
    return [_stamp(path) for path in paths]


def _stamp(path: str) -> Stamp:
    try:
        info = os.stat(path)
        facts = info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino
        if not path.endswith(".json") or not stat.S_ISREG(info.st_mode):
            return Stamp(path, facts)
        with open(path, "rb") as file:
            return Stamp(path, facts, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError:
        return Stamp(path, ABSENT)
