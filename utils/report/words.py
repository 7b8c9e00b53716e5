"""Numbers of results.json as a person reads them, the same as on the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from utils.inspection.intervals import Rate


def rate_words(plain: Mapping[str, Any] | None, missing: str) -> str:
    """A rate of results.json as the console shows it."""
    return missing if plain is None else counts_words(plain["events"], plain["total"], missing)


def counts_words(events: int, total: int, missing: str) -> str:
    """The same from counts."""
    return str(Rate(events, total)) if total else missing


def number(value: float | None, digits: int = 3) -> str:
    """So many digits, or a dash for what is undefined."""
    return "-" if value is None else f"{value:.{digits}f}"
