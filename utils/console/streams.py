"""stdout and stderr that cannot end a run: closed, full, of few letters, or with nobody left to read."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from utils.console import signals

POLL = 200  # ms between two looks whether a pipe has room
PATIENCE = 5  # looks, after a signal


class SteadyStream:
    """A text stream whose `write` and `flush` never raise.

    Letters that its encoding lacks become escapes. What the system refuses is dropped, and from then on everything. A
    pipe that nobody empties is waited for as long as no signal asks the program to end.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)  # isatty, fileno, encoding, ...

    def write(self, text: str) -> int:
        """Write what can be written of `text`; its length."""
        encoding = getattr(self.stream, "encoding", None) or "ascii"
        try:
            self._try(self.stream.write, text)
        except UnicodeError:
            self._try(self.stream.write, text.encode(encoding, "backslashreplace").decode(encoding, "replace"))
        return len(text)

    def flush(self) -> None:
        """Hand everything to the system."""
        self._try(self.stream.flush)

    def _try(self, act: Callable[..., object], *words: str) -> None:
        try:
            if self._has_room():
                act(*words)
        except BlockingIOError:
            pass  # a terminal that does not block: this text is lost, the next one may pass
        except UnicodeError:  # is a ValueError too, and the writer's to handle
            raise
        except (OSError, ValueError):  # ValueError: closed
            self._close_down()

    def _has_room(self) -> bool:
        """Whether the system takes some text at once, as any file does. Waiting in the middle of a write, a program
        would not be ended by a signal that it only notes.
        """
        if not hasattr(select, "poll"):
            return True
        try:
            handle = self.stream.fileno()
        except (OSError, ValueError, AttributeError):  # no file behind it
            return True
        room, looks = select.poll(), 0
        room.register(handle, select.POLLOUT)
        while not room.poll(POLL):
            looks += bool(signals.came)
            if looks >= PATIENCE:
                self._close_down()
                return False
        return True

    def _close_down(self) -> None:
        """Send everything to the null device, what is still in buffers too: Python flushes them once more at its end,
        and would end with code 120.
        """
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, self.stream.fileno())
        except (OSError, ValueError):  # no file behind it, or closed
            self.stream = open(os.devnull, "w", encoding="utf-8")
        finally:
            os.close(null)


@contextmanager
def steady_streams() -> Iterator[None]:
    """While entered, whatever is printed, by whomever, ends nothing; afterwards the streams can be flushed safely."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order they get the numbers 0, 1 and 2, which else the next file to be opened would get,
            # and with it everything that a library prints.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
    before = sys.stdout, sys.stderr
    steady = [SteadyStream(stream) for stream in before]
    sys.stdout, sys.stderr = (cast(TextIO, stream) for stream in steady)
    try:
        yield
    finally:
        for stream in steady:
            stream.flush()
        sys.stdout, sys.stderr = before
