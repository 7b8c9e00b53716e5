"""What tells weights apart, in whatever file they lie."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class WeightsIdentity:
    """Weights by the name of their file, for people, and by a digest of their tensors, which decides: best.pt and
    last.pt of one epoch are the same weights.
    """

    file: str
    digest: str

    @classmethod
    def of(cls, file: str, state: Mapping[str, Tensor]) -> WeightsIdentity:
        """`state` is a network's state dict, on any device and in any memory order."""
        whole = hashlib.sha256()
        for name, tensor in sorted(state.items()):
            # as bytes, since NumPy knows no bfloat16
            raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
            # CRC-32 is eight times as fast as SHA-256: this tells weights apart, it does not guard them
            whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} {zlib.crc32(raw.data)}\n".encode())
        return cls(file, whole.hexdigest()[:32])

    def words(self) -> str:
        """For a message: two files of one name are told apart."""
        return f"{self.file} ({self.digest[:8]})"
