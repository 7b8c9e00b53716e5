"""A column of numbers of unknown length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

LIMIT = 1 << 31


class Column:
    """Numbers that are added piece by piece; they grow in place, so that they are never there twice.

    Whole numbers (kind i8) take four bytes each as long as that is enough.
    """

    def __init__(self, kind: str, width: int = 1) -> None:
        self.kind, self.width, self.raw = np.dtype("i4" if kind == "i8" else kind), width, bytearray()

    def add(self, values: Sequence[Any] | np.ndarray) -> None:
        """Append rows."""
        if self.kind == np.int32:
            rows = np.asarray(values, np.int64)
            if rows.size and not -LIMIT <= rows.min() <= rows.max() < LIMIT:
                self.raw = bytearray(np.frombuffer(self.raw, self.kind).astype(np.int64).tobytes())
                self.kind = np.dtype("i8")
        self.raw += np.ascontiguousarray(values, self.kind).tobytes()

    def array(self) -> np.ndarray:
        """(N,) or (N, width); nothing can be added afterwards."""
        flat = np.frombuffer(self.raw, self.kind)
        return flat if self.width == 1 else flat.reshape(-1, self.width)
