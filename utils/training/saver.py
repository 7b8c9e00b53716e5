"""When the checkpoints of a run are written, and what they hold."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from utils.config.config import Config
from utils.console.log import LOG
from utils.console.signals import Stop, Stopped
from utils.files import checkpoint
from utils.processes.launch import launch_id
from utils.training.state import TrainState, random_state
from utils.words.errors import ResourceError, UserError, WorkerError
from utils.words.private_paths import without_folders

AVERAGED = ("ema", "epoch", "step", "best")  # of best.pt and epochN.pt


class Saver:
    """Writes last.pt with everything needed to continue; best.pt and epochN.pt with the averaged weights only.

    `about` is what every checkpoint says of its run beside the weights: network, class names, origins of its settings.
    All processes of a run call its methods, as each has a random state to save; the first one writes.
    """

    def __init__(self, folder: Path, cfg: Config, about: dict[str, Any], step: int) -> None:
        """`step`: the one at which this process begins."""
        self.folder, self.cfg = folder, cfg.run
        self.about = _handed_on({**about, "config": cfg.plain(), "launch": launch_id()}, cfg.run.full_paths)
        self.last_saved = step

    def save_now(self, state: TrainState) -> None:
        """Write last.pt, in the middle of an epoch or at its end."""
        last, states = self.folder / "last.pt", state.world.gather(random_state(), short_timeout=True)
        if state.world.first:
            content = {**state.plain(states), **self.about}
            # only what this run has read or written is known to be whole: a damaged file replaces no good one
            checkpoint.save(last, content, keep_previous=state.source == last)
        self.last_saved, state.source = state.step, last
        state.world.barrier()  # no process goes on, or ends, before the file is written

    def save_and_stop(self, state: TrainState, stop: Stop) -> NoReturn:
        """Write last.pt and raise Stopped, for the signal that `stop` received, or that another process did."""
        self.save_now(state)
        raise Stopped(stop.received or signal.SIGTERM)

    def save_and_raise(self, state: TrainState, error: UserError) -> NoReturn:
        """Write last.pt if that can be done, and raise `error`."""
        try:
            self.save_now(state)
            if state.world.first:
                LOG.info(
                    "the state so far is in %s; python train.py --resume goes on from there", self.folder / "last.pt"
                )
        except (ResourceError, OSError) as failed:
            LOG.warning("the last state could not be saved: %s", failed)
        raise error

    def words(self) -> str:
        """What is saved, and how to go on from there."""
        if not self.last_saved:
            return "nothing was saved yet: start it again"
        last = shlex.quote(str(self.folder / "last.pt"))
        return f"saved at step {self.last_saved:,}; python train.py --resume {last} goes on from there"

    @contextmanager
    def between_batches(self, state: TrainState, stop: Stop, steps: int, left: Callable[[], int]) -> Iterator[None]:
        """The steps of an epoch, which ends after `steps` batches, or at once where it has had as many: a resumed run
        may find fewer pictures. When no further batch comes, for a signal or for
        lack of workers, the state is saved if `left()`, the batches whose gradients wait to be used, is 0.

        Raises Stopped and WorkerError.
        """
        try:
            yield
            lost = None
        except WorkerError as error:
            lost = error
        if lost is None and state.batches >= steps:
            return
        if not left() and state.world.size == 1:  # the others of several processes wait in their step
            self.save_now(state)
        if lost is not None:
            raise WorkerError(f"{lost}; {self.words()}") from lost
        raise Stopped(stop.received)

    def save_step(self, state: TrainState) -> None:
        """Write last.pt where --save-steps says so."""
        if self.cfg.save_steps and state.step - self.last_saved >= self.cfg.save_steps:
            self.save_now(state)

    def save_epoch(self, state: TrainState, improved: bool, last: bool) -> None:
        """Write what --nosave and --save-period leave to write at the end of an epoch.

        best.pt comes before last.pt, so that a run continued from last.pt finds it.
        """
        if self.cfg.nosave and not last:
            return
        period = self.cfg.save_period
        kept = [self.folder / "best.pt"] if improved else []
        kept += [self.folder / f"epoch{state.epoch + 1}.pt"] if period > 0 and (state.epoch + 1) % period == 0 else []
        if kept and state.world.first:
            plain = state.plain([])
            for path in kept:
                checkpoint.save(path, {**{name: plain[name] for name in AVERAGED}, **self.about})
        self.save_now(state)


def _handed_on(about: dict[str, Any], full_paths: bool) -> dict[str, Any]:
    """`about` as a stranger may see it: without the folders of this machine, unless `full_paths` are asked for."""
    ours = ("names", "synonyms", "channels")  # texts that look like paths are names and patterns
    return {key: value if full_paths or key in ours else without_folders(value) for key, value in about.items()}
