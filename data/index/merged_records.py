"""The records of several data sets as one sequence, made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.index.record_sequence import RecordSequence
from utils.values.record import EVERY_CLASS, Record


class MergedRecords(RecordSequence):
    """The records of `members` in order, numbered from 1.

    `tables[m]` (K_m,) int64 gives the number of each class of member m in the whole.
    """

    def __init__(self, members: Sequence[Sequence[Record]], tables: Sequence[np.ndarray]) -> None:
        self.members, self.tables = members, tables
        self.ends = np.cumsum([len(member) for member in members])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def _record(self, index: int) -> Record:
        number = int(np.searchsorted(self.ends, index, side="right"))
        member = self.members[number]
        record = member[index - int(self.ends[number]) + len(member)]
        return replace(record, labels=relabelled(record.labels, self.tables[number]), image_id=index + 1)


def relabelled(labels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(N,) labels by the table, of its type; ignore regions of no class in particular stay."""
    return np.where(labels == EVERY_CLASS, table.dtype.type(EVERY_CLASS), table[labels])
