"""Pictures inside tar files ("shards"), each found by a table of offsets beside its shard.

    train-000000.tar          000000_00000000.jpg, 000000_00000000.json, ... (grouped as WebDataset's tools expect)
    train-000000.offsets.npy  (P,) of name, first byte and bytes of every picture
    manifest.json             of every shard its split, pictures, bytes, and SHA-256 of both files

A picture's path is that of its shard and its name. The names are numbers: nothing in a shard is ever unpacked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from utils.words.errors import DataError, printable
from utils.words.regular_file import UnreadableFile, read_regular

FORMAT = 1
MANIFEST = "manifest.json"
SUFFIX = ".tar"
OFFSETS = np.dtype([("name", "S24"), ("start", "<i8"), ("bytes", "<i8")])
MOST_MANIFEST = 64 << 20
_FILE = re.compile(r"[a-z]+-\d{6}\.tar")
_MEMBER = re.compile(rb"\d{6}_\d{8}\.[a-z0-9]{2,5}")
AGAIN = "pack the data again, or copy the folder again"


@dataclass(frozen=True)
class Shard:
    """One tar file as the manifest has it."""

    file: str
    split: str
    pictures: int
    bytes: int
    sha256: str
    offsets_sha256: str

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def member_name(shard: int, picture: int, suffix: str) -> str:
    """What a picture is called in its shard."""
    return f"{shard:06}_{picture:08}{suffix.lower()}"


def offsets_of(shard: Path) -> Path:
    """The table of offsets of a shard."""
    return shard.with_suffix(".offsets.npy")


def is_member(path: str | Path) -> bool:
    """Whether a path is that of a picture in a shard."""
    home = os.path.dirname(path)
    return home.endswith(SUFFIX) and os.path.isfile(home)


def read_member(path: str | Path, most_bytes: int) -> bytes:
    """The bytes of a picture in a shard. Raises DataError."""
    shard, name = Path(os.path.dirname(path)), os.path.basename(path)
    start, count = locate(path)
    if not 0 <= count <= most_bytes or start < 0:
        raise _bad(shard, f"'{printable(name)}' has {count:,} bytes, more than the {most_bytes:,} allowed")
    try:
        with open(shard, "rb") as file:
            file.seek(start)
            raw = file.read(count)
    except OSError as error:
        raise _bad(shard, f"cannot be read: {error.strerror}") from error
    if len(raw) != count:
        raise _bad(shard, f"is cut off before the end of '{printable(name)}'")
    return raw


def locate(path: str | Path) -> tuple[int, int]:
    """First byte and bytes of a picture in a shard, by its table. Raises DataError."""
    shard, name = Path(os.path.dirname(path)), os.path.basename(path)
    table = _table(shard)
    stem = name.partition(".")[0].partition("_")[2]
    row = int(stem) if stem.isascii() and stem.isdigit() else len(table)
    if row >= len(table) or table[row]["name"] != os.fsencode(name):
        raise _bad(shard, f"holds no '{printable(name)}'")
    return int(table[row]["start"]), int(table[row]["bytes"])


def members(shard: Path) -> Iterator[str]:
    """The names of a shard's pictures in order. Raises DataError for a name that is no number of ours."""
    for name in _table(shard)["name"].tolist():
        if not _MEMBER.fullmatch(name):
            raise _bad(offsets_of(shard), f"'{printable(os.fsdecode(name))}' is no name that a shard may hold")
        yield name.decode("ascii")


def read_manifest(folder: Path) -> tuple[Shard, ...]:
    """The shards of a packed folder. Raises DataError."""
    path = folder / MANIFEST
    try:
        content = json.loads(read_regular(path, MOST_MANIFEST))
        shards = tuple(Shard(**shard) for shard in content["shards"])
        known = content["format"] == FORMAT
    except UnreadableFile as error:
        reason = str(error) if os.path.lexists(path) else "is missing"
        raise _bad(path, f"{reason}; it lists the shards") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _bad(path, "is no manifest of shards") from error
    if not known:
        raise _bad(path, f"has another format than {FORMAT}, which this program reads")
    for shard in shards:
        if not isinstance(shard.file, str) or not _FILE.fullmatch(shard.file):
            raise _bad(path, f"'{printable(str(shard.file))}' is no name of a shard in this folder")
    return shards


def check_shards(folder: Path, file: str) -> None:
    """Compare a shard with the manifest, and see that the others of its split are there. Raises DataError."""
    shards = {shard.file: shard for shard in read_manifest(folder)}
    if file not in shards:
        raise _bad(folder / file, f"is not in {MANIFEST}")
    for other in shards.values():
        if other.split == shards[file].split and not os.path.isfile(folder / other.file):
            raise _bad(folder / other.file, "is missing")
    shard, path = shards[file], folder / file
    if path.stat().st_size != shard.bytes:
        raise _bad(path, f"has {path.stat().st_size:,} bytes instead of {shard.bytes:,}")
    for part, wanted in ((offsets_of(path), shard.offsets_sha256), (path, shard.sha256)):
        if file_hash(part) != wanted:
            raise _bad(part, f"has another SHA-256 than {MANIFEST} says")
    if len(_table(path)) != shard.pictures:
        raise _bad(offsets_of(path), f"does not list the {shard.pictures:,} pictures of {MANIFEST}")


def file_hash(path: Path) -> str:
    """SHA-256 of a file. Raises DataError."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from error


def _table(shard: Path) -> np.ndarray:
    """The table of offsets, mapped."""
    path = offsets_of(shard)
    if not os.path.isfile(path):  # a pipe would be waited for
        raise _bad(path, "is missing, or no file")
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _bad(path, "cannot be read, or is no table of offsets") from error
    if table.dtype != OFFSETS or table.ndim != 1:
        raise _bad(path, "is no table of offsets")
    return table


def _bad(path: Path, reason: str) -> DataError:
    return DataError(f"{printable(str(path))}: {reason}; {AGAIN}")
