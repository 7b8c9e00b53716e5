"""What rows need beside tensors: how far training is, randomness equal on all processes, a place for side results."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from utils.values.predictions import Predictions
from utils.values.step_info import StepInfo


@dataclass(eq=False)
class Context:
    """One forward pass as its rows see it; `step_info` is None outside training.

    Rows add to `reconstructions`, (B,) each, and `energies`, (B, h, w) each; see Predictions.
    """

    step_info: StepInfo | None = None
    reconstructions: list[Tensor] = field(default_factory=list)
    energies: list[Tensor] = field(default_factory=list)

    def chance(self, name: str) -> float:
        """A draw from 0..1 keyed by (seed, step, name): all processes draw alike. Only in training."""
        assert self.step_info is not None, "nothing is drawn outside training"
        # keyed, not drawn in turn: a resumed run draws the same, and no draw depends on how many came before it
        return float(np.random.default_rng((self.step_info.seed, self.step_info.step, *name.encode())).random())

    def chances(self, name: str, count: int) -> list[float]:
        """A draw for each of the `count` pictures of this pass, keyed by its number as well: the same in any batch."""
        assert self.step_info is not None, "nothing is drawn outside training"
        pictures = self.step_info.pictures
        # a process without a picture of its own passes a blank one, whose loss counts nothing
        return [self.chance(f"{name} {n}") for n in (pictures if len(pictures) == count else range(count))]

    def attach(self, predictions: Predictions) -> Predictions:
        """The predictions with what the rows left."""
        if not self.reconstructions and not self.energies:
            return predictions
        return replace(predictions, reconstructions=tuple(self.reconstructions), energies=tuple(self.energies))
