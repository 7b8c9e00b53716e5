"""The losses of training, of one step and of the epoch so far."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepResult:
    """A step over the pictures of all processes: mean losses by name, number of pictures, boxes that augmentation
    moved out of them, whether any process has been told to stop, and how many pictures could not be read for it.
    """

    parts: dict[str, float]
    pictures: int
    boxes_lost: int
    stopping: bool
    lost: int = 0


@dataclass(eq=False)
class EpochLosses:
    """The losses of an epoch so far, summed over the `pictures` of batches with finite ones: the others teach nothing,
    as their step is skipped. Boxes lost in augmentation; optimizer steps skipped.
    """

    sums: dict[str, float] = field(default_factory=dict)
    pictures: int = 0
    boxes_lost: int = 0
    skipped: int = 0

    def add(self, result: StepResult) -> None:
        """Add one step."""
        self.boxes_lost += result.boxes_lost
        if all(map(math.isfinite, result.parts.values())):
            for name, value in result.parts.items():
                self.sums[name] = self.sums.get(name, 0.0) + value * result.pictures
            self.pictures += result.pictures

    def plain(self) -> dict[str, Any]:
        """As checkpoints keep it."""
        return {**vars(self), "sums": dict(self.sums)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> EpochLosses:
        """What `plain` gave."""
        return cls(**{**plain, "sums": dict(plain["sums"])})

    def means(self) -> dict[str, float]:
        """Mean losses by name; none where no batch had finite ones."""
        return {name: total / self.pictures for name, total in self.sums.items()}

    def words(self) -> str:
        """The means, for the progress bar and the console."""
        return " ".join(f"{name} {value:.4f}" for name, value in self.means().items()) or "no finite loss yet"
