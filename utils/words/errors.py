"""Mistakes of the user: one line on stderr and an exit code, never a traceback (unless --debug)."""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """Base of every mistake a user can cause and mend.

    The message is one line: `where: what is wrong; what to do`, `where` being `file:line`, a file or an option.
    """

    code = "ERROR"
    exit_code = 1

    def __init__(self, message: str) -> None:
        """`message`; of what PyTorch hands on from a loader process with its traceback, the last line: our message."""
        if message.startswith("Caught ") and "\nOriginal Traceback" in message:
            message = message.strip().splitlines()[-1].partition(": ")[2]
        super().__init__(message)


class UnexpectedError(UserError):
    """Not the user's: a fault of this program. Its traceback is in the log of the run."""

    code = "BUG"


class ConfigError(UserError):
    """Usage, configuration, YAML syntax or keys."""

    code = "CONFIG"
    exit_code = 2


class DataError(UserError):
    """Pictures or labels: not found, empty or unusable."""

    code = "DATA"
    exit_code = 3


class CheckpointError(UserError):
    """Checkpoint missing, unreadable, refused or incompatible."""

    code = "CKPT"
    exit_code = 4


class DamagedError(CheckpointError):
    """What stands in a checkpoint is wrong, so that the one before it may do instead; `path` is the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class NumericError(UserError):
    """Training diverged or produced non-finite numbers."""

    code = "NUMERIC"
    exit_code = 5


class ResourceError(UserError):
    """Disk, memory, shared memory or workers gave out."""

    code = "RESOURCE"
    exit_code = 6


class WorkerError(ResourceError):
    """Processes that make batches gave out again and again; it comes between two steps, whose state can be saved."""


def printable(text: str) -> str:
    """`text` on one line with control characters shown as escapes, for names that come from files."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
