"""The runs of a study as rows: one a planned run, and one a data set and arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from utils.studies.finished_run import FinishedRun
from utils.studies.plan import Plan, PlannedRun
from utils.words.private_paths import without_folders

COLUMNS = (
    *("data", "arm", "seed", "state", "AP50", "AP", "APs", "escape", "minutes", "threads", "revision", "command"),
)


@dataclass(frozen=True)
class ArmRow:
    """The runs of one data set and arm that are done. `words`: the flags by which it differs from the others of the
    plan; `figures`: the values of AP50, AP, APs, escape and minutes of the runs that have them.
    """

    data: str
    arm: str
    words: tuple[str, ...]
    done: int
    figures: Mapping[str, tuple[float, ...]]
    revisions: tuple[str, ...]

    def mean(self, name: str) -> float | None:
        """Of the runs that have this figure."""
        return fmean(self.figures[name]) if self.figures[name] else None

    def spread(self, name: str) -> float | None:
        """Standard deviation over the seeds."""
        return stdev(self.figures[name]) if len(self.figures[name]) > 1 else None


def run_rows(plan: Plan, finished: Sequence[FinishedRun], failed: Mapping[PlannedRun, str]) -> list[dict[str, Any]]:
    """A row of study.csv per planned run, in the plan's order; None where nothing is known."""
    known = {one.run: one for one in finished}
    return [_run_row(run, known.get(run), failed.get(run)) for run in plan.runs]


def _run_row(run: PlannedRun, done: FinishedRun | None, failure: str | None) -> dict[str, Any]:
    state = "done" if done else "missing" if failure is None else f"failed: {without_folders(failure)}"
    row: dict[str, Any] = {"data": run.data, "arm": run.arm, "seed": run.seed, "state": state}
    row |= {name: figure(done, name) for name in ("AP50", "AP", "APs", "escape", "minutes")}
    return row | {
        "threads": done and done.threads,
        "revision": done.revision if done else "",
        "command": run.command,
    }


def figure(done: FinishedRun | None, name: str) -> float | None:
    """One of a run: COCO's, the escape to be expected, or its minutes; None where it was not measured."""
    if done is None:
        return None
    if name == "minutes":
        return done.minutes
    value = _deep(done.results, _ESCAPE if name == "escape" else ("coco", name))
    return float(value) if isinstance(value, float | int) else None


# by thresholds chosen without the picture: the operating point has those that these pictures themselves chose
_ESCAPE = ("inspection", "expected", "decisions", "escape", "value")


def aim(done: FinishedRun) -> str:
    """What the thresholds of a run, at which its escape was counted, were chosen for."""
    value = _deep(done.results, ("inspection", "aim"))
    return value if isinstance(value, str) else ""


def _deep(value: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def arm_rows(plan: Plan, finished: Sequence[FinishedRun]) -> list[ArmRow]:
    """A row per data set and arm, in the plan's order, also of those without a run yet."""
    shared = len(shared_words(plan))
    words = {(run.data, run.arm): own_words(run)[shared:] for run in plan.runs}
    rows = []
    for data, arm in ((data, arm) for data in plan.data for arm in plan.arms):
        runs = [one for one in finished if (one.run.data, one.run.arm) == (data, arm)]
        values = {
            name: tuple(value for one in runs if (value := figure(one, name)) is not None)
            for name in ("AP50", "AP", "APs", "escape", "minutes")
        }
        revisions = tuple(sorted({one.revision for one in runs if one.revision}))
        rows.append(ArmRow(data, arm, words.get((data, arm), ()), len(runs), values, revisions))
    return rows


def own_words(run: PlannedRun) -> tuple[str, ...]:
    """The flags of a run without its seed, which comes last."""
    return run.words[:-2]


def shared_words(plan: Plan) -> tuple[str, ...]:
    """The flags with which all runs begin; none comes without its value."""
    all_words = [own_words(run) for run in plan.runs]
    first, count = all_words[0], 0
    while all(words[count : count + 1] == first[count : count + 1] != () for words in all_words):
        count += 1
    if any(words[count : count + 1] and not words[count].startswith("-") for words in all_words):
        flags = [place for place, word in enumerate(first[:count]) if word.startswith("-")]
        count = flags[-1] if flags else 0
    return first[:count]
