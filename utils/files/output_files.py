"""The files that a run leaves: each is opened here, so that none is half written, written through a link, or missing
without a word.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, TextIO, cast

from utils.console.log import LOG
from utils.words.errors import ResourceError, UserError, printable

LONGEST_NAME = 255  # bytes, in the usual file systems


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """The bytes of `path`, in a file beside it that gets this name at the end of the block: whole or not at all.

    What had the name before, a link too, is replaced, never written to. Raises ResourceError.
    """
    temporary, complete = temporary_name(path), False
    try:
        with cast(BinaryIO, _create(temporary, "b")) as file:
            yield file
        os.replace(temporary, path)
        complete = True
    except OSError as error:
        raise refused(path, error) from error
    finally:
        if not complete:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def temporary_name(path: Path) -> Path:
    """What a file is called until it is complete; never longer than its own name may be."""
    name = f".{path.name}.tmp"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f".{zlib.crc32(os.fsencode(path.name)):08x}.tmp"
    return path.with_name(name)


def open_rows(path: Path) -> TextIO:
    """`path` as a new text file, to be written row by row. Raises ResourceError."""
    try:
        return cast(TextIO, _create(path, ""))
    except OSError as error:
        raise refused(path, error) from error


def _create(path: Path, kind: str) -> IO[Any]:
    """A file that was not there before: mode "x" follows no link. Raises OSError."""
    # backslashreplace: a file name need not be valid UTF-8, and is written as it is shown
    words: dict[str, Any] = {} if kind else {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    try:
        return open(path, f"x{kind}", **words)
    except FileExistsError:  # of an earlier run, or a link
        path.unlink()
        return open(path, f"x{kind}", **words)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises ResourceError."""
    with new_file(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all. Raises ResourceError."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any, compact: bool = False) -> None:
    """Write JSON, `compact` on one line, three times as fast; NaN is a programming error, undefined metrics are null.
    Raises ResourceError.
    """
    indent = None if compact else 1  # with an indent Python does not use its encoder in C
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def make_folder(folder: Path) -> Path:
    """Make a folder for results, if need be. Raises ResourceError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(folder, error) from error
    return folder


def remove_result(path: Path) -> None:
    """Remove a file of an earlier run, if it is there. Raises ResourceError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refused(path, error) from error


def refused(path: Path, error: OSError) -> ResourceError:
    """What to say when the system does not let `path` be written."""
    return ResourceError(f"{printable(str(path))}: cannot be written: {error.strerror or error}; make room, or mend it")


class Extra:
    """Around a plot, a page or a table: whatever goes wrong there is a warning, and the run goes on without it."""

    def __init__(self, what: str | Path) -> None:
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        ours = not isinstance(error, OSError | UserError | MemoryError)  # then the log gets the traceback
        reason = f"{type(error).__name__}: {error}" if ours else str(error)
        named = reason if str(self.what) in reason else f"{self.what}: {reason}"
        LOG.warning("left out: %s", named, exc_info=error if ours else None)
        return True


class Results:
    """The results of a run that must not be lost: one that cannot be written is said at once, the others follow, and at
    the end of the block a ResourceError says what is missing. Several threads may write.
    """

    def __init__(self) -> None:
        self.first: ResourceError | None = None
        self.lost = 0
        self._lock = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around the writing of one result."""
        try:
            yield
        except ResourceError as error:
            with self._lock:
                self.lost += 1
                first, self.first = self.first is None, self.first or error
            if first:  # of a full disk each picture would say the same
                LOG.warning("%s", error)

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.lost:
            more = f"; and {self.lost - 1:,} more like this" if self.lost > 1 else ""
            raise ResourceError(f"{self.first}{more}")
