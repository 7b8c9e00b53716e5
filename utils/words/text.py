"""Words for messages: near names, lists, counts, sizes."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

from utils.words.errors import printable

LONGEST_WORD = 80  # that a near one is looked for: comparing takes the square of it


def shown(value: object, most: int = 60) -> str:
    """A value for a message: on one line, in quotes if it is text, and cut off where it is long."""
    if isinstance(value, int) and abs(value) >= 10**most:
        return "a number of that many digits"  # which Python refuses to write out
    text = printable(repr(value if not isinstance(value, str) else value[: most + 1]))
    return text if len(text) <= most else text[:most] + "..."


def shorten(text: str) -> str:
    """At most 60 characters of `text`, safe to print."""
    return printable(text if len(text) <= 60 else f"{text[:57]}...")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'X'?"` for the nearest of `known`, or an empty string when nothing is near.

    Near are words that differ in case, or by few letters of many: one in three letters, two in six, three in nine, the
    same suffix not counted; and the only one that begins with `name`.
    """
    if len(name) > LONGEST_WORD:
        return ""
    folded = {k.casefold(): k for k in reversed([str(k) for k in known])}
    longer = [k for k in folded if k.startswith(name.casefold())]
    if len(name) > 2 and len(longer) == 1:
        return f"; did you mean '{printable(folded[longer[0]])}'?"
    # a word shares at least 2 of 3 letters with one within reach; difflib finds those fast, however many there are
    close = difflib.get_close_matches(name.casefold(), list(folded), n=5, cutoff=0.6)
    found = [(distance, k) for k in close if (distance := edits(name.casefold(), k)) <= _allowed(name.casefold(), k)]
    return f"; did you mean '{printable(folded[min(found)[1]])}'?" if found else ""


def _allowed(name: str, known: str) -> int:
    """Edits by which a word may differ from a known one; a suffix that both have tells nothing."""
    stem, suffix = os.path.splitext(name)
    shared = len(suffix) if known.endswith(suffix) else 0
    return min(max((len(name) - shared) // 3, 1), 3, len(known) - shared - 1)


def edits(one: str, other: str) -> int:
    """Letters to add, take away, replace, or swap with their neighbour, to make one word of the other."""
    before, row = list(range(len(other) + 1)), list(range(len(other) + 1))
    for i, letter in enumerate(one):
        above, row = row, [i + 1]
        for j, theirs in enumerate(other):
            cost = min(above[j] + (letter != theirs), above[j + 1] + 1, row[j] + 1)
            if i and j and letter == other[j - 1] and one[i - 1] == theirs:
                cost = min(cost, before[j - 1] + 1)
            row.append(cost)
        before = above
    return row[-1]


def counted(n: int, noun: str) -> str:
    """`1 picture`, `3 pictures`, `2 boxes`, `1,207 classes`."""
    if n == 1:
        return f"1 {noun}"
    plural = noun + ("es" if noun.endswith(("s", "x", "tch")) else "s")
    return f"{n:,} {plural}"


def spreadsheet_cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
