"""Whether files are still what they were: size, times and inode of each, and for COCO jsons their content.

The stamp of a folder changes when an entry comes or goes, so that new pictures are noticed as well.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

CHUNK, PIECE = 4096, 512  # paths in hand, and those that a thread takes at a time
THREADS = 8  # for file systems whose answers take their time
ABSENT = (-1, 0, 0, 0)


@dataclass(frozen=True)
class Stamp:
    """A path and its `facts`: size, mtime_ns, ctime_ns, inode; ABSENT when nothing is there.

    `content` is the SHA-256 of a json; when the facts differ it decides: copying or touching a json changes nothing.
    """

    path: str
    facts: tuple[int, int, int, int]
    content: str = ""


Watch = Callable[[str | Path], None]  # told of each file and folder that matters, before it is looked at


def no_watch(path: str | Path) -> None:
    """A Watch for those who read once and keep nothing."""


class StampBook:
    """A Watch that stamps what it is told of, once and at once: `stamps` in that order."""

    def __init__(self) -> None:
        self.stamps: dict[str, Stamp] = {}

    def __call__(self, path: str | Path) -> None:
        """Stamp a file or folder."""
        text = os.fspath(path)
        if text not in self.stamps:
            self.stamps[text] = take_stamp(text)


def take_stamps(paths: Iterable[str | Path]) -> Iterator[Stamp]:
    """Stamps of files and folders, in order. Take them before reading, so that a later change is always seen."""
    rest = (os.fspath(path) for path in paths)
    with ThreadPoolExecutor(THREADS) as pool:
        while chunk := list(islice(rest, CHUNK)):
            pieces = (chunk[start : start + PIECE] for start in range(0, len(chunk), PIECE))
            yield from chain.from_iterable(pool.map(_stamps, pieces))


def same_facts(paths: list[str], facts: np.ndarray) -> np.ndarray:
    """(N,) bool: which files still have these facts (N, 4) int64; no content is read."""
    return (_table(paths) == facts).all(1)


def all_facts(paths: list[str]) -> np.ndarray:
    """(N, 4) int64: the facts of files, in order; no content is read."""
    with ThreadPoolExecutor(THREADS) as pool:
        pieces = (paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK))
        return np.concatenate([_table([]), *pool.map(_table, pieces)])


def change(old: Stamp, new: Stamp) -> str:
    """What happened to a file, in words; empty when nothing did."""
    if old.facts == new.facts:
        return ""
    if old.content and new.content:
        return "" if old.content == new.content else "has other content"
    if ABSENT in (old.facts, new.facts):
        return "has appeared" if old.facts == ABSENT else "is gone"
    return "has other entries" if os.path.isdir(new.path) else "was changed"


def _stamps(paths: Iterable[str]) -> list[Stamp]:
    return [take_stamp(path) for path in paths]


def _table(paths: list[str]) -> np.ndarray:
    return np.array([_facts(path) for path in paths], np.int64).reshape(-1, 4)


def _facts(path: str) -> tuple[int, int, int, int]:
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return ABSENT
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def take_stamp(path: str) -> Stamp:
    """The stamp of one file or folder."""
    try:
        info = os.stat(path)
        facts = info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino
        if not path.endswith(".json") or not stat.S_ISREG(info.st_mode):
            return Stamp(path, facts)
        with open(path, "rb") as file:
            return Stamp(path, facts, hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, ValueError):  # ValueError: no name that a file can have
        return Stamp(path, ABSENT)
