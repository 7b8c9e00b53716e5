"""Records that are made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload

from utils.values.record import Record


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
