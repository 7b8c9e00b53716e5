"""When a run ends before its last epoch: --max-time and --patience."""

from __future__ import annotations

import time
from collections.abc import Callable

from utils.config.config import Config
from utils.console.log import LOG
from utils.training.state import TrainState


class TimeBudget:
    """--max-time: tells when another epoch would take a run beyond `limit` hours from now; 0: never.

    The clock starts again whenever the script does. A run has at least one epoch, however long that takes.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds, self.clock = 3600 * limit, clock
        self.started = self.epoch_started = clock()
        self.longest = 0.0

    def start_epoch(self) -> None:
        """An epoch begins; the one before ended."""
        now = self.clock()
        self.longest, self.epoch_started = max(self.longest, now - self.epoch_started), now

    def is_last_epoch(self) -> bool:
        """Whether the epoch that is under way must be the last: another one as long as the longest would not fit."""
        now = self.clock()
        end = max(now, self.epoch_started + self.longest)  # of this epoch: it still has its evaluation to do
        another = max(self.longest, now - self.epoch_started)
        return self.seconds > 0 and end - self.started + another > self.seconds


def out_of_time(budget: TimeBudget, cfg: Config) -> bool:
    """Whether --max-time leaves no time for another epoch; tells the user so."""
    if not budget.is_last_epoch():
        return False
    LOG.info("stopping: another epoch does not fit in %g h; python train.py --resume goes on", cfg.run.max_time)
    return True


def out_of_patience(state: TrainState, cfg: Config) -> bool:
    """Whether --patience epochs went by without improvement; tells the user so."""
    patience = cfg.schedule.patience
    if cfg.run.noval or not patience or state.best is None or state.epoch - state.best_epoch < patience:
        return False
    LOG.info("stopping: no improvement for %d epochs since epoch %d", patience, state.best_epoch + 1)
    return True
