"""Which numbers a knob or a flag takes: one range for both, wherever the value comes from."""

from __future__ import annotations

import argparse
import dataclasses
import numbers
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from utils.words.errors import ConfigError, printable
from utils.words.text import shown


@dataclass(frozen=True)
class Range:
    """Numbers from `low` (`above`: without `low` itself) to `high`, and one more outside of these, `also`."""

    low: float
    high: float
    also: float | None = None
    above: bool = False

    def holds(self, number: float) -> bool:
        """Whether `number` is one of them; nan and inf never are."""
        inside = self.low <= number <= self.high and not (self.above and number == self.low)
        return inside or number == self.also

    def __str__(self) -> str:
        start = f"above {_plain(self.low)}, up" if self.above else f"from {_plain(self.low)}"
        words = f"{start} to {_plain(self.high)}"
        return words if self.also is None else f"{words} (or {_plain(self.also)})"

    def whole(self, text: str) -> int:
        """A whole number that a flag was given. Raises ArgumentTypeError, for argparse."""
        return int(self._read(text, int, "a whole number"))

    def number(self, text: str) -> float:
        """A number that a flag was given. Raises ArgumentTypeError, for argparse."""
        return float(self._read(text, float, "a number"))

    def _read(self, text: str, kind: Callable[[str], float], what: str) -> float:
        try:
            number = kind(text)
        except ValueError:  # int raises it for thousands of digits, too
            number = float("nan")
        if not self.holds(number):
            raise argparse.ArgumentTypeError(f"must be {what} {self}, got {printable(text[:60])}")
        return number


def range_of(section: type, name: str) -> Range:
    """The range of a knob: of the field `name` of a section of the configuration."""
    found = field_range(section, name)
    assert found is not None, f"{section.__name__}.{name} has no range"
    return found


def field_range(section: type, name: str) -> Range | None:
    """The range of a field, None for one that takes no numbers."""
    metadata = next(f for f in dataclasses.fields(section) if f.name == name).metadata
    return typing.cast("Range | None", metadata.get("range"))


def knob_flag(section: type, name: str, **changes: Any) -> Callable[[str], int | float]:
    """The type of a flag that sets this knob: argparse's `type`. `changes` to its range, such as `also=None`."""
    taken = dataclasses.replace(range_of(section, name), **changes)
    whole = typing.get_type_hints(section)[name] is int
    return taken.whole if whole else taken.number


def in_range(section: type, name: str, value: Any) -> Any:
    """A value that a Python program gives for this knob, as an int or float. Raises ConfigError naming the knob."""
    whole = typing.get_type_hints(section)[name] is int
    number = isinstance(value, numbers.Integral if whole else numbers.Real) and not isinstance(value, bool)
    taken = range_of(section, name)
    if not number or not taken.holds(value):
        raise ConfigError(f"{name} must be {'a whole number' if whole else 'a number'} {taken}, got {shown(value)}")
    return int(value) if whole else float(value)


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e12 else f"{number:g}"
