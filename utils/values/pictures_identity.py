"""What tells the pictures of one evaluation from those of another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from utils.values.split_fingerprint import SplitFingerprint


@dataclass(frozen=True)
class PicturesIdentity:
    """A split by the number of its pictures, for people, and by a digest of their names, sizes and truth, which
    decides.
    """

    count: int
    digest: str

    @classmethod
    def of(cls, split: SplitFingerprint) -> PicturesIdentity:
        """It is the same wherever the pictures lie, and when their files were written anew."""
        known = f"{split['names']} {split['sizes']} {split['truth']}"
        return cls(split["pictures"], hashlib.sha256(known.encode()).hexdigest()[:32])
