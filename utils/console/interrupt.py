"""Stopping on request: SIGINT and SIGTERM end a run after the step at hand, with everything saved."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class Stopped(Exception):
    """A run was told to stop and has saved everything; `exit_code` is 130 after SIGINT, 143 after SIGTERM."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number  # as shells report a process that a signal ended


class Stop:
    """While entered, a signal is only noted: `received` is its number, 0 before.

    A second SIGINT ends the program at once where nobody else sends signals too (`impatient`); a launcher passes the
    user's on, so that they come twice.
    """

    def __init__(self, impatient: bool = True) -> None:
        self.received, self.impatient = 0, impatient
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:  # not the main thread: its caller has to handle signals
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.received and self.impatient and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number
