"""The private folder of the server: pictures as they came and as they are shown, within a number of bytes."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from utils.files.output_files import refused
from utils.words.errors import ResourceError

MOST_BYTES = 2 << 30  # of all files together


class Store:
    """A temporary folder that only this user can look into. Several threads may use it.

    `spare` is asked to remove a file that matters less than a new one, and says whether it did.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        """`most`: bytes of all files. Raises ResourceError."""
        self.most, self.used = most, 0
        self.spare: Callable[[], bool] = lambda: False
        self._sizes: dict[Path, int] = {}
        self._lock, self._numbers = threading.Lock(), itertools.count(1)
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="defects-"))  # 0700
        except OSError as error:
            raise refused(Path(tempfile.gettempdir()), error) from error

    def new(self) -> Path:
        """The path of a file to be, under a name of ours: of what users call files nothing gets to the disk."""
        path = self.folder / f"{next(self._numbers)}"
        with self._lock:
            self._sizes[path] = 0
        return path

    def claim(self, path: Path, more: int) -> bool:
        """Take room for so many further bytes of a file; False: there is none."""
        while True:
            with self._lock:
                if path in self._sizes and self.used + more <= self.most:
                    self._sizes[path] += more
                    self.used += more
                    return True
                hopeless = path not in self._sizes or more > self.most
            if hopeless or not self.spare():
                return False

    def holds(self, path: Path | None) -> bool:
        """Whether that is a file of ours."""
        with self._lock:
            return path in self._sizes

    def write(self, content: bytes) -> Path:
        """A new file. Raises ResourceError."""
        path = self.new()
        try:
            if not self.claim(path, len(content)):
                raise ResourceError(f"{self.folder}: holds {self.most >> 20:,} MB, and no more; export reviews")
            path.write_bytes(content)
        except OSError as error:
            self.remove(path)
            raise refused(path, error) from error
        except ResourceError:
            self.remove(path)
            raise
        return path

    def remove(self, path: Path | None) -> None:
        """Remove a file of ours; others are left alone."""
        with self._lock:
            size = self._sizes.pop(path, None) if path is not None else None
            self.used -= size or 0
        if path is not None and size is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder with everything in it."""
        with self._lock:
            self._sizes.clear()
            self.used = 0
        shutil.rmtree(self.folder, ignore_errors=True)
