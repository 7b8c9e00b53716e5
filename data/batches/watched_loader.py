"""A DataLoader whose workers are watched: none of them keeps a run waiting for ever, or ends it from outside a wait."""

from __future__ import annotations

import errno
import functools
import multiprocessing
import signal
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from torch.utils.data._utils import signal_handling
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from data.batches.worker import SHORT_CODE, Book, collate_shared, start_worker
from utils.console.log import LOG
from utils.console.signals import Stop
from utils.processes.threads import POLL, prefetch
from utils.processes.worker_room import Crew
from utils.values.batch import Batch
from utils.words.errors import WorkerError, printable

RESTARTS = 3  # of a pass over the data
STOPPED = 5.0  # seconds that a worker may be suspended: who suspends all processes wakes them one after the other
SERVED = 1.0  # seconds that a signal waits for the batch at hand
MEDIANS = 10  # usual times between two batches that one may take
REMEMBERED = 64  # batches whose times make the usual one
ROOM = "give it more (Docker: --shm-size=8g; ulimit -n), or take --workers 0"
ENDED = {
    "SIGKILL": "was killed (SIGKILL): was there enough memory?",
    "SIGBUS": f"died of a bus error, as there was too little shared memory: {ROOM}",
}
SHORT = ("shared memory", "too many open files", "ancdata", "new thread", "cannot allocate memory", "no space left")


class _Lost(Exception):
    """Workers that died, were stopped or no longer answer, in words; `short`: for lack of shared memory or handles."""

    def __init__(self, words: str, short: bool = False) -> None:
        super().__init__(words)
        self.short = short


class _Remaining(Sampler[Any]):
    """The batches of `batches` after the first `skip`."""

    def __init__(self, batches: Sampler[Any]) -> None:
        self.batches, self.skip = batches, 0

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]  # every sampler here has a length

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.batches), self.skip, None)


class _Workers(_MultiProcessingDataLoaderIter):
    """A pass of PyTorch's loader. It ends, in a destructor or before Python does, by ending the workers: PyTorch would
    first tell them to end, and wait for a lock that one of them may have held when it was killed.
    """

    def _shutdown_workers(self) -> None:
        if self._shutdown:
            return
        self._shutdown = True
        _kill(self._workers)
        if self._worker_pids_set:
            signal_handling._remove_worker_pids(id(self))
            self._worker_pids_set = False


class WatchedLoader(DataLoader[Batch]):
    """Batches of `samples`, in the order of `batches`, made by the worker processes of `crew`, which stay alive over
    passes and use one thread each; without workers they are made here. `path_of` names the picture of an index.

    A worker that died, was stopped, or reads nothing for `patience` seconds (or 10 usual batches) is replaced together
    with the others, and the pass goes on with the batch that was waited for: workers hold no state, so the batches are
    the same. Where shared memory or handles gave out, it goes on without workers. Raises WorkerError when all that
    happens too often.

    PyTorch's loader runs in a thread: whatever it waits for, the main thread looks around every 0.2 s, and no handler
    of SIGCHLD, which would raise in the middle of a step or a save, is installed.
    """

    def __init__(
        self,
        samples: Dataset[Any],
        batches: Sampler[Any],
        crew: Crew,
        pin: bool,
        patience: float,
        path_of: Callable[[int], Path],
    ) -> None:
        self._remaining, self._gpu = _Remaining(batches), torch.cuda.current_device() if pin else None
        self._patience, self._path_of = patience, path_of
        self._times = deque[float](maxlen=REMEMBERED)
        self._workers: list[BaseProcess] = []
        # of each worker the picture that it reads, counted from 1 (0: none yet), and how many it has read
        self._book: Book = multiprocessing.RawArray("q", 2 * crew.workers) if crew.workers else [0, 0]
        self._read, self._since = 0, 0.0
        self._open: Generator[Batch] | None = None
        super().__init__(
            samples,
            batch_sampler=self._remaining,
            num_workers=crew.workers,
            collate_fn=collate_shared,
            worker_init_fn=functools.partial(start_worker, book=self._book),
            persistent_workers=crew.workers > 0,
            prefetch_factor=crew.ahead if crew.workers else None,
            generator=torch.Generator(),  # the loader's draws leave the state that checkpoints keep alone
        )
        # before Python ends: it asks its children to end, which a stopped one does not hear, and waits for them
        Finalize(self, _kill, (self._workers,), exitpriority=0)

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]  # a DataLoader promises its own kind of iterator
        return self.until(None)

    def until(self, stop: Stop | None) -> Iterator[Batch]:
        """A pass that ends early when `stop` has received a signal and no batch comes."""
        done = restarts = 0
        while True:
            if self._open is not None:  # a pass that was left behind, such as by an error that is looked into
                self._open.close()
            self._open = self._pass(done, stop)
            try:
                for batch in self._open:
                    done += 1
                    yield batch
                return
            except _Lost as lost:
                if lost.short:
                    LOG.warning("%s; goes on without worker processes, which is slower", lost)
                    self.num_workers = 0
                    continue
                restarts += 1
                if restarts > RESTARTS:
                    raise WorkerError(f"{lost}; the workers were started again {RESTARTS} times") from None
                LOG.warning("%s; the workers start again at batch %d (%d of %d)", lost, done + 1, restarts, RESTARTS)
            finally:
                self._open.close()

    def _pass(self, skip: int, stop: Stop | None) -> Generator[Batch]:
        """The batches after the first `skip`. Raises _Lost."""
        self._remaining.skip = skip
        if not self.num_workers:
            yield from self._made()
            return
        ahead, ended = prefetch(self._made(), 1, functools.partial(self._going, stop)), False
        try:
            yield from self._timed(ahead)
            ended = True
        except (OSError, RuntimeError, EOFError) as error:
            self._look_for_dead(1.0)  # of whom the error may tell no more than that a connection broke
            if words := _shortage(error):
                raise _Lost(words, short=True) from error
            raise
        finally:
            if not ended:  # a pass that does not come to its end takes its workers along
                self._dismiss()
            ahead.close()

    def _made(self) -> Generator[Batch]:
        """The batches as PyTorch's loader gives them."""
        if self._gpu is not None:
            torch.cuda.set_device(self._gpu)  # in this thread, whose pinned memory is the device's
        others = {child.pid for child in multiprocessing.active_children()}
        try:
            batches = self._begun()
        finally:
            if not self._workers and self.num_workers:
                mine = (child for child in multiprocessing.active_children() if child.pid not in others)
                self._workers += sorted(mine, key=lambda child: child.pid or 0)
        for batch in batches:
            yield batch if self._gpu is None else batch.pin_memory()

    def check_worker_number_rationality(self) -> None:
        """PyTorch's, which prints the source of a warning where --workers asks for more than there are cores."""

    def _get_iterator(self) -> Any:
        return _Workers(self) if self.num_workers else super()._get_iterator()

    def _begun(self) -> Iterator[Batch]:
        """A new pass of PyTorch's loader. Raises _Lost when a worker cannot be started."""
        with _quiet_destructors():  # of an iterator that is not complete
            try:
                return super().__iter__()
            except (OSError, RuntimeError) as error:
                if not (words := _shortage(error)):
                    raise
        raise _Lost(words, short=True)

    def _timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches; what they usually take is remembered."""
        before = time.perf_counter()
        for batch in batches:
            yield batch
            now = time.perf_counter()
            self._times.append(now - before)
            before = now

    def _going(self, stop: Stop | None, waited: float) -> bool:
        """Whether to wait on for a batch, after so many seconds. Raises _Lost."""
        if stop is not None and stop.received and waited >= SERVED:
            self._dismiss()
            return False
        self._look_for_dead(0)
        read = sum(self._book[1::2])
        if waited <= POLL or read != self._read:
            self._read, self._since = read, waited
        if waited >= STOPPED and (stopped := [n for n, w in enumerate(self._workers, 1) if _is_stopped(w.pid)]):
            raise _Lost(f"worker {stopped[0]} was stopped (SIGSTOP)")
        limit = max(self._patience, MEDIANS * statistics.median(self._times or [0.0]))
        if waited - self._since > limit:
            at = [f"worker {n} at {self._path_of(k - 1)}" for n, k in enumerate(self._book[::2], 1) if k > 0]
            where = f", {printable(at[0])}" if at else ""
            raise _Lost(f"no picture was read for {limit:.0f} s{where} (half of --set run.timeout)")
        return True

    def _look_for_dead(self, seconds: float) -> None:
        """Raise _Lost for workers that have ended; one that is just ending has so long."""
        until = time.monotonic() + seconds
        while self._workers:
            for number, worker in enumerate(self._workers, 1):
                if not worker.is_alive():
                    words, short = _end_of(worker.exitcode or 0)
                    raise _Lost(f"worker {number} {words}", short)
            if time.monotonic() >= until:
                return
            time.sleep(POLL / 4)

    def _dismiss(self) -> None:
        """End the workers; the next pass starts others."""
        _kill(self._workers)
        self._workers.clear()
        if isinstance(lost := self._iterator, _Workers):
            for queue in lost._index_queues:
                queue.cancel_join_thread()
                queue.close()
            # whoever reads half a message would wait for the other half
            lost._worker_result_queue._writer.close()  # type: ignore[attr-defined]
        self._iterator = None


@contextmanager
def _quiet_destructors() -> Iterator[None]:
    former, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = former


def _kill(workers: Iterable[BaseProcess]) -> None:
    """End processes, stopped ones too."""
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join(1.0)  # one that waits for a disk ends when that answers


def _end_of(code: int) -> tuple[str, bool]:
    """How a worker with this exit code ended, and whether for lack of shared memory or handles."""
    if code == SHORT_CODE:
        return f"could not send its batch: {ROOM}", True
    if code >= 0:
        return f"ended with exit code {code}", False
    name = signal.Signals(-code).name
    return ENDED.get(name, f"was ended by {name}"), name == "SIGBUS"


def _is_stopped(process: int | None) -> bool:
    """Whether it was stopped by a signal or a debugger; False where /proc does not say."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "tT"
    except OSError:
        return False


def _shortage(error: Exception) -> str:
    """What gave out, if it was shared memory, handles or processes; else ''."""
    words = str(error).strip().splitlines()[-1:] or [""]
    short = isinstance(error, OSError) and error.errno in (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
    if short or any(word in words[0].lower() for word in SHORT):
        return f"worker processes: {words[0]}: {ROOM}"
    return ""
