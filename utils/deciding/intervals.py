"""A count out of a total, or per picture, with the interval that says how much it is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, log10, sqrt
from typing import Any

Z = 1.959963984540054  # 95 % of a normal distribution lie within this many standard deviations


@dataclass(frozen=True)
class Rate:
    """`events` of `total` (> 0), with Wilson's 95 % interval (Wilson 1927; Newcombe 1998, method 3).

    `worth`: how many independent events say as much as these do, where they hang together, as the boxes of one picture
    do; None: all of them.
    """

    events: int
    total: int
    worth: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        assert 0 <= self.events <= self.total and self.total > 0, f"{self.events} of {self.total} is no rate"
        assert self.worth is None or 0 < self.worth <= self.total, "no more than there are"

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
        n = self.worth or self.total
        return (n * self.value + Z * Z / 2) / (n + Z * Z)

    def _half(self) -> float:
        n, p = self.worth or self.total, self.value
        return Z * sqrt(p * (1 - p) * n + Z * Z / 4) / (n + Z * Z)

    def __str__(self) -> str:
        """`3 of 40 (7.5 %, 2.6 % to 19.9 %)`; never a bare 0 % or 100 %."""
        return rate_words(self.events, self.total, self.low, self.high)

    def counts(self) -> dict[str, Any]:
        """JSON-ready values without the interval: of what happened, which promises nothing."""
        return {"events": self.events, "total": self.total, "value": self.value}

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**self.counts(), "low": self.low, "high": self.high}


def rate_words(events: int, total: int, low: float, high: float) -> str:
    """A rate and its interval, see Rate."""
    share = f"{percent(events / total)} %, {percent(low)} % to {percent(high)} %"
    if events == 0:
        share = f"at most {percent(high)} %"
    elif events == total:
        share = f"at least {percent(low)} %"
    return f"{events:,} of {total:,} ({share})"


def percent(share: float) -> str:
    """`share` 0..1 in per cent, with one decimal, or as many as tell it apart from 0 and 100."""
    nearest = 100 * min(share, 1 - share)
    decimals = ceil(-log10(nearest) - 1e-9) if 0 < nearest < 0.1 else 1  # 1 - 0.99999 is a little less than 0.00001
    return f"{100 * share:.{decimals}f}"


def rate(events: int, total: int, linked: float = 1.0, sway: float = 0.0) -> Rate | None:
    """The rate, or None where there is nothing to count: not measurable is not 0.

    `linked`: how many times the variance of independent events the number of these has, >= 1 (see variance.linked);
    `sway`: the variance that it has besides, which is not told where none or all are events.
    """
    if not total:
        return None
    independent = events * (total - events) / total
    more = linked + (sway / independent if independent else 0.0)
    return Rate(int(events), int(total), float(total / more) if more > 1 else None)


@dataclass(frozen=True)
class PerPicture:
    """`events` in so many `pictures` (> 0), in some of them several, with the 95 % score interval of a Poisson mean.

    `worth`: how many pictures say as much as these, where some have many events at once; None: all of them.
    """

    events: int
    pictures: int
    worth: float | None = field(default=None, compare=False)

    @property
    def value(self) -> float:
        """Events per picture."""
        return self.events / self.pictures

    @property
    def low(self) -> float:
        """Lower end of the interval; exactly 0 without events."""
        return max(self._centre() - self._half(), 0.0) if self.events else 0.0

    @property
    def high(self) -> float:
        """Upper end of the interval; 3.84 / pictures without events."""
        return self._centre() + self._half()

    def _centre(self) -> float:
        return self.value + Z * Z / 2 / (self.worth or self.pictures)

    def _half(self) -> float:
        n = self.worth or self.pictures
        return Z * sqrt(self.value / n + Z * Z / 4 / n**2)

    def __str__(self) -> str:
        """`0.095 (0.07 to 0.12)`; never a bare 0."""
        return per_picture_words(self.events, self.value, self.low, self.high)


def per_picture_words(events: int, value: float, low: float, high: float) -> str:
    """Of events per picture with their interval, for the console and for pages."""
    return f"{_short(value, 3)} ({_short(low, 2)} to {_short(high, 2)})" if events else f"at most {_short(high, 2)}"


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if value < 100 else f"{value:,.0f}"


def per_picture(events: int, pictures: int, variance: float | None = None) -> PerPicture:
    """`variance` of the number of events, where it may be more than that of a Poisson distribution."""
    worth = None if variance is None or variance <= events or not events else pictures * events / variance
    return PerPicture(int(events), int(pictures), worth and float(worth))
