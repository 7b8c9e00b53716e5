"""Messages to the console and to the run's log file: one message is one line, and none can end a run."""

from __future__ import annotations

import logging
import os
import stat
import sys
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from utils.words.errors import printable

T = TypeVar("T")
LOG = logging.getLogger("defects")
LONGEST = 3000  # letters of a message on the console


def own_rank() -> int:
    """The rank that a launcher gave this process; 0 when it runs alone. Known before processes are connected."""
    text = os.environ.get("RANK", "")
    return int(text) if text.isdecimal() else 0


class _Console(logging.Handler):
    """Prints above any live progress bar; utils.console.streams says what happens where nothing can be printed."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix, self.aside = prefix, False

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if self.aside or record.levelno >= logging.WARNING else sys.stdout
        # Names of classes, files and prompts may hold what a terminal obeys: it is shown as escapes, here for all.
        text = self.prefix + printable(record.getMessage())
        if len(text) > LONGEST:  # a prompt or a path of a megabyte; the log file has it whole
            text = f"{text[: LONGEST // 2]} ... {len(text) - LONGEST:,} letters ... {text[-LONGEST // 2 :]}"
        tqdm.write(text, file=stream)
        stream.flush()


class _OneLine(logging.Formatter):
    """Escapes as on the console; a traceback, which the console does not show, follows on lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return printable(super().formatMessage(record))


class _LogFile(logging.FileHandler):
    """A disk that refuses costs lines of the log and one warning."""

    complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        self._complain(sys.exc_info()[1])

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:  # what was still in its buffer
            self._complain(error)

    def _complain(self, error: BaseException | None) -> None:
        if not self.complained:
            self.complained = True  # first: the warning comes here too
            LOG.warning("%s: lacks lines that could not be written: %s", self.baseFilename, error)


def start_logging() -> None:
    """Console output, once per process; warnings go to stderr. Ranks other than 0 print warnings only."""
    rank = own_rank()
    LOG.handlers[:] = [_Console(f"rank {rank}: " if rank else "")]
    LOG.setLevel(logging.WARNING if rank else logging.INFO)
    LOG.propagate = False  # a handler of the root logger would print every message a second time


def say(text: str, aside: bool = False) -> None:
    """A line on the console and in no log file: there is one for each picture, and no end of them. `aside`: on stderr,
    as stdout is read by a machine.
    """
    tqdm.write(printable(text), file=sys.stderr if aside else sys.stdout)
    (sys.stderr if aside else sys.stdout).flush()


def messages_aside() -> None:
    """From now on messages go to stderr: stdout is read by a machine."""
    for handler in LOG.handlers:
        if isinstance(handler, _Console):
            handler.aside = True


def log_to(path: Path) -> None:
    """Write every message into `path` too, behind what is there, if the disk lets it; never through a link."""
    try:
        _unlink(path)
        handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        LOG.warning("%s: cannot be written: %s; messages are on the console only", path, error.strerror or error)
        return
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)


def _unlink(path: Path) -> None:
    """Make `path` a file of its own: no link, no pipe, and no bytes shared with another name."""
    if not os.path.lexists(path):
        return
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        path.unlink()
    elif about.st_nlink > 1:  # a copy made of hard links, as some backups are
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)


def stop_logging() -> None:
    """Close the log files."""
    for handler in LOG.handlers[1:]:  # the first is the console
        LOG.removeHandler(handler)
        handler.close()
