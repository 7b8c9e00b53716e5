"""Decoded pictures behind one interface: read from their files each time, or kept in memory, or on disk.

What a picture looks like does not depend on where it comes from, bit for bit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import torch

from data.files.shards import is_member
from data.index.flat_truth import flatten
from data.pictures.picture_decoder import image_error
from data.pictures.plane_reader import PlaneReader
from data.scenes.disk_cache import PictureFiles
from utils.console.log import LOG
from utils.console.progress import progress
from utils.processes.distributed import find_place
from utils.processes.memory import free_memory
from utils.values.channels import RGB_CHANNELS, Channels
from utils.values.record import Record
from utils.words.errors import ConfigError, DataError
from utils.words.text import counted

SHARE = 0.8  # of the free memory or disk that a cache may take
CHUNK = 256  # pictures decoded between two looks at the progress bar


class Pictures:
    """The pictures of a list of records by index: (H, W, 3) uint8 RGB, upright, not to be written to; with other
    `channels` as `PlaneReader` reads them.

    Decodes the file each time. Raises DataError as `read_image` does, and for a second picture that has gone missing;
    `alone` are those that had none from the start, for which it is zeros.
    """

    def __init__(self, records: Sequence[Record], max_pixels: int, channels: Channels = RGB_CHANNELS) -> None:
        self.records, self.max_pixels, self.channels = records, max_pixels, channels
        self.reader = PlaneReader(channels, max_pixels)
        paired = enumerate(records) if channels.polar_dir else ()
        self.alone = frozenset(index for index, record in paired if not self.reader.has_second(record.path))

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> np.ndarray:
        path = self.records[index].path
        if self.channels.polar_dir and index not in self.alone and not self.reader.has_second(path):
            raise image_error(self.reader.second_place(path)[0], "is gone", f"put back what belongs to {path.name}")
        return self.reader(path)

    @property
    def bytes(self) -> int:
        """What all pictures take when they are decoded."""
        return int(flatten(self.records).sizes.astype(np.int64).prod(1).sum()) * 3


class PicturesInMemory(Pictures):
    """All pictures decoded beforehand into one block of memory that the loader's workers share.

    The block is a torch tensor: forked workers see it as it is, others get it as shared memory. A picture that cannot
    be decoded is tried again each time it is requested, so that it fails where it would fail without a cache.
    Raises MemoryError when the block cannot be allocated.
    """

    def __init__(self, records: Sequence[Record], max_pixels: int) -> None:
        super().__init__(records, max_pixels)
        ends = np.cumsum(flatten(records).sizes.astype(np.int64).prod(1) * 3)
        self.starts = np.concatenate((np.zeros(1, np.int64), ends))
        try:
            self.block = torch.empty(self.bytes, dtype=torch.uint8)
        except RuntimeError as error:  # what torch raises when an allocation fails
            raise MemoryError(str(error)) from error
        self.kept = np.zeros(len(records), bool)
        bar = progress(range(0, len(records), CHUNK), "decoding pictures")
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            for start in bar:
                chunk = range(start, min(start + CHUNK, len(records)))
                self.kept[start : start + CHUNK] = list(pool.map(self._keep, chunk))

    def __getitem__(self, index: int) -> np.ndarray:
        return self._view(index) if self.kept[index] else super().__getitem__(index)

    def _keep(self, index: int) -> bool:
        """Whether the picture could be decoded and has the size that was announced."""
        try:
            image = super().__getitem__(index)
        except DataError:
            return False
        if image.shape != (*self.records[index].size, 3):  # it would not fit its place in the block
            return False
        self._view(index, writable=True)[:] = image
        return True

    def _view(self, index: int, writable: bool = False) -> np.ndarray:
        part = self.block[self.starts[index] : self.starts[index + 1]].numpy().reshape(*self.records[index].size, 3)
        part.flags.writeable = writable
        return part


class PicturesOnDisk(Pictures):
    """Decoded pictures in the user's cache folder: written when they are first asked for, read from then on, by later
    runs too.
    """

    def __init__(self, records: Sequence[Record], max_pixels: int, files: PictureFiles) -> None:
        super().__init__(records, max_pixels)
        self.files = files

    def __getitem__(self, index: int) -> np.ndarray:
        path = self.records[index].path
        stamp = self.files.stamp(path)
        if stamp is None:
            return super().__getitem__(index)
        image = self.files.read(path, stamp)
        if image is None:
            image = super().__getitem__(index)
            self.files.write(path, stamp, image)
        return image


def check_cache(cache: str, channels: Channels) -> None:
    """Whether a new run can have the cache it asks for. Raises ConfigError. A run that goes on only gets a warning."""
    if cache != "none" and not channels.plain_rgb:
        raise ConfigError(
            f"--cache {cache}: keeps 8-bit RGB pictures only, not {', '.join(channels.held)}; leave it out"
        )


def open_pictures(
    records: Sequence[Record],
    max_pixels: int,
    cache: Literal["none", "ram", "disk"] = "none",
    channels: Channels = RGB_CHANNELS,
) -> Pictures:
    """The pictures of `records`. Without room for a cache there is none, and a warning: that is slower, and the
    results are the same. Only RGB pictures are cached.
    """
    plain = Pictures(records, max_pixels, channels)
    if cache == "none" or not records:
        return plain
    if not channels.plain_rgb:
        LOG.warning("--cache %s: keeps 8-bit RGB pictures only: reading the files each time", cache)
        return plain
    return _in_memory(plain) if cache == "ram" else _on_disk(plain)


def _in_memory(plain: Pictures) -> Pictures:
    free, processes = free_memory(), find_place(None).local_size
    known = "an unknown amount" if free is None else f"{_megabytes(free)} of memory"
    words = f"{counted(len(plain), 'decoded picture')}, {_megabytes(plain.bytes)}"
    words += f" in each of {processes} processes" if processes > 1 else ""
    if free is not None and plain.bytes * processes <= SHARE * free:
        try:
            pictures = PicturesInMemory(plain.records, plain.max_pixels)
            LOG.info("--cache ram: %s", words)
            return pictures
        except MemoryError:
            known = "less"
    LOG.warning("--cache ram: %s, but %s is free: reading the files each time; try --cache disk", words, known)
    return plain


def _on_disk(plain: Pictures) -> Pictures:
    if all(is_member(plain.records[place].path) for place in (0, -1)):
        LOG.warning("--cache disk: keeps no pictures of packed data: reading them each time; try --cache ram")
        return plain
    words = f"{counted(len(plain), 'decoded picture')}, {_megabytes(plain.bytes)}"
    try:
        files = PictureFiles.open()
        missing = plain.bytes - files.present(record.path for record in plain.records)
        free = files.free_bytes()
    except OSError as error:
        LOG.warning("--cache disk: %s: reading the files each time", error)
        return plain
    if missing > SHARE * free:
        LOG.warning(
            "--cache disk: %s, but %s is free in %s: reading the files each time; set XDG_CACHE_HOME to a larger place",
            words,
            _megabytes(free),
            files.folder,
        )
        return plain
    LOG.info("--cache disk: %s, kept in %s for later runs too; remove it at will", words, files.folder)
    return PicturesOnDisk(plain.records, plain.max_pixels, files)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
