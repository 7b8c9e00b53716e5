"""Records that are made when they are asked for: what an index and several sets as one have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import overload

import numpy as np

from utils.values.record import EVERY_CLASS, Record


class RecordSequence(Sequence[Record]):
    """What a list of records would do, of `_record`."""

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        if isinstance(index, slice):
            return tuple(self._record(i) for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        return self._record(int(index) % len(self))

    def __iter__(self) -> Iterator[Record]:
        return map(self._record, range(len(self)))

    @abstractmethod
    def _record(self, index: int) -> Record:
        """The record at `index`, 0 to len - 1."""


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
        # side="right": an index that equals an end is the first of the next member; empty members are skipped.
        number = int(np.searchsorted(self.ends, index, side="right"))
        member = self.members[number]
        record = member[index - int(self.ends[number]) + len(member)]
        return replace(record, labels=relabelled(record.labels, self.tables[number]), image_id=index + 1)


def relabelled(labels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(N,) labels by the table, of its type; ignore regions of no class in particular stay."""
    return np.where(labels == EVERY_CLASS, table.dtype.type(EVERY_CLASS), table[labels])
