"""What one pass of a network over the pictures of an evaluation gives, before it is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from models.losses.terms import LossTerms
from utils.values.detections import Detections
from utils.values.record import Record
from utils.zones.zones import Zones


@dataclass(frozen=True, eq=False)
class EvaluationPass:
    """A network's results: detections by the record's index, loss terms by the first view of a batch (index of its
    record, part), and why pictures are missing (`lost`, by the record's index) that could not be read. `unnamed`:
    detections of no class, by the record's index, where such were looked for.

    `incomplete`: the process was told to stop before it had evaluated all its pictures.
    """

    detections: dict[int, Detections]
    terms: dict[tuple[int, int], LossTerms]
    incomplete: bool = False
    lost: dict[int, str] = field(default_factory=dict)
    unnamed: dict[int, Detections] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Sequence[EvaluationPass]) -> EvaluationPass:
        """The passes of several processes, each over its own pictures, as one."""
        return cls(
            {index: one for part in parts for index, one in part.detections.items()},
            {index: one for part in parts for index, one in part.terms.items()},
            any(part.incomplete for part in parts),
            {index: reason for part in parts for index, reason in part.lost.items()},
            {index: one for part in parts for index, one in part.unnamed.items()},
        )

    def counting(self, zones: Zones | None, records: Sequence[Record], names: int) -> EvaluationPass:
        """The same without what does not count. What is of none of the `names` classes has the number after them."""
        if zones is None:
            return self
        found = {index: zones.counting(one, records[index].size) for index, one in self.detections.items()}
        others = zones.of_class(names)
        if others is None:
            return replace(self, detections=found)
        unnamed = {index: others.counting(one, records[index].size) for index, one in self.unnamed.items()}
        return replace(self, detections=found, unnamed=unnamed)

    def losses(self) -> dict[str, float]:
        """Mean losses, added up in the same order for any number of processes."""
        if not self.terms:
            return {}
        each = [self.terms[index] for index in sorted(self.terms)]
        whole = each[0].unpacked(torch.stack([one.packed() for one in each]).sum(0))
        return {name: float(value) for name, value in whole.parts().items()}
