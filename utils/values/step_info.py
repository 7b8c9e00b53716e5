"""When in training a forward pass happens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepInfo:
    """When in training a forward pass happens: the run's seed, the step, and which part 0..1 of the run is done."""

    seed: int
    step: int
    progress: float
