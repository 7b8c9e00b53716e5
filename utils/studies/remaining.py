"""How long the rest of a study takes, by the runs that are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from utils.studies.finished_run import FinishedRun
from utils.studies.plan import PlannedRun

# What a run takes is the mean of the runs of its data set and arm; else of its data set; else of all.
_KINDS: tuple[Callable[[PlannedRun], tuple[str, ...]], ...] = (
    lambda run: (run.data, run.arm),
    lambda run: (run.data,),
    lambda run: (),
)


def minutes_left(finished: Iterable[FinishedRun], left: Sequence[PlannedRun]) -> float | None:
    """Minutes that the runs `left` take one after the other; None while nothing tells."""
    known: dict[tuple[str, ...], list[float]] = {}
    for one in finished:
        if one.minutes is not None:
            for kind in _KINDS:
                known.setdefault(kind(one.run), []).append(one.minutes)
    if not known:
        return None
    return sum(next(fmean(known[kind(run)]) for kind in _KINDS if kind(run) in known) for run in left)


def time_words(minutes: float) -> str:
    """`20 s`, `5.2 min`, `4 h 20 min`."""
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 60:
        return f"{minutes:.1f} min"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours:,} h {rest} min"


def left_words(finished: Iterable[FinishedRun], left: Sequence[PlannedRun]) -> str:
    """`about 4 h 20 min left`, or how many runs where nothing tells how long they take."""
    if not left:
        return "none left"
    minutes = minutes_left(finished, left)
    return f"{len(left):,} left" if minutes is None else f"about {time_words(minutes)} left"
