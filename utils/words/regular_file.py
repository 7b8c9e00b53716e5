"""The content of a file that a user names: of regular files only, within a limit, without ever waiting."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class UnreadableFile(ValueError):
    """Why a file cannot be read, in words that go on after its name: `is a folder, not a file`."""


def read_regular(path: str | Path, max_bytes: int) -> bytes:
    """The content of a regular file of at most `max_bytes`.

    Folders, pipes, sockets and devices are refused without waiting for them. Raises UnreadableFile.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UnreadableFile(f"cannot be read: {_reason(error)}") from error
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            what = "a folder" if stat.S_ISDIR(info.st_mode) else "a pipe, socket or device"
            raise UnreadableFile(f"is {what}, not a regular file")
        if info.st_size > max_bytes:
            raise UnreadableFile(f"has {info.st_size:,} bytes, more than the {max_bytes:,} allowed")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(info.st_size)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {_reason(error)}") from error
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
