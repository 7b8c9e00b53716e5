"""What a network found in the pictures of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.losses.loss_terms import LossTerms
from utils.values.detections import Detections


@dataclass(frozen=True, eq=False)
class Found:
    """What a network found: detections by index of the record, and loss terms by index of a batch's first one.

    `asked`: the process was asked to stop, and not all pictures were looked at.
    """

    detections: dict[int, Detections]
    terms: dict[int, LossTerms]
    asked: bool = False

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """What several processes found, each in its own pictures."""
        return cls(
            {index: one for part in parts for index, one in part.detections.items()},
            {index: one for part in parts for index, one in part.terms.items()},
            any(part.asked for part in parts),
        )

    def losses(self) -> dict[str, float]:
        """Mean losses; added up in one order, however many processes looked."""
        if not self.terms:
            return {}
        each = [self.terms[index] for index in sorted(self.terms)]
        whole = each[0].unpacked(torch.stack([one.packed() for one in each]).sum(0))
        return {name: float(value) for name, value in whole.parts().items()}
