"""The tables of a study in words: study.md, and the lines of the console."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from utils.studies.answers import Answer
from utils.studies.estimate import Estimate
from utils.studies.notes import ONE_SEED
from utils.studies.plan import Plan
from utils.studies.summary import ArmRow, shared_words
from utils.words.text import counted

ARMS = ("data", "arm", "flags", "runs", "AP50", "AP", "APs", "escape", "minutes", "revision")
ANSWERS = ("question", "from, to", "data", "pairs", "AP", "AP50", "verdict by AP")


def markdown(plan: Plan, rows: Sequence[ArmRow], answers: Sequence[Answer], notes: Sequence[str]) -> str:
    """The whole of study.md."""
    command = shlex.join(["python", "train.py", *shared_words(plan)])
    parts = [
        f"## {_plain(plan.title)}",
        f"```bash\n# and the flags of a row, and --seed {', '.join(map(str, plan.seeds))}\n{command}\n```",
        "Means over the seeds, with their standard deviation.",
        _table(ARMS, [_arm_cells(row, len(plan.seeds)) for row in rows]),
    ]
    if answers:
        parts.append(_table(ANSWERS, [_answer_cells(one) for one in answers]))
    parts += ["\n".join(f"* {_plain(note)}" for note in notes)] if notes else []
    return "\n\n".join(parts) + "\n"


def console_lines(rows: Sequence[ArmRow], answers: Sequence[Answer], seeds: int) -> list[str]:
    """The answers that there are; of a plan that asks nothing, its arms."""
    if not answers:
        return [_arm_line(row, seeds) for row in rows]
    known = [one for one in answers if one.pairs]
    waiting = len(answers) - len(known)
    more = [f"no pair of runs yet: {waiting:,} of {counted(len(answers), 'answer')}"] if waiting else []
    return [*map(_answer_line, known), *more]


def _arm_line(row: ArmRow, seeds: int) -> str:
    done = f"{row.data}, {row.arm}: {row.done} of {counted(seeds, 'run')}"
    return f"{done}, AP50 {_mean(row, 'AP50')}, AP {_mean(row, 'AP')}" if row.done else done


def _answer_line(one: Answer) -> str:
    comparison = one.comparison
    where = f"{comparison.question} {comparison.first} -> {comparison.second}, {one.data}"
    figure = f"AP {difference_words(one.ap)}: " if one.ap else ""
    return f"{where}, {counted(len(one.pairs), 'pair')}: {figure}{verdict_words(one)}"


def difference_words(estimate: Estimate | None) -> str:
    """`+0.012 (-0.003 to +0.027)`, with a mark where only other pictures are meant."""
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return _signed(estimate.difference)
    interval = f"({_signed(estimate.low)} to {_signed(estimate.high)})"
    return f"{_signed(estimate.difference)} {interval}{ONE_SEED if estimate.pictures_only else ''}"


def verdict_words(answer: Answer) -> str:
    """`better (p 0.012)`; of one seed, that it is about this one."""
    if answer.adjusted is None:
        return answer.verdict
    seeds = "this seed" if len(answer.pairs) <= answer.over else "these seeds"
    about = f" with {seeds}" if answer.pictures_only and answer.verdict in ("better", "worse") else ""
    return f"{answer.verdict}{about} (p {_p(answer.adjusted)})"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"  # + 0.0: no -0.000


def _arm_cells(row: ArmRow, seeds: int) -> list[str]:
    words = shlex.join(row.words)
    means = [_mean(row, "AP50"), _mean(row, "AP"), _show(row.mean("APs")), _show(row.mean("escape"))]
    minutes = row.mean("minutes")
    return [
        *(row.data, row.arm, _code(words), f"{row.done} of {seeds}", *means),
        *("" if minutes is None else f"{minutes:.1f}", ", ".join(row.revisions)),
    ]


def _answer_cells(one: Answer) -> list[str]:
    comparison = one.comparison
    arms = f"{comparison.first}, {comparison.second}"
    figures = (_plain(difference_words(one.ap)), _plain(difference_words(one.ap50)))
    verdict = verdict_words(one)
    shown = f"**{verdict}**" if one.verdict in ("better", "worse") and not one.pictures_only else verdict
    return [_plain(comparison.question), arms, one.data, str(len(one.pairs)), *figures, shown]


def _mean(row: ArmRow, name: str) -> str:
    spread = row.spread(name)
    return f"{_show(row.mean(name))}{'' if spread is None else f' ± {spread:.3f}'}"


def _show(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _code(words: str) -> str:
    return f"`{words}`".replace("|", "\\|") if words else ""


def _plain(text: str) -> str:
    """Text that is no markup, also in a cell."""
    return "".join(f"\\{c}" if c in "\\|<[`*_" else c for c in text)
