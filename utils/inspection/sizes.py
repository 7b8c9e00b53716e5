"""Recall by the size of the defect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.deciding.cross_fit import CrossFit
from utils.deciding.intervals import Rate
from utils.deciding.variance import recalls
from utils.scoring.matching import Matching
from utils.words.errors import ConfigError, printable

BINS = (0.0, 8.0, 16.0, 32.0, 96.0)
MOST_BINS, LARGEST = 100, 1_000_000
FEW = 10  # a bin with fewer boxes is marked


@dataclass(frozen=True)
class SizeBin:
    """Truth boxes of low <= size < high (None: no end) in `unit`, and how many are found; None without boxes."""

    low: float
    high: float | None
    unit: str
    recall: Rate | None

    @property
    def few(self) -> bool:
        """Whether there are too few boxes to say much."""
        return self.recall is None or self.recall.total < FEW

    def __str__(self) -> str:
        span = f"from {self.low:g}" if self.high is None else f"{self.low:g} to {self.high:g}"
        return f"{span} {self.unit}: {self.recall or 'no boxes'}{' (few)' if self.few else ''}"

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**vars(self), "recall": self.recall and self.recall.plain(), "few": self.few}


def parse_bins(text: str, option: str = "--bins") -> tuple[float, ...]:
    """`0,8,16,32,96` -> the lower edges of the bins. Raises ConfigError."""
    try:
        edges = tuple(float(part) for part in text.split(","))
    except ValueError:
        edges = ()
    rising = all(a < b for a, b in zip(edges, edges[1:], strict=False))
    if not 1 <= len(edges) <= MOST_BINS or edges[0] != 0 or not rising or not edges[-1] <= LARGEST:
        most = f"at most {MOST_BINS} rising numbers from 0 to {LARGEST:,}"
        raise ConfigError(f"{option} {printable(text[:60])}: must be {most}, like 0,8,16,32,96")
    return edges


def size_bins(
    matching: Matching,
    fit: CrossFit,
    edges: Sequence[float] = BINS,
    mm_per_px: float | None = None,
) -> tuple[SizeBin, ...]:
    """Recall on other pictures by sqrt(area) in the original picture; every box is in one bin.

    With `mm_per_px` sizes and `edges` are in mm. Both are rounded to 1e-3 px: boxes stored as float32 fractions come
    back a little off, and a box of 8 px is not to fall below 8.
    """
    truth = matching.pairs.truth
    sizes = np.sqrt(truth.areas().astype(float)).round(3)
    place = np.searchsorted(np.round(np.asarray(edges) / (mm_per_px or 1), 3), sizes, "right") - 1
    others = [one.found(matching) for one in fit.each()]
    found = recalls(truth.picture, place, fit.found(matching), others, len(edges))
    unit, ends = "px" if mm_per_px is None else "mm", (*edges[1:], None)
    return tuple(SizeBin(low, high, unit, one) for low, high, one in zip(edges, ends, found, strict=True))
