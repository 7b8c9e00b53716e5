"""One process for one run: a lock on a file beside it, which lives as long as anyone who holds it.

The training inherits it, so that a study that is killed does not lead to a second training into the same folder while
the first one still runs. Where there are no such locks (Windows, some shares) nothing is locked.
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


class RunLock:
    """A lock that is held until the end of the block, here, and by each process that was given `handles`."""

    def __init__(self, handle: int) -> None:
        self.handles = (handle,) if handle >= 0 else ()

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            os.close(handle)


def take(path: Path, wait: bool = False) -> RunLock | None:
    """The lock of the file `path`, which is made if need be; None while another process holds it, unless it is waited
    for. Raises ResourceError where no file can be written.
    """
    if fcntl is None:
        return RunLock(-1)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise refused(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # a share without locks
        os.close(handle)
        return RunLock(-1)
    return RunLock(handle)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock; nothing is written."""
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
