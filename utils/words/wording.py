"""What may be said of the objects of a data set: groups of labels, and the texts that mean each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Wording:
    """`groups` (L,) int64: the group of each label, `texts[g]`: what means all objects of group g, and no others."""

    groups: np.ndarray
    texts: tuple[tuple[str, ...], ...]

    @classmethod
    def of_classes(cls, synonyms: Sequence[Sequence[str]]) -> Wording:
        """Every label its own group."""
        return cls(np.arange(len(synonyms)), tuple(map(tuple, synonyms)))

    @classmethod
    def of_all(cls, labels: int, text: str) -> Wording:
        """All `labels` one group of one text."""
        return cls(np.zeros(labels, np.int64), ((text,),))

    def draw(self, rng: np.random.Generator) -> tuple[str, ...]:
        """One text per group, each as likely as the group's others. Draws as many numbers as there are groups."""
        choices = (rng.random(len(self.texts)) * [len(row) for row in self.texts]).astype(int)
        return tuple(row[choice] for row, choice in zip(self.texts, choices, strict=True))
