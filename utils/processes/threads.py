"""One thread that works ahead and one that works behind, both bounded and both in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items in the same order, made in a thread that is at most `depth` items ahead.

    What `items` raises is raised here, after the items before it.
    """
    source, done = iter(items), object()
    with ThreadPoolExecutor(1, "prefetch") as pool:
        ahead: deque[Future[Any]] = deque(pool.submit(next, source, done) for _ in range(depth))
        try:
            # `done` marks the end, as a StopIteration raised in a generator would become a RuntimeError
            while (item := ahead.popleft().result()) is not done:
                ahead.append(pool.submit(next, source, done))
                yield item
        finally:
            # left early: the pool waits for its thread, which must not make what nobody takes
            for future in ahead:
                future.cancel()


class Background:
    """Runs calls one after the other in a thread, at most `depth` waiting; what one raises, a later `run` or the end
    of the block raises.
    """

    def __init__(self, depth: int) -> None:
        self.depth, self.pool = depth, ThreadPoolExecutor(1, "background")
        self.waiting: deque[Future[None]] = deque()

    def run(self, call: Callable[..., None], *args: Any) -> None:
        """Do `call(*args)` later; waits while too much is waiting."""
        if len(self.waiting) >= self.depth:
            self.waiting.popleft().result()
        self.waiting.append(self.pool.submit(call, *args))

    def __enter__(self) -> Background:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.pool.shutdown()
        while self.waiting and error is None:  # the block's own error is not replaced by a later one
            self.waiting.popleft().result()
