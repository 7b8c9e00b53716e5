"""What a criterion is, and what it returns: losses as sums and counts.

Sums and counts stay apart so that several processes can add up their counts before dividing: the loss then does not
depend on how a batch is spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from utils.values.batch import Targets
from utils.values.predictions import Predictions


@dataclass(frozen=True, eq=False)
class LossTerms:
    """Per part (box, obj, cls, dfl): the weighted sum of each level, (L,), and how many items it sums, (L,).

    A criterion that does not separate levels has L = 1; its counts may be sums of weights.
    """

    sums: dict[str, Tensor]
    counts: dict[str, Tensor]

    def parts(self, counts: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Each part's loss: the levels' means added up. `counts` may be those of all processes."""
        counts = self.counts if counts is None else counts
        # Counts below 1 divide by 1: a level without positives has a loss of 0, not of 0 / 0.
        return {name: (total / counts[name].clamp(min=1).to(total)).sum() for name, total in self.sums.items()}

    def silent(self) -> LossTerms:
        """The same terms times 0, for a batch without pictures: its backward pass still reaches every parameter, which
        the other processes wait for.
        """
        return LossTerms(*({name: value * 0 for name, value in each.items()} for each in (self.sums, self.counts)))

    def cpu(self) -> LossTerms:
        """The same numbers on the CPU, where other processes can be sent them."""
        return LossTerms(*({name: value.cpu() for name, value in each.items()} for each in (self.sums, self.counts)))

    def packed(self) -> Tensor:
        """All numbers as one (n,) float64 vector without gradient, sums first, to be added to those of others."""
        counts = [self.counts[name] for name in self.sums]  # in the order of the sums, which `unpacked` relies on
        return torch.cat([value.detach().double() for value in (*self.sums.values(), *counts)])

    def unpacked(self, numbers: Tensor) -> LossTerms:
        """The same parts with the numbers of such a vector."""
        lengths = [len(value) for value in self.sums.values()]
        values = numbers.split([*lengths, *lengths])
        sums, counts = values[: len(lengths)], values[len(lengths) :]
        return LossTerms(dict(zip(self.sums, sums, strict=True)), dict(zip(self.sums, counts, strict=True)))


class Criterion(Protocol):
    """What training and evaluation know of a criterion; a head says which one it learns by, see models.heads.head."""

    def __call__(self, predictions: Predictions, targets: Targets) -> LossTerms:
        """Loss terms of a batch."""
        ...
