"""One training for one run folder: two that write the same checkpoints leave neither."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.words.errors import ConfigError, printable

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextmanager
def alone_in(folder: Path, earlier: bool = False) -> Iterator[None]:
    """While the block runs, no other process of this machine trains into `folder`, if that exists. Where nothing can be
    locked (Windows, some shares), nothing is. With `earlier` nothing is written: only a lock that a training left there
    is taken. Raises ConfigError.

    The lock is the process's own: the system takes it back when that is killed, and no worker that it forked keeps it,
    as with flock; so what resumes at once is not refused.
    """
    handle, taken = -1, False
    if fcntl is not None:
        with suppress(OSError):
            make = 0 if earlier else os.O_CREAT
            handle = os.open(folder / LOCK, os.O_RDWR | make | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                taken = True
    try:
        if taken:
            where = printable(str(folder))
            raise ConfigError(f"{where}: another train.py writes into it; wait for it, stop it, or take another --name")
        yield
    finally:
        if handle >= 0:
            os.close(handle)
