"""One watcher for one folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from utils.words.errors import ConfigError, ResourceError, printable

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]


@contextmanager
def alone_in_run(run: Path) -> Iterator[None]:
    """While the block runs, no other process writes into the run folder. Raises ConfigError, ResourceError."""
    lock = FileLock(run / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        shown = printable(str(run))
        raise ConfigError(f"--name: another detect.py writes into {shown}; stop it, or take another --name") from error
    except OSError as error:
        raise ResourceError(f"{printable(str(run))}: cannot be locked: {error.strerror or error}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


@contextmanager
def alone_at(folder: Path) -> Iterator[None]:
    """While the block runs, no other process on this machine watches `folder`: a lock on the folder itself, as nothing
    is written among the pictures; the system takes it back when a process is killed. Raises ConfigError.
    """
    held, taken = -1, False
    if fcntl is not None:
        with suppress(OSError):  # a share without locks
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                taken = True
    if taken:
        os.close(held)
        raise ConfigError(f"--watch {printable(str(folder))}: another detect.py watches this folder; stop it first")
    try:
        yield
    finally:
        if held >= 0:
            os.close(held)
