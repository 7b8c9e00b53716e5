"""The end of an epoch: its row in results.csv and its line on the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from utils.config.config import Config
from utils.console.log import LOG
from utils.tracking.tracking import Tracking
from utils.training.epoch_losses import EpochLosses
from utils.training.optimizer import common_rates
from utils.training.state import TrainState
from utils.values.report import Report


def record_epoch(tracking: Tracking, state: TrainState, report: Report | None, cfg: Config, seconds: float) -> None:
    """Keep the row of results.csv, and write the line on the console."""
    tracking.epoch(results_row(state.epoch, state.losses, report, common_rates(state.optimizer)))
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
    words = " ".join(f"{name} {'-' if v is None else format(v, '.4f')}" for name, v in scores.items())
    return f" | {words}" + "".join(f" ({note})" for note in report.notes)
