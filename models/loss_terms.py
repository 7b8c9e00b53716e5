"""What a criterion returns: losses as sums and counts.

Sums and counts stay apart so that several processes can add up their counts before dividing: the loss then does not
depend on how a batch is spread.
"""

from __future__ import annotations

from dataclasses import dataclass

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
        return {name: (total / counts[name].clamp(min=1)).sum() for name, total in self.sums.items()}
