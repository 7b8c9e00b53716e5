"""Signals that end a script: SIGINT, SIGTERM, and SIGHUP, which ends it as SIGTERM does.

| while the script          | the first signal                           | a second Ctrl-C                    |
|---|---|---|
| imports its modules       | ends it at once (`leave_on_signals`)       |                                    |
| works (`AtOnce`)          | raises `Stopped` where it is               | ends it at once                    |
| goes step by step (`Stop`) | is noted, and served after the step       | raises `Stopped` where it is       |
| saves (`uninterrupted`)   | is served after the save                   | is served after the save           |
| has all results (`complete`) | changes nothing                         | changes nothing                    |

`Stopped` carries what the script says: what is done, and how to go on (`saying`). Blocks may be nested, the innermost
one counts. Only the main thread gets signals; elsewhere nothing is installed. No torch here: scripts import this first.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn

NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, FrameType | None], None]

came: set[int] = set()  # the signals that this process got since its work began
_working: list[AtOnce] = []  # the innermost last


class Stopped(BaseException):
    """A signal ends the script, with exit code 128 + its number, as shells report it.

    `words`: what is done and how to go on; "" until somebody knows. No Exception, so that nobody takes it for an error
    that can be mended.
    """

    def __init__(self, number: int, words: str = "") -> None:
        super().__init__(signal.Signals(number).name)
        self.number, self.words = number, words

    @property
    def exit_code(self) -> int:
        """128 + the signal's number."""
        return 128 + self.number


class saying:  # noqa: N801  a verb, as contextlib's suppress
    """A Stopped that comes out of the block says `words()`, after what blocks inside it say."""

    def __init__(self, words: Callable[[], str]) -> None:
        self.words = words

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (stopped := behind(error)) is not None:
            stopped.words = "; ".join(filter(None, (stopped.words, self.words())))
            if stopped is not error:
                raise stopped


def behind(error: BaseException | None) -> Stopped | None:
    """The Stopped that `error` is or came from, if it did: Python wraps what is raised while a class is made, and
    others what is raised in their callbacks.
    """
    met: set[int] = set()
    while error is not None and id(error) not in met:
        if isinstance(error, Stopped):
            return error
        met.add(id(error))
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Inside the block `handler` gets the signals."""
    before: dict[int, Any] = {}
    try:
        _install(handler, before)
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, signal.SIG_IGN if former is _leave_at_once else former or signal.SIG_DFL)


def _install(handler: Handler, before: dict[int, Any]) -> None:
    """Note what handled each signal in `before`."""
    try:
        for number in NUMBERS:
            # nohup's children go on when their terminal closes
            if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    except ValueError:  # not the main thread
        return


def leave_on_signals() -> None:
    """For the start of a script, whose imports take seconds: a signal ends it with one line. There is nothing to save,
    and an exception in the middle of an import would be a traceback.
    """
    _install(_leave_at_once, {})


def _leave_at_once(number: int, _: FrameType | None) -> None:
    """The handler until the work begins, and no more once it has ended."""
    leave(number, "nothing was begun")


def leave(number: int, words: str) -> NoReturn:
    """End this process and its children now: no exception, nothing is finished."""
    last_words(f"stopped by {signal.Signals(number).name}; {words}")
    if "multiprocessing" in sys.modules:  # its import takes longer than all others here
        for child in sys.modules["multiprocessing"].active_children():
            child.kill()
    os._exit(128 + number)


def complete() -> None:
    """All results are there: what is left is to clean up, and a signal changes nothing any more."""
    for one in _working:
        one.over = True


def last_words(line: str) -> None:
    """A line on stderr, if that is open, and if somebody empties it."""
    with suppress(OSError):
        room = select.poll() if hasattr(select, "poll") else None
        if room:
            room.register(2, select.POLLOUT)
        if not room or room.poll(1000):
            os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))


class AtOnce:
    """While entered, the first signal raises Stopped, until `over` is set: then nothing is left to stop.

    Another Ctrl-C ends the process at once, if the clean-up takes too long; not one of several processes (`patient`),
    to which a launcher passes the user's signals on, so that they come twice.
    """

    def __init__(self, patient: bool = False) -> None:
        self.patient, self.over, self.raised, self.process = patient, False, False, os.getpid()

    def __enter__(self) -> AtOnce:
        self._handled = handled(self._raise)
        self._handled.__enter__()
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        _working.append(self)
        came.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _working.remove(self)
        sys.unraisablehook = self._hook
        self._handled.__exit__(None, None, None)

    def _raise(self, number: int, _: FrameType | None) -> None:
        came.add(number)
        if self.over or os.getpid() != self.process:  # a child that has no handlers of its own yet
            return
        if not self.raised:
            self.raised = True
            raise Stopped(number)
        if number == signal.SIGINT and not self.patient:
            leave(number, "at once, by a second Ctrl-C")

    def _unraisable(self, lost: sys.UnraisableHookArgs) -> None:
        """Stopped was raised in a destructor or a callback, where Python drops every exception."""
        if isinstance(lost.exc_value, Stopped):
            leave(lost.exc_value.number, "start it again")
        self._hook(lost)


class Stop:
    """While entered, a signal is only noted: `received` is its number, 0 before.

    A second Ctrl-C raises Stopped, not in one of several processes (`impatient` False): there signals come twice.
    """

    def __init__(self, impatient: bool = True) -> None:
        self.received, self.impatient = 0, impatient

    def __enter__(self) -> Stop:
        self._handled = handled(self._note)
        self._handled.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handled.__exit__(None, None, None)

    def _note(self, number: int, _: FrameType | None) -> None:
        came.add(number)
        again, self.received = self.received, self.received or number
        if again and self.impatient and number == signal.SIGINT:
            raise Stopped(number)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """The block is finished before any signal is served, a second Ctrl-C too."""
    came: list[int] = []
    try:
        with handled(lambda number, _: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)
