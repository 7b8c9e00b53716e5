"""One thread that works ahead, one that works behind, both bounded and in order, and one that watches the parent."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, TypeVar

from utils.words.errors import ResourceError

T = TypeVar("T")
POLL = 0.2  # seconds between two looks at whoever is waited for
PATIENCE = 60.0  # seconds that reading or writing one thing may take
GRACE = 1.0  # seconds that a thread has to end what nobody waits for any more

Going = Callable[[float], bool]


def within(seconds: float, what: str) -> Going:
    """See `prefetch`: raises ResourceError when `what` takes longer than that."""

    def going(waited: float) -> bool:
        if waited > seconds:
            raise ResourceError(f"{what} for {seconds:.0f} s; is its disk or network still there?")
        return True

    return going


def waited(future: Future[T], going: Going) -> bool:
    """Whether `future` is done: asks `going(seconds)` every POLL seconds until it is, and gives up when that says so.

    The seconds are counted, not measured: none pass while all processes are suspended.
    """
    polls = 0
    while not future.done() and not wait([future], POLL).done:
        polls += 1
        if not going(polls * POLL):
            return False
    return True


def prefetch(items: Iterable[T], depth: int, going: Going | None = None) -> Generator[T]:
    """The same items in the same order, made in a thread that is at most `depth` items ahead.

    What `items` raises is raised here, after the items before it. While nothing comes, `going` is asked with the
    seconds waited: False ends the iteration, and what it raises is raised here.
    """
    source, done = iter(items), object()
    going = going or within(PATIENCE, "nothing was read")
    pool = ThreadPoolExecutor(1, "prefetch")
    ahead: deque[Future[Any]] = deque(pool.submit(next, source, done) for _ in range(depth))
    try:
        # `done` marks the end, as a StopIteration raised in a generator would become a RuntimeError
        while waited(ahead[0], going) and (item := ahead.popleft().result()) is not done:
            ahead.append(pool.submit(next, source, done))
            yield item
    finally:
        _end(pool, ahead)


def _end(pool: ThreadPoolExecutor, left: Iterable[Future[Any]]) -> None:
    """The thread must not do what nobody waits for; one that is held up by a disk is left behind."""
    running = [future for future in left if not future.cancel()]
    wait(running, GRACE)
    pool.shutdown(wait=all(future.done() for future in running))


def when_parent_is_gone(act: Callable[[], None]) -> None:
    """Do `act()` in a thread soon after the parent of this process has ended, whatever this process waits for."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        act()

    threading.Thread(target=watch, name="parent", daemon=True).start()


class Turns:
    """A lock that is given to threads in the order in which they ask: of a plain one, a thread that takes it again and
    again leaves nothing to the others.
    """

    def __init__(self) -> None:
        self._guard, self._held = threading.Lock(), False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        turn = threading.Event()
        with self._guard:
            if self._held:
                self._waiting.append(turn)
            else:
                self._held = True
                turn.set()
        came = False
        try:
            came = turn.wait()
        finally:
            if not came:  # a signal: who no longer waits must not be given it
                self._give_up(turn)

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._pass_on()

    def _give_up(self, turn: threading.Event) -> None:
        with self._guard:
            if turn.is_set():
                self._pass_on()
            else:
                self._waiting.remove(turn)

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._held = False


class Background:
    """Runs calls one after the other in a thread, at most `depth` waiting; what one raises, a later `run` or the end
    of the block raises, as it does ResourceError when one takes longer than PATIENCE seconds.
    """

    def __init__(self, depth: int) -> None:
        self.depth, self.pool = depth, ThreadPoolExecutor(1, "background")
        self.waiting: deque[Future[None]] = deque()

    def run(self, call: Callable[..., None], *args: Any) -> None:
        """Do `call(*args)` later; waits while too much is waiting."""
        if len(self.waiting) >= self.depth:
            self._finish_first()
        self.waiting.append(self.pool.submit(call, *args))

    def _finish_first(self) -> None:
        waited(self.waiting[0], within(PATIENCE, "a file was not written"))
        self.waiting.popleft().result()

    def __enter__(self) -> Background:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            while self.waiting and error is None:  # the block's own error is not replaced by a later one
                self._finish_first()
        finally:
            wait(self.waiting, 5 * GRACE)  # what was begun for a good result is finished, whatever the block's error
            _end(self.pool, self.waiting)
