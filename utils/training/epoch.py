"""What an epoch of training gave: its losses, its row in results.csv, its line on the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.values.report import Report


@dataclass(frozen=True)
class StepResult:
    """A step over the pictures of all processes: mean losses by name, pictures, boxes lost in augmentation, and whether
    some process has been told to stop.
    """

    parts: dict[str, float]
    pictures: int
    boxes_lost: int
    stopping: bool


@dataclass(eq=False)
class EpochLosses:
    """Mean losses of an epoch, and what was lost on the way."""

    sums: dict[str, float] = field(default_factory=dict)
    pictures: int = 0
    boxes_lost: int = 0
    skipped: int = 0

    def add(self, result: StepResult) -> None:
        """Count one batch."""
        for name, value in result.parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * result.pictures
        self.pictures += result.pictures
        self.boxes_lost += result.boxes_lost

    def plain(self) -> dict[str, Any]:
        """As checkpoints keep it."""
        return {**vars(self), "sums": dict(self.sums)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> EpochLosses:
        """What `plain` gave."""
        return cls(**{**plain, "sums": dict(plain["sums"])})

    def means(self) -> dict[str, float]:
        """Loss per part."""
        return {name: total / self.pictures for name, total in self.sums.items()}

    def words(self) -> str:
        """For the progress bar."""
        return " ".join(f"{name} {value:.4f}" for name, value in self.means().items())


def results_row(epoch: int, losses: EpochLosses, report: Report | None, rates: Sequence[float]) -> dict[str, Any]:
    """A row of results.csv, see utils.files.runs.COLUMNS. The same in every repetition: times are in train.log."""
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
