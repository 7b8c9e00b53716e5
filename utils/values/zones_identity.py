"""What tells the zones of one run from those of another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from utils.words.text import counted


@dataclass(frozen=True)
class ZonesIdentity:
    """A file of zones by its name and the number of its zones, for people, and by a digest of its bytes, which decides:
    the first 32 digits of its SHA-256.
    """

    file: str
    count: int
    digest: str

    @classmethod
    def of(cls, file: str, count: int, content: bytes) -> ZonesIdentity:
        """`content`: the bytes of the file."""
        return cls(file, count, hashlib.sha256(content).hexdigest()[:32])

    def words(self) -> str:
        """For a message: `zones.yaml (3 zones, sha256 8f3a51b0)`."""
        return f"{self.file} ({counted(self.count, 'zone')}, sha256 {self.digest[:8]})"

    def plain(self) -> dict[str, object]:
        """For a file of results."""
        return {"file": self.file, "count": self.count, "digest": self.digest}


def other_zones(one: ZonesIdentity | None, other: ZonesIdentity | None) -> bool:
    """Whether two runs counted in different places; None: everywhere."""
    return (one and one.digest) != (other and other.digest)


def zone_words(zones: ZonesIdentity | None) -> str:
    """For a message, also of none."""
    return zones.words() if zones else "the whole picture"
