"""What an exception of Python's, PyTorch's or OpenCV's means for the person who started the script.

The rule for an OSError: whoever writes results raises ResourceError itself (utils/files/output_files.py). What
arrives here therefore arose from an input, unless its number says that the machine gave out.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType

from utils.console.signals import behind
from utils.words.errors import ConfigError, DataError, ResourceError, UnexpectedError, UserError

GAVE_OUT = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or ask for a larger quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "write elsewhere (--project)",
    errno.EMFILE: "raise the limit on open files (ulimit -n 4096), or take fewer --workers",
    errno.ENFILE: "close other programs: the whole machine is out of open files",
    errno.ENOMEM: "take a smaller --batch or --img, or fewer --workers",
    errno.EAGAIN: "raise the limit on processes (ulimit -u), or take fewer --workers",
    errno.EIO: "look after the disk: it, or its connection, fails",
}
NO_NAMES = {errno.ENAMETOOLONG: "is longer than a file name can be", errno.ELOOP: "is a link that leads in a circle"}
# How PyTorch, CUDA, cuDNN, OpenCV and Python's threads say it, none of them by a type of its own.
NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "insufficient memory", "alloc_failed")
NO_THREADS = "can't start new thread"
SMALLER = "take a smaller --batch (-1 finds what fits a GPU) or --img, or fewer --workers"


class Explained:
    """Around the work of a script: what it raises comes out as a UserError, or as what ends a script on request."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            if stopped := behind(error):
                raise stopped
            explained = explain(error)
            if explained is not error:
                raise explained from error


def explain(error: Exception) -> UserError:
    """The UserError that `error` is, or comes to; UnexpectedError where it is a fault of ours."""
    cause: BaseException | None = error
    while cause is not None:  # a reader that calls a file unreadable may have been out of file handles
        if gave_out := _gave_out(cause):
            return error if isinstance(error, ResourceError) else ResourceError(_words(error, cause, gave_out))
        cause = cause.__cause__
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError):
        name = _names(error)
        if error.errno in NO_NAMES:
            return ConfigError(f"{name or 'a path'}: {NO_NAMES[error.errno]}; mend it")
        if name:
            return DataError(f"{name}: cannot be read: {error.strerror or error}; mend it, or name another")
    if isinstance(error, UnicodeError):
        return ConfigError(f"{_first_line(error)}; a name or a file holds text that is no UTF-8: rename it, or mend it")
    if isinstance(error, ValueError) and "null" in str(error) and ("byte" in str(error) or "character" in str(error)):
        return ConfigError("a path holds a NUL byte, which no file system allows; mend the flag or file that names it")
    said = f"{type(error).__name__}: {_first_line(error)}"
    return UnexpectedError(f"{said}; a fault of this program, not yours: please report it with what --debug shows")


def _gave_out(error: BaseException) -> str:
    """What to do, where the machine gave out."""
    if isinstance(error, OSError):
        return GAVE_OUT.get(error.errno or 0, "")
    if isinstance(error, MemoryError):
        return SMALLER
    if isinstance(error, RuntimeError) or type(error).__module__ == "cv2":
        text = str(error).lower()
        if NO_THREADS in text:
            return GAVE_OUT[errno.EAGAIN]
        return SMALLER if any(words in text for words in NO_MEMORY) else ""
    return ""


def _words(error: Exception, cause: BaseException, advice: str) -> str:
    if isinstance(error, UserError):  # it names the place
        return f"{error}; {advice}"
    if isinstance(cause, OSError):
        name = _names(cause)
        return f"{name + ': ' if name else ''}{cause.strerror or cause}; {advice}"
    return f"{_first_line(cause) or 'out of memory'}; {advice}"


def _names(error: OSError) -> str:
    name = error.filename if error.filename is not None else ""
    return os.fsdecode(name) if isinstance(name, str | bytes) else str(name)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else ""
