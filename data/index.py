"""The flat index of a data set: up to millions of Records in one file that all processes map into their memory.

It is written once per machine and read by every rank and worker; pickled, it is a path. It is no truth of its own: when
a picture, a label file or a folder changed since, or the file is damaged or of an older format, it is made anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from filelock import FileLock, Timeout

from data.index_file import Columns, ColumnWriter, UnusableIndex, open_columns
from data.stamps import Stamp, change, take_stamps
from utils.errors import DataError, ResourceError, printable
from utils.log import LOG
from utils.structures import Record
from utils.text import counted

T = TypeVar("T")
CHUNK = 8192  # records or stamps in memory while an index is written
PATIENCE = 1800.0  # seconds to wait for another process that builds
LABELLED, GOOD = 1, 2  # bits of the column `flags`
KNOWN = {"path", "image_id", "size", "boxes", "labels", "crowd", "labelled"}


class RecordIndex(Sequence[Record]):
    """The Records of an index file in order; each is made when it is asked for, equal to the one that was written.

    Besides, everything by column, read-only: `sizes` (P, 2) int32 height and width px, `image_ids` (P,), `boxes` (N, 4)
    float32 xyxy fractions, `labels` (N,) int32 and `crowd` (N,) of all pictures one after the other.
    """

    def __init__(self, path: Path, verify: bool = True) -> None:
        """Raises UnusableIndex; `verify` compares the CRC of every column, which reads the whole file once."""
        self.path = path
        self._map(open_columns(path, verify))

    def _map(self, columns: Columns) -> None:
        self.columns, self.arrays = columns, columns.arrays
        self.sizes, self.image_ids = self.arrays["sizes"], self.arrays["image_ids"]
        self.boxes, self.labels, self.crowd = (self.arrays[name] for name in ("boxes", "labels", "crowd"))

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "fingerprint": self.columns.fingerprint}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        columns = open_columns(self.path, verify=False)  # whoever pickled it has verified it
        if columns.fingerprint != state["fingerprint"]:
            raise DataError(f"{printable(str(self.path))}: was made anew while it was in use; start again")
        self._map(columns)

    @property
    def key(self) -> str:
        """What the caller made it for."""
        return str(self.columns.header["key"])

    @property
    def meta(self) -> dict[str, Any]:
        """What the caller kept beside the records."""
        return dict(self.columns.header["meta"])

    def __len__(self) -> int:
        return len(self.image_ids)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        if isinstance(index, slice):
            return tuple(self._record(i) for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        return self._record(index % len(self))

    def __iter__(self) -> Iterator[Record]:
        return map(self._record, range(len(self)))

    def _record(self, index: int) -> Record:
        start, end = _span(self.arrays["box_ends"], index)
        height, width = self.sizes[index].tolist()
        return Record(
            path=Path(_text(self.arrays["paths"], self.arrays["path_ends"], index)),
            image_id=int(self.image_ids[index]),
            size=(height, width),
            boxes=self.boxes[start:end].copy(),
            labels=self.labels[start:end].astype(np.int64),
            crowd=self.crowd[start:end].copy(),
            labelled=bool(self.arrays["flags"][index] & LABELLED),
        )

    @property
    def good(self) -> np.ndarray:
        """(P,) bool: pictures without a defect, see Record.good."""
        return self.arrays["flags"] & GOOD != 0

    @property
    def labelled(self) -> np.ndarray:
        """(P,) bool: pictures for which a label was found."""
        return self.arrays["flags"] & LABELLED != 0

    @property
    def box_counts(self) -> np.ndarray:
        """(P,) int64: rows per picture, crowd rows too."""
        return np.diff(self.arrays["box_ends"].astype(np.int64), prepend=0)

    @property
    def box_pictures(self) -> np.ndarray:
        """(N,) int64: the picture of each row of `boxes`."""
        return np.repeat(np.arange(len(self)), self.box_counts)

    def boxes_of(self, label: int) -> np.ndarray:
        """(n, 4) float32 xyxy fractions: all boxes of a class but the crowd rows."""
        return self.boxes[(self.labels == label) & ~self.crowd]

    def changes(self, most: int = 3) -> tuple[int, list[str]]:
        """How many of the stamped files changed since, and the first of them with what happened, in words."""
        count, first = 0, []
        old = self._stamps()
        while chunk := list(islice(old, CHUNK)):
            for one, now in zip(chunk, take_stamps(stamp.path for stamp in chunk), strict=True):
                if happened := change(one, now):
                    count += 1
                    first += [f"{printable(one.path)} {happened}"] if count <= most else []
        return count, first

    def _stamps(self) -> Iterator[Stamp]:
        contents = self.columns.header["contents"]
        for index, facts in enumerate(self.arrays["file_facts"]):
            path = _text(self.arrays["files"], self.arrays["file_ends"], index)
            size, modified, created, inode = facts.tolist()
            yield Stamp(path, (size, modified, created, inode), contents.get(path, ""))


def build_index(
    records: Iterable[Record], stamps: Iterable[Stamp], path: Path, key: str = "", meta: Mapping[str, Any] | None = None
) -> None:
    """Write an index of `records`, whole or not at all, in memory that does not grow with their number.

    `stamps` are taken first, then the records are read: what changes in between is noticed later. `key` says what the
    index is for, `meta` (JSON-ready) is kept with it. Raises OSError and what the iterables raise.
    """
    assert {field.name for field in fields(Record)} == KNOWN, "a new field of Record needs a column"
    contents: dict[str, str] = {}
    with ColumnWriter(path) as writer:
        for stamp_chunk in _chunks(stamps):
            contents |= {stamp.path: stamp.content for stamp in stamp_chunk if stamp.content}
            _add_texts(writer, "files", "file_ends", [stamp.path for stamp in stamp_chunk])
            writer.add("file_facts", [stamp.facts for stamp in stamp_chunk])
        boxes = 0
        for chunk in _chunks(records):
            counts = np.array([len(record.labels) for record in chunk])
            writer.add("box_ends", boxes + counts.cumsum())
            boxes += int(counts.sum())
            _add_records(writer, chunk)
        writer.finish({"key": key, "meta": dict(meta or {}), "contents": contents})


def open_index(
    path: Path,
    key: str,
    files: Callable[[], Iterable[str | Path]],
    records: Callable[[], Iterable[Record]],
    patience: float = PATIENCE,
) -> RecordIndex:
    """The index at `path`, made anew when it is missing, damaged, for another `key`, or one of its files changed.

    Of several processes one builds; the others wait for the file, at most `patience` seconds. `files` gives what is to
    be watched (pictures, label files, their folders), `records` what is kept. Raises ResourceError when it cannot be
    written or the wait was in vain, and what the iterables raise.
    """
    index, _ = _usable(path, key)
    if index is not None:
        return index
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _acquire(lock, path, patience)
        try:
            index, reason = _usable(path, key)  # somebody else may have made it meanwhile
            if index is None:
                if reason:
                    LOG.info("index made anew: %s", reason)
                for left in path.parent.glob(f".{path.name}.*"):  # of a process that died
                    shutil.rmtree(left, ignore_errors=True)
                build_index(records(), take_stamps(files()), path, key)
                index = RecordIndex(path)
        finally:
            lock.release()
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise ResourceError(f"{printable(str(path))}: {reason}; make room, or set XDG_CACHE_HOME elsewhere") from error
    return index


def _acquire(lock: FileLock, path: Path, patience: float) -> None:
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
        return None, str(error).removesuffix("; remove it, it is made anew")
    if index.key != key:
        return None, f"{printable(str(path))}: is of other settings"
    count, first = index.changes()
    if count:
        return (
            None,
            f"{counted(count, 'file')} changed since: {', '.join(first)}{', ...' if count > len(first) else ''}",
        )
    return index, ""


def _add_records(writer: ColumnWriter, chunk: list[Record]) -> None:
    writer.add("image_ids", [record.image_id for record in chunk])
    writer.add("sizes", [record.size for record in chunk])
    writer.add("flags", [LABELLED * record.labelled + GOOD * record.good for record in chunk])
    _add_texts(writer, "paths", "path_ends", [os.fspath(record.path) for record in chunk])
    for name in ("boxes", "labels", "crowd"):
        writer.add(name, np.concatenate([getattr(record, name) for record in chunk]))


def _add_texts(writer: ColumnWriter, name: str, ends: str, texts: list[str]) -> None:
    raw = [os.fsencode(text) for text in texts]
    writer.add(ends, writer.spools[name].tell() + np.cumsum([len(one) for one in raw]))
    writer.add(name, np.frombuffer(b"".join(raw), np.uint8))


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _span(ends: np.ndarray, index: int) -> tuple[int, int]:
    return int(ends[index - 1]) if index else 0, int(ends[index])


def _text(raw: np.ndarray, ends: np.ndarray, index: int) -> str:
    start, end = _span(ends, index)
    return os.fsdecode(raw[start:end].tobytes())
