"""Writing the flat index of a data set, whole or not at all, and by one process while the others wait."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from data.files.stamps import Stamp
from data.index.column_file import ColumnWriter, UnusableIndex
from data.index.record_index import LABELLED, RecordIndex
from utils.console.log import LOG
from utils.values.record import Record
from utils.words.errors import ResourceError, printable
from utils.words.text import counted

T = TypeVar("T")
CHUNK = 8192  # records or stamps in memory while an index is written
PATIENCE = 86_400.0  # seconds to wait for another process that builds; when that dies, one that waits goes on
KNOWN = {"path", "image_id", "size", "boxes", "labels", "crowd", "labelled"}
OF_AN_EVALUATION = {"outside"}  # worked out from the others, and never in an index


class IndexWriter:
    """Takes stamps and records piece by piece, in memory that does not grow with their number.

    Used in a `with` block; what is not finished leaves nothing. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        names = {field.name for field in fields(Record)}
        assert names == KNOWN | OF_AN_EVALUATION, "a new field of Record needs a column"
        self.columns, self.boxes = ColumnWriter(path), 0
        self.contents: dict[str, str] = {}

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.columns.__exit__(kind, error, trace)

    def add_stamps(self, stamps: Iterable[Stamp]) -> None:
        """Files to be watched, with what they were before they were read."""
        for chunk in _chunks(stamps):
            self.contents |= {stamp.path: stamp.content for stamp in chunk if stamp.content}
            _add_texts(self.columns, "files", "file_ends", [stamp.path for stamp in chunk])
            self.columns.add("file_facts", [stamp.facts for stamp in chunk])

    def add(self, records: Iterable[Record]) -> None:
        """Records but for their ids."""
        for chunk in _chunks(records):
            self.add_columns(
                [os.fspath(record.path) for record in chunk],
                sizes=np.array([record.size for record in chunk]),
                flags=np.array([LABELLED * record.labelled for record in chunk]),
                counts=np.array([len(record.labels) for record in chunk]),
                rows={name: np.concatenate([getattr(r, name) for r in chunk]) for name in ("boxes", "labels", "crowd")},
            )

    def add_columns(
        self, paths: list[str], sizes: np.ndarray, flags: np.ndarray, counts: np.ndarray, rows: Mapping[str, np.ndarray]
    ) -> None:
        """Pictures as arrays: sizes (P, 2), flags (P,) of LABELLED, and boxes, labels, crowd of all their
        rows, of which each has `counts` (P,).
        """
        _add_texts(self.columns, "paths", "path_ends", paths)
        self.columns.add("sizes", sizes)
        self.columns.add("flags", flags)
        self.columns.add("box_ends", self.boxes + counts.cumsum())
        self.boxes += int(counts.sum())
        for name, values in rows.items():
            self.columns.add(name, values)

    def finish(self, image_ids: np.ndarray, key: str, meta: Mapping[str, Any]) -> None:
        """Write the file: the id of every record, what the index is for, and what is kept with it (JSON-ready)."""
        self.columns.add("image_ids", image_ids)
        self.columns.finish({"key": key, "meta": dict(meta), "contents": self.contents})


def open_index(path: Path, key: str, build: Callable[[Path], None], patience: float = PATIENCE) -> RecordIndex:
    """The index at `path`, made by `build` when it is missing, damaged, for another `key`, or one of its files changed.

    Of several processes one builds; the others wait for the file, at most `patience` seconds. Raises ResourceError when
    it cannot be written or the wait was in vain, and what `build` raises.
    """
    try:
        # Without the lock first: that is the usual case, and needs no folder in which anything can be written.
        if (index := _usable(path, key)[0]) is not None:
            return index
        lock = FileLock(path.with_name(f"{path.name}.lock"))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _acquire(lock, path, patience)
        try:
            index, reason = _usable(path, key)  # another process may have built it while this one waited
            if index is None:
                if reason:
                    LOG.info("index rebuilt: %s", reason)
                for left in path.parent.glob(f".{path.name}.*"):  # of a process that died: nobody else holds the lock
                    shutil.rmtree(left, ignore_errors=True)
                build(path)
                index = RecordIndex(path)
        finally:
            lock.release()
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise ResourceError(f"{printable(str(path))}: {reason}; make room, or set XDG_CACHE_HOME elsewhere") from error
    return index


def _acquire(lock: FileLock, path: Path, patience: float) -> None:
    """Take the lock at once, or say that it is waited for. The system frees the lock of a process that dies."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        LOG.info("another process makes the index %s: waiting", printable(str(path)))
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            said = f"another process is still at it after {patience:g} s"
            raise ResourceError(f"{printable(str(path))}: {said}; look what holds {lock.lock_file}") from error


def _usable(path: Path, key: str) -> tuple[RecordIndex | None, str]:
    """The index, or why not; nothing to say when there is none yet."""
    if not path.exists():
        return None, ""
    try:
        index = RecordIndex(path)
    except UnusableIndex as error:
        return None, str(error).removesuffix("; remove it, it is rebuilt")
    if index.key != key:
        return None, f"{printable(str(path))}: is of other settings"
    count, first = index.changes()
    if count:
        return (
            None,
            f"{counted(count, 'file')} changed since: {', '.join(first)}{', ...' if count > len(first) else ''}",
        )
    return index, ""


def _add_texts(writer: ColumnWriter, name: str, ends: str, texts: list[str]) -> None:
    raw = [os.fsencode(text) for text in texts]
    writer.add(ends, writer.spools[name].tell() + np.cumsum([len(one) for one in raw]))
    writer.add(name, np.frombuffer(b"".join(raw), np.uint8))


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
