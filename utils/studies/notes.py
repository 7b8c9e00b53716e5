"""What must be said below the tables of a study: how they were made, what is missing, what is not alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from utils.studies.answers import Answer
from utils.studies.drawn_scores import DRAWS
from utils.studies.finished_run import FinishedRun
from utils.studies.plan import Plan, PlannedRun
from utils.studies.planned_config import unasked_differences
from utils.studies.summary import aim, figure
from utils.words.private_paths import without_folders
from utils.words.text import counted

ONE_SEED = "*"  # behind an interval that is about other pictures alone


def notes_of(
    plan: Plan, finished: Sequence[FinishedRun], failed: Mapping[PlannedRun, str], answers: Sequence[Answer]
) -> list[str]:
    """Lines of plain text."""
    notes = [*_method(answers), *_escape(finished), *other_settings(plan)]
    done = {one.run for one in finished}
    missing = [run for run in plan.runs if run not in done and run not in failed]
    notes += [f"Missing: {_listed(plan, missing)}."] if missing else []
    notes += [f"Failed: {run.label}: {without_folders(why)}" for run, why in _ordered(plan, failed) if run not in done]
    notes += _unlike(answers, "revisions", lambda one: one.revision)
    return notes + _unlike(answers, "numbers of threads", lambda one: "" if one.threads is None else str(one.threads))


def other_settings(plan: Plan) -> list[str]:
    """A line for each two arms of a question whose settings differ though no flag says so."""
    words = {(run.data, run.arm): run.words for run in plan.runs}
    found: dict[str, None] = {}
    for pair in ((one.first, one.second) for one in plan.comparisons):
        for data in plan.data:
            if unasked := unasked_differences(*(words[data, arm] for arm in pair)):
                found[f"{' and '.join(pair)} differ without a flag that says so: {'; '.join(unasked)}."] = None
    return [
        f"{line} The names of their networks stand for other files of cfg/train: give both one --hyp." for line in found
    ]


def _method(answers: Sequence[Answer]) -> list[str]:
    tests = sum(one.adjusted is not None for one in answers)
    if not tests:
        return []
    notes = [
        "A difference is the second arm less the first, of runs with one seed and on the same pictures. Its 95 %"
        " interval is about other pictures of that kind and other seeds: Student's t, with the variance over the seeds"
        f" plus the one over {DRAWS:,} draws of the pictures; what hangs on both counts twice, so it is rather too"
        " wide than too narrow.",
        f"A verdict is by AP: p below 0.05 after Holm's adjustment for the {counted(tests, 'comparison')} of this"
        " table, so two arms may be not distinguishable though the interval leaves 0 out. That does not mean equal: the"
        " interval says how large the difference may be.",
    ]
    if any(one.over > 1 for one in answers):
        notes.append("A mean over data sets, each counting alike, is about these data sets, not about others.")
    if any(one.pictures_only for one in answers):
        notes.append(f"{ONE_SEED} One seed, on one of the data sets at least: another seed may say something else.")
    return notes


def _escape(finished: Sequence[FinishedRun]) -> list[str]:
    aims = sorted({words for one in finished if figure(one, "escape") is not None and (words := aim(one))})
    if not aims:
        return []
    return [
        f"Escape: the share of bad pictures without a hit, at thresholds chosen {' or '.join(aims)}, each picture by"
        " thresholds that were chosen without it."
    ]


def _ordered(plan: Plan, failed: Mapping[PlannedRun, str]) -> list[tuple[PlannedRun, str]]:
    return [(run, failed[run]) for run in plan.runs if run in failed]


def _listed(plan: Plan, runs: Iterable[PlannedRun]) -> str:
    seeds: dict[tuple[str, str], list[int]] = {(data, arm): [] for data in plan.data for arm in plan.arms}
    for run in runs:
        seeds[run.data, run.arm].append(run.seed)
    return "; ".join(f"{data}, {arm}: {_seeds(some)}" for (data, arm), some in seeds.items() if some)


def _seeds(seeds: Sequence[int]) -> str:
    """`seed 3`, `seeds 0, 2`, `seeds 0 to 4`."""
    in_turn = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    words = f"{seeds[0]} to {seeds[-1]}" if in_turn else ", ".join(map(str, seeds))
    return f"seed{'s' if len(seeds) > 1 else ''} {words}"


def _unlike(answers: Sequence[Answer], what: str, of: Callable[[FinishedRun], str]) -> list[str]:
    """Where the two runs of a pair differ in what should be alike; what is not known differs from nothing."""
    found = []
    for one in (one for one in answers if one.over == 1):
        pairs = [(a, b) for a, b in one.pairs if of(a) and of(b) and of(a) != of(b)]
        if pairs:
            values = sorted({of(run) for pair in pairs for run in pair})
            arms = f"{one.comparison.first} and {one.comparison.second}"
            found.append(f"{one.data}, {arms}, {_seeds([a.run.seed for a, _ in pairs])} ({', '.join(values)})")
    return [f"Other {what} within pairs: {'; '.join(dict.fromkeys(found))}."] if found else []
