"""Messages to the console and to the run's log file, and progress bars that keep out of their way."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from utils.console.failure import own_rank, report
from utils.console.stop import Stopped
from utils.words.errors import UserError

T = TypeVar("T")
LOG = logging.getLogger("defects")


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
    """Console output, once per process; warnings go to stderr. Of several processes only the first tells the story."""
    rank = own_rank()
    LOG.handlers[:] = [_Console()]
    LOG.handlers[0].setFormatter(logging.Formatter(f"rank {rank}: %(message)s" if rank else "%(message)s"))
    LOG.setLevel(logging.WARNING if rank else logging.INFO)
    LOG.propagate = False


def log_to(path: Path) -> None:
    """Write everything into `path` too."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)


def stop_logging() -> None:
    """Close log files."""
    for handler in LOG.handlers[1:]:
        handler.close()
        LOG.removeHandler(handler)


def progress(items: Iterable[T], description: str, total: int | None = None, done: int = 0) -> tqdm[T]:
    """A progress bar on a terminal, nothing elsewhere; of several processes only the first shows one."""
    hidden = True if own_rank() else None
    return tqdm(items, desc=description, total=total, disable=hidden, initial=done, dynamic_ncols=True, leave=False)


def run_script(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a script's story; a user's mistake becomes one line on stderr and its exit code, unless --debug."""
    words = sys.argv[1:] if argv is None else argv
    start_logging()
    try:
        return script(argv)
    except UserError as error:
        if "--debug" in words:
            raise
        line = f"error[{error.code}]: " + " ".join(str(error).split("\n"))
        if report(line):
            LOG.error(line)
        return error.exit_code
    except Stopped as stopped:
        line = f"stopped by {stopped}; python train.py --resume goes on from there"
        report(line)
        if not own_rank():
            LOG.warning(line)
        return stopped.exit_code
    except KeyboardInterrupt:
        LOG.error("stopped; python train.py --resume continues the newest run from what it saved last")
        return 130
    finally:
        stop_logging()
