"""One training for one run folder: two that write the same checkpoints leave neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.files.locks import Lock, take
from utils.words.errors import ConfigError, ResourceError, printable

LOCK = ".lock"


@contextmanager
def alone_in(folder: Path, earlier: bool = False) -> Iterator[None]:
    """While the block runs, no other process of this machine trains into `folder`, if that exists. With `earlier`
    nothing is written: only a lock that a training left there is taken. Raises ConfigError.

    No worker that the process forked keeps the lock when it is killed, so what resumes at once is not refused.
    """
    lock: Lock | None = Lock()
    with suppress(ResourceError):
        lock = take(folder / LOCK, make=not earlier, inherited=False)
    if lock is None:
        where = printable(str(folder))
        raise ConfigError(f"{where}: another train.py writes into it; wait for it, stop it, or take another --name")
    with lock:
        yield
