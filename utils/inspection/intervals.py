"""A count out of a total, with the interval that says how much it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

Z = 1.959963984540054  # 95 % of a normal distribution lie within this many standard deviations


@dataclass(frozen=True)
class Rate:
    """`events` of `total` (> 0), with Wilson's 95 % interval (Wilson 1927; Newcombe 1998, method 3)."""

    events: int
    total: int

    def __post_init__(self) -> None:
        assert 0 <= self.events <= self.total and self.total > 0, f"{self.events} of {self.total} is no rate"

    @property
    def value(self) -> float:
        """The share, 0..1."""
        return self.events / self.total

    @property
    def low(self) -> float:
        """Lower end of the interval; exactly 0 without events."""
        return 0.0 if self.events == 0 else max(self._centre() - self._half(), 0.0)

    @property
    def high(self) -> float:
        """Upper end of the interval; exactly 1 when all are events, 3.84 / (n + 3.84) without any."""
        return 1.0 if self.events == self.total else min(self._centre() + self._half(), 1.0)

    def _centre(self) -> float:
        return (self.events + Z * Z / 2) / (self.total + Z * Z)

    def _half(self) -> float:
        n, p = self.total, self.value
        return Z * sqrt(p * (1 - p) * n + Z * Z / 4) / (n + Z * Z)

    def __str__(self) -> str:
        """`3 of 40 (7.5 %, 2.6 to 19.9 %)`; never a bare 0 % or 100 %."""
        share = f"{self.value:.1%}, {self.low:.1%} to {self.high:.1%}"
        if self.events == 0:
            share = f"at most {self.high:.1%}"
        elif self.events == self.total:
            share = f"at least {self.low:.1%}"
        return f"{self.events:,} of {self.total:,} ({share.replace('%', ' %')})"

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"events": self.events, "total": self.total, "value": self.value, "low": self.low, "high": self.high}


def rate(events: int, total: int) -> Rate | None:
    """The rate, or None where there is nothing to count: not measurable is not 0."""
    return Rate(int(events), int(total)) if total else None
