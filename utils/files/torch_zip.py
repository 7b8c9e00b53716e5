"""The zip that torch.save writes, read so that no bit of its content is wrong unnoticed.

torch.load compares no checksums, and believes what a pickle says of the size of a storage.
"""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import torch

MAX_ENTRIES = 20_000  # ours have some 2,000; each costs torch 0.1 ms
MAX_PICKLE = 4_000_000  # bytes; ours have some 200,000, and unpickling takes up to 1 s a million
DIRECTORY_END = struct.Struct("<4s8xL6x")  # signature and size of the directory, where no comment follows


def load_zip(file: BinaryIO) -> Any:
    """What torch.save wrote into `file`, on the CPU, the bytes of every entry compared with their checksum.

    Raises BadZipFile with what is wrong, UnpicklingError for what wants to run code, and whatever torch raises for a
    pickle that makes no sense.
    """
    entries = read_entries(file)
    tensors = [entries[name] for name in entries if name.startswith("data/")]
    # torch numbers storages in the order in which it meets them; it asks for an empty one each time
    waiting = iter(sorted((info for info in tensors if info.file_size), key=_number))

    def verified(storage: Any, _location: str) -> Any:
        if storage.nbytes():
            _verify(storage, next(waiting, None))
        return storage

    file.seek(0)
    return torch.load(file, map_location=verified, weights_only=True)


def read_entries(file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, without the folder that all of them are in, those that are no tensors verified.

    Raises BadZipFile.
    """
    file.seek(-DIRECTORY_END.size, 2)
    signature, directory = DIRECTORY_END.unpack(file.read())
    if signature == b"PK\5\6" and directory > 256 * MAX_ENTRIES:
        raise zipfile.BadZipFile(f"more than {MAX_ENTRIES:,} entries")
    with zipfile.ZipFile(file) as zipped:
        found = zipped.infolist()
        folder = found[0].filename.partition("/")[0] + "/" if found else ""
        entries = {info.filename.removeprefix(folder): info for info in found}
        _check_directory(entries, len(found))
        for name, info in entries.items():
            if not name.startswith("data/"):
                _read(zipped, name, info)
    return entries


def _check_directory(entries: Mapping[str, zipfile.ZipInfo], count: int) -> None:
    if count > MAX_ENTRIES:
        raise zipfile.BadZipFile(f"more than {MAX_ENTRIES:,} entries")
    if len({name.casefold() for name in entries}) < count:  # torch looks names up in any case
        raise zipfile.BadZipFile("several entries of one name")
    tensors = {name for name in entries if name.startswith("data/")}
    if "data.pkl" not in entries or tensors != {f"data/{k}" for k in range(len(tensors))}:
        raise zipfile.BadZipFile("its entries are not those that torch writes")
    for name, info in entries.items():
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise zipfile.BadZipFile(f"{name} is packed, which torch never does")
        if name not in tensors and info.file_size > MAX_PICKLE:
            raise zipfile.BadZipFile(f"{name} has more than {MAX_PICKLE:,} bytes; too many tensors?")


def _read(zipped: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> None:
    try:
        data = zipped.read(info)
    except (zipfile.BadZipFile, EOFError) as error:
        raise zipfile.BadZipFile(f"checksum of {name} is wrong: {error}") from error
    # torch would turn the bytes of a storage before `verified` has seen how many there are
    if name == "byteorder" and data != sys.byteorder.encode():
        raise zipfile.BadZipFile(f"its numbers are {data[:20]!r}-endian, this machine's {sys.byteorder}")


def _number(info: zipfile.ZipInfo) -> int:
    return int(info.filename.rpartition("/")[2])


def _verify(storage: torch.UntypedStorage, info: zipfile.ZipInfo | None) -> None:
    """Compare the bytes that torch has read with what the directory says of them. Raises BadZipFile."""
    held = info.file_size if info else 0
    if info is None or storage.nbytes() != held:
        raise zipfile.BadZipFile(f"a tensor claims {storage.nbytes():,} bytes where the file holds {held:,}")
    if zlib.crc32(torch.empty(0, dtype=torch.uint8).set_(storage).numpy().data) != info.CRC:
        raise zipfile.BadZipFile(f"checksum of data/{_number(info)} is wrong")
