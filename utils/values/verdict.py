"""OK or NG: what a picture says about its part."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """OK: nothing counts as a defect. NG: something does. UNREADABLE: not looked at, and so never a good picture."""

    OK = "OK"
    NG = "NG"
    UNREADABLE = "UNREADABLE"


def verdict_of(defects: int | None) -> Verdict:
    """What a picture with so many defects says about its part; None: it could not be read."""
    if defects is None:
        return Verdict.UNREADABLE
    return Verdict.NG if defects else Verdict.OK
