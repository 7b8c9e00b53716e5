"""Messages to the console and to the run's log file."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
LOG = logging.getLogger("defects")


def own_rank() -> int:
    """The rank that a launcher gave this process; 0 when it runs alone. Known before processes are connected."""
    text = os.environ.get("RANK", "")
    return int(text) if text.isdecimal() else 0


class _Console(logging.Handler):
    """Prints above any live progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        try:
            tqdm.write(self.format(record), file=stream)
            stream.flush()
        except BrokenPipeError:  # the reader left (| head): the work goes on, and the log file has everything
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def start_logging() -> None:
    """Console output, once per process; warnings go to stderr. Ranks other than 0 print warnings only."""
    rank = own_rank()
    LOG.handlers[:] = [_Console()]
    LOG.handlers[0].setFormatter(logging.Formatter(f"rank {rank}: %(message)s" if rank else "%(message)s"))
    LOG.setLevel(logging.WARNING if rank else logging.INFO)
    LOG.propagate = False  # a handler of the root logger would print every message a second time


def log_to(path: Path) -> None:
    """Write every message into `path` too."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)


def stop_logging() -> None:
    """Close the log files."""
    for handler in LOG.handlers[1:]:  # the first is the console
        handler.close()
        LOG.removeHandler(handler)
