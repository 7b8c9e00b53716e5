"""Messages to the console and to the run's log file, and progress bars that keep out of their way."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from utils.errors import UserError

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
    """Console output, once per process; warnings go to stderr."""
    LOG.handlers[:] = [_Console()]
    LOG.handlers[0].setFormatter(logging.Formatter("%(message)s"))
    LOG.setLevel(logging.INFO)
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


def progress(items: Iterable[T], description: str, total: int | None = None) -> tqdm[T]:
    """A progress bar on a terminal, nothing elsewhere."""
    return tqdm(items, desc=description, total=total, disable=None, dynamic_ncols=True, leave=False)


def run_script(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a script's story; a user's mistake becomes one line on stderr and its exit code, unless --debug."""
    words = sys.argv[1:] if argv is None else argv
    start_logging()
    try:
        return script(argv)
    except UserError as error:
        if "--debug" in words:
            raise
        text = " ".join(str(error).split("\n"))
        LOG.error("error[%s]: %s", error.code, text)
        return error.exit_code
    except KeyboardInterrupt:
        LOG.error("stopped; python train.py --resume continues the newest run from its last complete epoch")
        return 130
    finally:
        stop_logging()
