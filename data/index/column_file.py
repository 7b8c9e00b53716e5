"""One file of flat columns, written as a stream and read by mapping it into memory.

    magic, version, length and CRC-32 of the header | header, JSON | columns, each from a multiple of 64 bytes

The header counts the rows and has a CRC-32 of every column; where a column lies follows from the counts alone.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from utils.words.errors import DataError, printable

MAGIC, VERSION = b"DefectIx", 1
HEAD = struct.Struct("<8sIIQ")  # magic, version, CRC-32 and length of the JSON header
MOST_HEADER = 256 << 20  # bytes
ALIGNMENT = 64
BLOCK = 1 << 20  # bytes read at a time for a CRC
# column -> (type, what it has a row of, numbers per row); ends: where the rows of each picture or file end
COLUMNS: dict[str, tuple[str, str, int]] = {
    "image_ids": ("<i8", "pictures", 1),
    "sizes": ("<i4", "pictures", 2),
    "flags": ("|u1", "pictures", 1),
    "path_ends": ("<u8", "pictures", 1),
    "paths": ("|u1", "path_bytes", 1),
    "box_ends": ("<u8", "pictures", 1),
    "boxes": ("<f4", "boxes", 4),
    "labels": ("<i4", "boxes", 1),
    "crowd": ("|b1", "boxes", 1),
    "file_ends": ("<u8", "files", 1),
    "files": ("|u1", "file_bytes", 1),
    "file_facts": ("<i8", "files", 4),
}


class UnusableIndex(DataError):
    """An index that is not there, damaged, or of another format; the message says which."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of an index file by name, read-only and mapped; `header` is its JSON.

    `fingerprint` is equal only for equal content.
    """

    arrays: dict[str, np.ndarray]
    header: dict[str, Any]
    fingerprint: str
    mapped_bytes: int


class ColumnWriter:
    """Takes columns piece by piece, in bounded memory, and gives the complete file its name at the end.

    Used in a `with` block; what is left unfinished is removed. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
        self.spools: dict[str, BinaryIO] = {name: open(Path(self.folder.name, name), "w+b") for name in COLUMNS}
        self.checksums = dict.fromkeys(COLUMNS, 0)

    def __enter__(self) -> ColumnWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for spool in self.spools.values():
            spool.close()
        self.folder.cleanup()

    def add(self, name: str, values: np.ndarray | Sequence[Any]) -> None:
        """Append rows to a column."""
        raw = np.ascontiguousarray(values, COLUMNS[name][0]).tobytes()
        self.spools[name].write(raw)
        self.checksums[name] = zlib.crc32(raw, self.checksums[name])

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the file, its header holding `facts` (JSON-ready) besides, and give it its name."""
        counts = {rows: self.spools[name].tell() // _row_bytes(name) for name, (_, rows, _) in COLUMNS.items()}
        header = json.dumps({**facts, "counts": counts, "checksums": self.checksums}, ensure_ascii=True).encode()
        whole = Path(self.folder.name, "whole")
        with open(whole, "wb") as file:
            file.write(HEAD.pack(MAGIC, VERSION, zlib.crc32(header), len(header)))
            file.write(header)
            for spool in self.spools.values():
                file.write(bytes(-file.tell() % ALIGNMENT))
                spool.seek(0)
                while block := spool.read(BLOCK):
                    file.write(block)
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, self.path)


def open_columns(path: Path, verify: bool) -> Columns:
    """Map an index file. `verify` reads it once, comparing every CRC; else only header and length are looked at.

    Raises UnusableIndex.
    """
    try:
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise _unusable(path, "is not there") from error
    except (OSError, ValueError) as error:  # an empty file cannot be mapped: ValueError
        raise _unusable(path, f"cannot be read: {error}") from error
    raw = _header(path, mapped)
    header = json.loads(raw)
    layout, end = _layout(header["counts"], HEAD.size + len(raw))
    if end != len(mapped):
        raise _unusable(path, f"has {len(mapped):,} bytes instead of {end:,}")
    arrays = {}
    for name, (start, count) in layout.items():
        kind, _, width = COLUMNS[name]
        flat = np.frombuffer(mapped, kind, count * width, start)
        if verify and _checksum(flat) != header["checksums"][name]:
            raise _unusable(path, f"is damaged (column {name})")
        arrays[name] = flat if width == 1 else flat.reshape(count, width)
    return Columns(arrays, header, hashlib.sha256(raw).hexdigest(), len(mapped))


def _header(path: Path, mapped: mmap.mmap) -> bytes:
    if len(mapped) < HEAD.size:
        raise _unusable(path, "is cut off")
    magic, version, checksum, length = HEAD.unpack_from(mapped)
    if magic != MAGIC:
        raise _unusable(path, "is no index")
    if version != VERSION:
        raise _unusable(path, f"has format {version}, this program writes {VERSION}")
    raw = mapped[HEAD.size : HEAD.size + min(length, MOST_HEADER)]
    if len(raw) != length or zlib.crc32(raw) != checksum:
        raise _unusable(path, "is damaged (header)")
    return raw


def _layout(counts: Mapping[str, int], start: int) -> tuple[dict[str, tuple[int, int]], int]:
    """Column -> (first byte, rows), and where the file ends."""
    layout = {}
    for name, (_, rows, _) in COLUMNS.items():
        start += -start % ALIGNMENT
        layout[name] = start, counts[rows]
        start += counts[rows] * _row_bytes(name)
    return layout, start


def _row_bytes(name: str) -> int:
    kind, _, width = COLUMNS[name]
    return np.dtype(kind).itemsize * width


def _checksum(flat: np.ndarray) -> int:
    """CRC-32, block by block: the pages need not all be in memory at once."""
    checksum = 0
    raw = flat.view(np.uint8)
    for start in range(0, len(raw), BLOCK):
        checksum = zlib.crc32(raw[start : start + BLOCK].data, checksum)
    return checksum


def _unusable(path: Path, reason: str) -> UnusableIndex:
    return UnusableIndex(f"{printable(str(path))}: {reason}; remove it, it is rebuilt")
