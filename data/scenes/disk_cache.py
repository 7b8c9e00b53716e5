"""A folder of decoded pictures, one file each: never in the data folders, never trusted unless everything agrees."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import struct
import tempfile
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import __version__ as pillow

from utils.config.paths import user_cache
from utils.console.log import LOG
from utils.words.errors import printable

# Change the version when data/pictures/picture_decoder.py decodes something differently.
FORMAT = f"decoded picture 1, OpenCV {cv2.__version__}, Pillow {pillow}"
HEADER = struct.Struct("<32sIII")  # stamp, height, width, checksum of the pixels that follow
SAMPLED = 4096  # bytes of the picture file's middle and end that go into the stamp
STALE_SECONDS = 3600  # after which an unfinished file was left behind by a process that died


class PictureFiles:
    """Decoded pictures under `folder` by path, each with a stamp of the file that it was made of."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.writes = folder, True

    @classmethod
    def open(cls) -> PictureFiles:
        """Those in the user's cache folder, made if need be. Raises OSError when it is not there or not ours."""
        files = cls(user_cache("pictures"))
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and files.folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{files.folder} belongs to another user")
        for left in files.folder.glob("*.tmp"):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink(missing_ok=True)
        return files

    def free_bytes(self) -> int:
        """Room left on the disk."""
        return shutil.disk_usage(self.folder).free

    def present(self, paths: Iterable[Path]) -> int:
        """Bytes that the pictures at `paths` have here, of whatever stamp: they are written over."""
        found = (self._file(path) for path in paths)
        return sum(file.stat().st_size for file in found if file.exists())

    def stamp(self, path: Path) -> bytes | None:
        """32 bytes that change when the file at `path` does; None when it is no regular file that can be read."""
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                return None
            with open(path, "rb") as file:
                info = os.fstat(file.fileno())
                facts = (FORMAT, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev)
                digest = hashlib.sha256(repr(facts).encode())
                for start in (info.st_size // 2, max(info.st_size - SAMPLED, 0)):
                    file.seek(start)
                    digest.update(file.read(SAMPLED))
        except OSError:
            return None
        return digest.digest()

    def read(self, path: Path, stamp: bytes) -> np.ndarray | None:
        """The (H, W, 3) uint8 pixels of the picture at `path`; None when they are missing or of another stamp.

        A damaged file is reported and counts as missing.
        """
        try:
            with open(self._file(path), "rb") as file:
                head = file.read(HEADER.size)
                if head[:32] != stamp or len(head) < HEADER.size:
                    return None
                _, height, width, checksum = HEADER.unpack(head)
                if os.fstat(file.fileno()).st_size == HEADER.size + height * width * 3:
                    pixels = file.read()
                    if zlib.crc32(pixels) == checksum:
                        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        except OSError:
            return None
        LOG.warning("%s: damaged, decoded again from %s", self._file(path), printable(str(path)))
        return None

    def write(self, path: Path, stamp: bytes, image: np.ndarray) -> None:
        """Keep `image`. When that fails, one warning is given and nothing more is written."""
        if not self.writes:
            return
        temporary, pixels = None, np.ascontiguousarray(image).data
        try:
            handle, temporary = tempfile.mkstemp(suffix=".tmp", dir=self.folder)
            with open(handle, "wb") as file:
                file.write(HEADER.pack(stamp, image.shape[0], image.shape[1], zlib.crc32(pixels)))
                file.write(pixels)
            os.replace(temporary, self._file(path))  # in one step: no reader sees half a picture
        except OSError as error:
            self.writes = False
            LOG.warning("--cache disk: %s: no further pictures are kept", error)
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)

    def _file(self, path: Path) -> Path:
        return self.folder / f"{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.rgb"
