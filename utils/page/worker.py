"""A thread that takes what waits for it, one after the other."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Worker(ABC, Generic[T]):
    """Works on what is put into `_waiting` while `_changed` is held, in a thread called `name`."""

    def __init__(self, name: str) -> None:
        self._waiting: deque[T] = deque()
        self._changed, self._over = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def _work(self, one: T) -> None:
        """Work on one; raises nothing."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """End after what is worked on, or without it after so many seconds; what waits is left."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        while (one := self._next()) is not None:
            self._work(one)
            del one  # it may hold a huge picture while the next one is waited for

    def _next(self) -> T | None:
        with self._changed:
            while not self._waiting and not self._over:
                self._changed.wait()
            return None if self._over else self._waiting.popleft()
