"""One process at a time: locks on files and folders, which the system takes back from a process that is killed.

Where there are none (Windows, some shares) nothing is locked.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from utils.files.output_files import refused

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]


class Lock:
    """A lock that is held until the end of the block, or until `handle` is closed; none where that is missing."""

    def __init__(self, handle: int | None = None) -> None:
        self.handles = () if handle is None else (handle,)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            os.close(handle)


def take(path: Path, *, make: bool = True, wait: bool = False, inherited: bool = True) -> Lock | None:
    """The lock of a folder, or of a file, which is made if need be; None while another process holds it, unless it is
    waited for. If `inherited`, processes that this one forks hold it, too, and those that are given its `handles`,
    until the last of them ends. Raises ResourceError where there is nothing to open; no link to a file is followed.
    """
    if fcntl is None:
        return Lock()
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if make else 0)
    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        raise refused(path, error) from error
    try:
        (fcntl.flock if inherited else fcntl.lockf)(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (BlockingIOError, PermissionError):
        os.close(handle)
        return None
    except OSError:  # a share without locks
        os.close(handle)
        return Lock()
    return Lock(handle)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of a file, taken as `inherited`; nothing is written."""
    if fcntl is None or not path.is_file():
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
    finally:
        os.close(handle)
