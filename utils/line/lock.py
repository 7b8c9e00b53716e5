"""One watcher for one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from utils.files.locks import Lock, take
from utils.words.errors import ConfigError, ResourceError, printable


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
    is written among the pictures. Raises ConfigError.
    """
    lock: Lock | None = Lock()
    with suppress(ResourceError):
        lock = take(folder, make=False)
    if lock is None:
        raise ConfigError(f"--watch {printable(str(folder))}: another detect.py watches this folder; stop it first")
    with lock:
        yield
