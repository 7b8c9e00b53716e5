"""The end of an epoch: its row in results.csv, its line on the console, and whether another one follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from utils.config.config import Config
from utils.console.log import LOG
from utils.files.runs import ResultsCsv
from utils.training.epoch_losses import EpochLosses
from utils.training.optimizer import common_rates
from utils.training.state import TrainState
from utils.values.report import Report


def record_epoch(table: ResultsCsv, state: TrainState, report: Report | None, cfg: Config, seconds: float) -> None:
    """Write the row of results.csv and the line on the console."""
    table.append(results_row(state.epoch, state.losses, report, common_rates(state.optimizer)))
    words = state.losses.words() + score_words(report)
    LOG.info("epoch %d/%d: %s | %.1f s", state.epoch + 1, cfg.schedule.epochs, words, seconds)


def results_row(epoch: int, losses: EpochLosses, report: Report | None, rates: Sequence[float]) -> dict[str, Any]:
    """A row of results.csv, see utils.files.runs.COLUMNS.

    It is the same in every repetition of a run: times, which are not, stand in train.log.
    """
    row: dict[str, Any] = {"epoch": epoch}
    row |= {f"train/{name}_loss": value for name, value in losses.means().items()}
    if report:
        row |= {
            "metrics/precision": report.precision,
            "metrics/recall": report.recall,
            "metrics/mAP_0.5": report.map50,
            "metrics/mAP_0.5:0.95": report.map50_95,
        }
        row |= {f"val/{name}_loss": value for name, value in report.losses.items()}
    row |= {f"x/lr{i}": rate for i, rate in enumerate(rates)}
    return row | {"boxes_lost": losses.boxes_lost, "skipped_steps": losses.skipped}


def score_words(report: Report | None) -> str:
    """The four numbers of an epoch's line on the console."""
    if report is None:
        return ""
    scores = {"P": report.precision, "R": report.recall, "AP50": report.map50, "AP": report.map50_95}
    return " | " + " ".join(f"{name} {'-' if v is None else format(v, '.4f')}" for name, v in scores.items())


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
