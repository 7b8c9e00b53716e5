"""A network in 8 bits, as far as its scores allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from models.exporting.candidate import Candidate
from models.exporting.gate import NotEqual, worst_drop
from utils.console.log import LOG
from utils.words.text import counted

Scores = Mapping[str, float | None]  # by name, 0..1; None: undefined


def put_back(
    make: Callable[[Sequence[str]], Candidate],
    ranked: Sequence[str],
    score: Callable[[Candidate], Scores],
    right: Scores,
    tolerance: float,
) -> tuple[Candidate, tuple[str, ...], Scores]:
    """A candidate whose scores fall by at most `tolerance` below the `right` ones, the parts that it leaves in float,
    and its scores. `ranked` are the parts, the most sensitive first: none, one, two, four and so on are left in float
    until the scores hold, then the half between what holds and what does not is tried, as long as that is a step.
    `make` gives the candidate of float parts. Raises NotEqual where not even few parts in 8 bits hold the scores.
    """

    def attempt(count: int) -> tuple[bool, Candidate, Scores]:
        candidate = make(tuple(ranked[:count]))
        found = score(candidate)
        name, drop = worst_drop(right, found)
        LOG.info("int8 with %s in float: %s falls by %.4f at most", counted(count, "part"), name, max(drop, 0.0))
        return drop <= tolerance, candidate, found

    low = -1
    for count in _counts(len(ranked)):
        holds, candidate, found = attempt(count)
        if holds:
            break
        low = count
    else:
        raise NotEqual(
            f"gate: in 8 bits scores fall by more than {tolerance:g}, even with {low} of {len(ranked)} parts in float; "
            "raise --tolerance, or leave --int8 out; nothing is written"
        )
    while count - low > max(len(ranked) // 16, 1):
        middle = (low + count) // 2
        holds, other, its = attempt(middle)
        if holds:
            count, candidate, found = middle, other, its
        else:
            low = middle
    return candidate, tuple(ranked[:count]), found


def _counts(parts: int) -> Iterator[int]:
    """0, 1, 2, 4 and so on, with at least one part left for 8 bits."""
    yield 0
    count = 1
    while count < parts:
        yield count
        count *= 2
