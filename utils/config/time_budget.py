"""How long a run may take: --max-time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from utils.config.config import Config
from utils.console.log import LOG
from utils.words.errors import ConfigError

_HOURS = {"s": 1 / 3600, "m": 1 / 60, "h": 1.0, "": 1.0}


def hours(text: str) -> float:
    """`2`, `1.5h`, `30m` or `90s` as hours; a plain number means hours. Raises ConfigError."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smh]?)", text.strip().lower())
    if not found or not float(found[1]):
        raise ConfigError(f"--max-time {text}: must be hours such as 2 or 1.5, or have a unit: 90s, 30m, 2h")
    return float(found[1]) * _HOURS[found[2]]


class TimeBudget:
    """Tells when another epoch would take a run beyond `limit` hours from now; 0: never.

    Every start of the script counts anew. A run has at least one epoch, however long that takes.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds, self.clock = 3600 * limit, clock
        self.started = self.epoch_started = clock()
        self.longest = 0.0

    def start_epoch(self) -> None:
        """An epoch begins; the one before ended."""
        now = self.clock()
        self.longest, self.epoch_started = max(self.longest, now - self.epoch_started), now

    def is_last(self) -> bool:
        """Whether the epoch that is under way must be the last: another one as long as the longest would not fit."""
        now = self.clock()
        end = max(now, self.epoch_started + self.longest)  # of this epoch: it still has its evaluation to do
        another = max(self.longest, now - self.epoch_started)
        return self.seconds > 0 and end - self.started + another > self.seconds


def out_of_time(budget: TimeBudget, cfg: Config) -> bool:
    """Whether --max-time leaves no time for an epoch after this one; said aloud."""
    if not budget.is_last():
        return False
    LOG.info("stopping: another epoch does not fit in %g h; python train.py --resume goes on", cfg.run.max_time)
    return True
