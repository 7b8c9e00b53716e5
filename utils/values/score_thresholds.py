"""From which score on a detection counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreThresholds:
    """The score from which a detection of each class counts: `values` (K,) by label, and the flag or file they are
    from.
    """

    values: tuple[float, ...]
    source: str
