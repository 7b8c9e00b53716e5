"""The zip that torch.save writes, read so that no bit of its content is wrong unnoticed.

torch.load compares no checksums, and believes what a pickle says of the size of a storage.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

MAX_ENTRIES = 20_000  # ours have some 2,000; each costs torch 0.1 ms
MAX_PICKLE = 4_000_000  # bytes; ours have some 200,000, and unpickling takes up to 1 s a million
LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of the name and of the extra field behind it
DIRECTORY_END = struct.Struct("<4s8xLL2x")  # signature, size and place of the directory; without a comment


@dataclass(frozen=True)
class Entry:
    """One file of the zip: its bytes are data[start : start + size]."""

    start: int
    size: int
    checksum: int


def load_zip(data: bytes) -> Any:
    """What torch.save wrote into `data`, on the CPU, every entry compared with its checksum.

    Raises BadZipFile with what is wrong, UnpicklingError for what wants to run code, and whatever torch raises for a
    pickle that makes no sense.
    """
    entries = read_entries(data)
    described = {name: entry for name, entry in entries.items() if not name.startswith("data/")}
    _compare(data, described)  # first, as it says what becomes of the rest
    _check_pickle(data, entries)
    stored = {name: entry for name, entry in entries.items() if name not in described}
    sizes = iter([stored[f"data/{k}"].size for k in range(len(stored)) if stored[f"data/{k}"].size])

    def place(storage: Any, _location: str) -> Any:
        # torch numbers storages in the order in which it meets them
        if storage.nbytes() and storage.nbytes() != (held := next(sizes, 0)):
            raise zipfile.BadZipFile(f"a tensor claims {storage.nbytes():,} bytes where the file holds {held:,}")
        return storage

    with ThreadPoolExecutor(1) as pool:  # zlib leaves the interpreter to torch meanwhile
        comparing = pool.submit(_compare, data, stored)
        try:
            return torch.load(io.BytesIO(data), map_location=place, weights_only=True)
        finally:
            comparing.result()


def read_entries(data: bytes) -> dict[str, Entry]:
    """The entries by name, without the folder that all of them are in. Raises BadZipFile."""
    if len(data) < DIRECTORY_END.size:
        raise zipfile.BadZipFile("shorter than any checkpoint")
    signature, directory, _ = DIRECTORY_END.unpack_from(data, len(data) - DIRECTORY_END.size)
    if signature == b"PK\5\6" and directory > 256 * MAX_ENTRIES:
        raise zipfile.BadZipFile(f"more than {MAX_ENTRIES:,} entries")
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        found = file.infolist()
    if len(found) > MAX_ENTRIES:
        raise zipfile.BadZipFile(f"more than {MAX_ENTRIES:,} entries")
    folder = found[0].filename.partition("/")[0] + "/" if found else ""
    entries = {info.filename.removeprefix(folder): _entry(data, info) for info in found}
    if len({name.casefold() for name in entries}) < len(found):  # torch looks names up in any case
        raise zipfile.BadZipFile("several entries of one name")
    tensors = {name for name in entries if name.startswith("data/")}
    if "data.pkl" not in entries or tensors != {f"data/{k}" for k in range(len(tensors))}:
        raise zipfile.BadZipFile("its entries are not those that torch writes")
    return entries


def _entry(data: bytes, info: zipfile.ZipInfo) -> Entry:
    name = info.filename
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
        raise zipfile.BadZipFile(f"entry {name} is packed, which torch never does")
    if info.header_offset + LOCAL_HEADER.size > len(data):
        raise zipfile.BadZipFile(f"entry {name} lies outside of the file")
    signature, named, extra = LOCAL_HEADER.unpack_from(data, info.header_offset)
    begin = info.header_offset + LOCAL_HEADER.size
    if signature != b"PK\3\4" or data[begin : begin + named] != name.encode("utf-8"):
        raise zipfile.BadZipFile(f"entry {name} is not where the directory says")
    start = begin + named + extra
    if start + info.file_size > len(data):
        raise zipfile.BadZipFile(f"entry {name} is incomplete")
    return Entry(start, info.file_size, info.CRC)


def _compare(data: bytes, entries: Mapping[str, Entry]) -> None:
    view = memoryview(data)
    for name, entry in entries.items():
        if zlib.crc32(view[entry.start : entry.start + entry.size]) != entry.checksum:
            raise zipfile.BadZipFile(f"checksum of {name} is wrong")


def _check_pickle(data: bytes, entries: Mapping[str, Entry]) -> None:
    if entries["data.pkl"].size > MAX_PICKLE:
        raise zipfile.BadZipFile(f"describes itself in more than {MAX_PICKLE:,} bytes; too many tensors?")
    if order := entries.get("byteorder"):  # torch would turn the bytes before `place` has seen how many there are
        written = data[order.start : order.start + order.size]
        if written != sys.byteorder.encode():
            raise zipfile.BadZipFile(f"its numbers are {written[:20]!r}-endian, this machine's {sys.byteorder}")
