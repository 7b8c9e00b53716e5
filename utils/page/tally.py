"""How many pictures of this session were good, in all and hour by hour."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from typing import Any

from utils.values.verdict import Verdict

MOST_HOURS = 24 * 14


class Tally:
    """Counts by verdict. Several threads may use it."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._hours: dict[str, Counter[str]] = {}
        self._lock = threading.Lock()

    def add(self, verdict: Verdict, when: datetime) -> None:
        """Count a picture of `when`, a time that knows its zone."""
        hour = when.replace(minute=0, second=0, microsecond=0).isoformat()
        with self._lock:
            self._all[verdict.value] += 1
            self._hours.setdefault(hour, Counter())[verdict.value] += 1
            while len(self._hours) > MOST_HOURS:
                del self._hours[next(iter(self._hours))]

    def counts(self) -> dict[str, int]:
        """`{"OK": 3, "NG": 1, "UNREADABLE": 0}`."""
        with self._lock:
            return _plain(self._all)

    def hours(self) -> list[dict[str, Any]]:
        """The same of each hour in which there was a picture, the earliest first."""
        with self._lock:
            return [{"hour": hour, **_plain(counts)} for hour, counts in self._hours.items()]


def now() -> datetime:
    """The time, in the time zone of this machine."""
    return datetime.now().astimezone()


def _plain(counts: Counter[str]) -> dict[str, int]:
    return {verdict.value: counts[verdict.value] for verdict in Verdict}
