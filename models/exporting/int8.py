"""A network in 8 bits, as far as its scores allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from models.exporting.candidate import Candidate
from models.exporting.gate import NotEqual, worst_drop
from utils.console.log import LOG
from utils.words.text import counted

Scores = Mapping[str, float | None]  # by name, 0..1; None: undefined


def put_back(
    make: Callable[[Sequence[int]], Candidate],
    ranked: Sequence[int],
    score: Callable[[Candidate], Scores],
    right: Scores,
    tolerance: float,
) -> tuple[Candidate, tuple[int, ...]]:
    """The first candidate whose scores fall by at most `tolerance` below the `right` ones, and the rows that it leaves
    in float: none, one, two, four and so on of those `ranked`, the most sensitive first. `make` gives the candidate of
    float rows. Raises NotEqual where not even few rows in 8 bits hold the scores.
    """
    for count in _counts(len(ranked)):
        rows = tuple(ranked[:count])
        candidate = make(rows)
        name, drop = worst_drop(right, score(candidate))
        LOG.info("int8 with %s in float: %s falls by %.4f at most", counted(count, "row"), name, max(drop, 0.0))
        if drop <= tolerance:
            return candidate, rows
    raise NotEqual(
        f"gate: in 8 bits {name} falls by {drop:.4f}, more than {tolerance:g}, even with {counted(count, 'row')} of "
        f"{len(ranked)} in float; raise --tolerance, or leave --int8 out; nothing is written"
    )


def _counts(rows: int) -> Iterator[int]:
    """0, 1, 2, 4 and so on, with at least one row left for 8 bits."""
    yield 0
    count = 1
    while count < rows:
        yield count
        count *= 2
