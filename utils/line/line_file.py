"""A text file to which whole lines are appended, through kills and full disks."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from utils.console.log import LOG
from utils.files.output_files import refused
from utils.words.errors import ConfigError, printable
from utils.words.text import counted

MOST_WAITING = 100_000  # lines that a full disk refused
BLOCK = 1 << 20


class LineFile:
    """`path`, which goes on where an earlier run stopped: a last line that was cut off by a kill is removed. Lines that
    the disk refuses wait in memory, and are tried again with the next one.

    `header`: the first line, which a file that is there must have. Raises ConfigError, ResourceError.
    """

    def __init__(self, path: Path, header: str = "") -> None:
        self.path, self.header, self.file = path, header.encode(), -1
        self.waiting: list[bytes] = []
        self.dropped = 0
        try:
            self._open()
        except OSError as error:
            raise refused(path, error) from error

    def append(self, line: str) -> bool:
        """Append a line, which ends with a line feed and has no other. Whether it, and all before it, are written."""
        self.waiting.append(line.encode("utf-8", "backslashreplace"))
        if len(self.waiting) > MOST_WAITING:
            self.waiting.pop(0)
            self.dropped += 1
        return self._write()

    def cut_after(self, wanted: Callable[[bytes], bool]) -> None:
        """Remove the lines after the last one that is `wanted`. Raises ResourceError."""
        end = len(self.header)
        with open(self.path, "rb") as file:
            place = 0
            for line in file:
                place += len(line)
                end = place if wanted(line) else end
        try:
            os.ftruncate(self.file, end)
        except OSError as error:
            raise refused(self.path, error) from error

    def begin_anew(self, earlier: Path) -> None:
        """Give the file the name `earlier`, and begin a new one; where that fails it goes on as it is."""
        try:
            os.replace(self.path, earlier)
            os.close(self.file)
            self._open()
        except OSError as error:
            LOG.warning("%s: no new one could be begun: %s", self.path, error.strerror or error)

    def close(self) -> int:
        """Close the file. How many lines it lacks."""
        self._write()
        with suppress(OSError):
            os.close(self.file)
        return len(self.waiting) + self.dropped

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self.file = os.open(self.path, flags, 0o666)
        self._cut_broken_line()
        if os.fstat(self.file).st_size == 0:
            os.write(self.file, self.header)
        with open(self.path, "rb") as file:
            if file.read(len(self.header)) != self.header:
                raise ConfigError(f"{printable(str(self.path))}: is of another kind of run; take another --name")

    def _cut_broken_line(self) -> None:
        end = size = os.fstat(self.file).st_size
        with open(self.path, "rb") as file:
            while end > 0:
                start = max(0, end - BLOCK)
                file.seek(start)
                place = file.read(end - start).rfind(b"\n")
                if place >= 0:
                    end = start + place + 1
                    break
                end = start
        if end < size:
            os.ftruncate(self.file, end)
            LOG.info("%s: its last line was cut off by a kill, and is removed", self.path)

    def _write(self) -> bool:
        """Append all that waits, or nothing."""
        if not self.waiting:
            return True
        size = os.fstat(self.file).st_size
        content = b"".join(self.waiting)
        try:
            written = os.write(self.file, content)
            reason = "" if written == len(content) else "no room for all of it"
        except OSError as error:
            written, reason = 0, error.strerror or str(error)
        if reason:
            with suppress(OSError):
                os.ftruncate(self.file, size)
            if len(self.waiting) == 1:
                LOG.warning("%s: cannot be written: %s; lines wait until it can", self.path, reason)
            return False
        if len(self.waiting) > 1:
            LOG.info("%s: can be written again; %s waited", self.path, counted(len(self.waiting), "line"))
        self.waiting.clear()
        return True
