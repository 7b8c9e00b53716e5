"""A tool in a thread of its own: a training neither waits for its disk nor ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from utils.console.log import LOG
from utils.files.output_files import Extra


class Background:
    """Does jobs one after the other behind the caller's back. A failure is said, and is the end: what follows it
    is left out without a word.
    """

    def __init__(self, label: str) -> None:
        self.label, self.lost = label, False
        self._jobs: SimpleQueue[Callable[[], None] | threading.Event] = SimpleQueue()
        # a daemon: a disk that never answers must not hold the end of the script
        threading.Thread(target=self._work, name=f"log {label}", daemon=True).start()

    def do(self, job: Callable[[], None]) -> None:
        """Have `job` done, after those before it. Returns at once."""
        if not self.lost:
            self._jobs.put(job)

    def wait(self, seconds: float) -> bool:
        """Until all jobs so far are done, at most so long; whether they are. Says so where they are not."""
        done = threading.Event()
        self._jobs.put(done)
        if not done.wait(seconds):
            LOG.warning("%s: has not answered for %.0f s; the run goes on without waiting for it", self.label, seconds)
            return False
        return True

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if isinstance(job, threading.Event):
                job.set()
            elif not self.lost:
                self.lost = not self._done(job)

    def _done(self, job: Callable[[], None]) -> bool:
        with Extra(self.label):
            job()
            return True
        return False
