"""What a criterion returns: losses as sums and counts.

Sums and counts stay apart so that several processes can add up their counts before dividing: the loss then does not
depend on how a batch is spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LossTerms:
    """Per part (box, obj, cls, dfl): the weighted sum of each level, (L,), and how many items it sums, (L,).

    A criterion that does not tell levels apart has L = 1; its counts may be sums of weights.
    """

    sums: dict[str, Tensor]
    counts: dict[str, Tensor]

    def parts(self, counts: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Each part's loss: the levels' means added up. `counts` may be those of all processes."""
        counts = self.counts if counts is None else counts
        return {name: (total / counts[name].clamp(min=1).to(total)).sum() for name, total in self.sums.items()}

    def silent(self) -> LossTerms:
        """Terms that say nothing, and keep the graph alive: those of a batch that shows no picture."""
        return LossTerms(*({name: value * 0 for name, value in each.items()} for each in (self.sums, self.counts)))

    def cpu(self) -> LossTerms:
        """The same numbers on the CPU, where other processes can be sent them."""
        return LossTerms(*({name: value.cpu() for name, value in each.items()} for each in (self.sums, self.counts)))

    def packed(self) -> Tensor:
        """All numbers as one (n,) float64 vector without gradient, sums first, to be added to those of others."""
        counts = [self.counts[name] for name in self.sums]
        return torch.cat([value.detach().double() for value in (*self.sums.values(), *counts)])

    def unpacked(self, numbers: Tensor) -> LossTerms:
        """The same parts with the numbers of such a vector."""
        lengths = [len(value) for value in self.sums.values()]
        values = numbers.split([*lengths, *lengths])
        sums, counts = values[: len(lengths)], values[len(lengths) :]
        return LossTerms(dict(zip(self.sums, sums, strict=True)), dict(zip(self.sums, counts, strict=True)))
