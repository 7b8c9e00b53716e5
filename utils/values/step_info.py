"""When in training a forward pass happens, and on what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepInfo:
    """When in training a forward pass happens: the run's seed, the step, and which part 0..1 of the run is done.

    The numbers of the `pictures` that it sees key what is drawn for each: the same however a batch is spread.
    """

    seed: int
    step: int
    progress: float
    pictures: tuple[int, ...] = ()
