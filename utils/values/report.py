"""The scores of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ClassRow:
    """One class of a report: counts and metrics; what is not defined (no truth; P: nothing found) is None."""

    name: str
    images: int
    instances: int
    precision: float | None
    recall: float | None
    ap50: float | None
    ap: float | None


@dataclass(frozen=True)
class Report:
    """An evaluation: COCO's 12 numbers by name, precision and recall at the best mean F1, one row per class.

    Undefined values are None. `losses` holds val/box, val/cls and so on when a criterion was given.
    """

    coco: dict[str, float | None]
    precision: float | None
    recall: float | None
    confidence: float | None
    classes: tuple[ClassRow, ...]
    images: int
    good_images: int
    instances: int
    losses: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def map50_95(self) -> float | None:
        """AP averaged over IoU 0.50:0.95."""
        return self.coco["AP"]

    @property
    def map50(self) -> float | None:
        """AP at IoU 0.50."""
        return self.coco["AP50"]

    @property
    def fitness(self) -> float | None:
        """0.1 AP50 + 0.9 AP, what best.pt is best at unless --best-metric says otherwise; None when undefined."""
        if self.map50 is None or self.map50_95 is None:
            return None
        return 0.1 * self.map50 + 0.9 * self.map50_95

    def metric(self, name: str) -> float | None:
        """A score by its name, see utils.config.config.MetricName."""
        value: float | None = self.coco[name] if name in self.coco else getattr(self, name)
        return value

    def plain(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        rows = [vars(row) for row in self.classes]
        return {**vars(self), "classes": rows, "notes": list(self.notes)}
