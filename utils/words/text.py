"""Words for messages: near names, lists, counts, sizes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'X'?"` for the nearest of `known`, or an empty string when nothing is near."""
    known = [str(k) for k in known]
    near = [k for k in known if k.casefold() == name.casefold()]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not near:
        folded = {k.casefold(): k for k in known}
        near = [folded[m] for m in difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)]
    return f"; did you mean '{near[0]}'?" if near else ""


def counted(n: int, noun: str) -> str:
    """`1 picture`, `3 pictures`, `2 boxes`, `1,207 classes`."""
    if n == 1:
        return f"1 {noun}"
    plural = noun + ("es" if noun.endswith(("s", "x", "tch")) else "s")
    return f"{n:,} {plural}"


def spreadsheet_cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
