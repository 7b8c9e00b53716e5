"""What every text encoder offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from utils.words.errors import CheckpointError

UNIT = 1e-3  # how far from 1 the norm of a unit vector may be


class TextEncoder(Protocol):
    """Strings -> unit vectors, frozen.

    `name` says which model with which weights it is, so equal names give equal vectors; `dim` is their length. Both are
    known without loading weights.
    """

    name: str
    dim: int

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dim) float32 on the CPU, rows of norm 1, without gradient. Raises UserError."""
        ...


def flaw(vectors: Tensor) -> str:
    """What is wrong with rows that should be float32 unit vectors (N, D), an empty string when nothing is."""
    if vectors.dtype != torch.float32:
        return f"dtype {str(vectors.dtype).removeprefix('torch.')}, not float32"
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        return f"shape {tuple(vectors.shape)}, not (names, dimensions)"
    norms = vectors.norm(dim=1)
    wrong = (~((norms - 1).abs() <= UNIT)).nonzero().flatten().tolist()  # `not` around it: NaN compares false
    if not wrong:
        return ""
    row = wrong[0]
    what = f"norm {norms[row]:.4g}, not 1" if norms[row].isfinite() else "values that are not finite"
    return f"row {row} has {what} ({len(wrong)} of {len(vectors)} rows)"


def checked(vectors: Tensor, encoder: str) -> Tensor:
    """`vectors` as they are. Raises CheckpointError when damaged weights made them something else than unit rows."""
    problem = flaw(vectors)
    if problem:
        raise CheckpointError(f"text encoder {encoder}: gave {problem}; its weights are damaged")
    return vectors
