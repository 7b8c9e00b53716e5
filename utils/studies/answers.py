"""What a study answers to its questions so far: of each data set, and over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from utils.inspection.comparison import read_run
from utils.studies.drawn_scores import DrawnScores, drawn_scores, truth_digest
from utils.studies.estimate import SURE, Estimate, estimate, holm, pooled
from utils.studies.finished_run import FinishedRun
from utils.studies.plan import Comparison, Plan
from utils.words.errors import DataError, printable

Verdict = Literal["better", "worse", "not distinguishable", "not measurable", "no pair yet"]


@dataclass(frozen=True, eq=False)
class Answer:
    """To one question: on the data set `data`, or the mean `over` several data sets, whose number `data` then says.
    `pairs` are the runs of both arms by seed; `adjusted` is AP's p after Holm's adjustment over all answers.
    """

    comparison: Comparison
    data: str
    pairs: tuple[tuple[FinishedRun, FinishedRun], ...]
    ap: Estimate | None
    ap50: Estimate | None
    adjusted: float | None = None
    over: int = 1

    @property
    def verdict(self) -> Verdict:
        """By AP: what the second arm is."""
        if self.ap is None or self.adjusted is None:
            return "not measurable" if self.pairs else "no pair yet"
        if self.adjusted >= 1 - SURE:
            return "not distinguishable"
        return "better" if self.ap.difference > 0 else "worse"

    @property
    def pictures_only(self) -> bool:
        """Whether it says nothing about another seed."""
        return self.ap is not None and self.ap.pictures_only

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "question": self.comparison.question,
            "first": self.comparison.first,
            "second": self.comparison.second,
            "data": self.data,
            "data_sets": self.over,
            "seeds": [one.run.seed for one, _ in self.pairs],
            "AP": self.ap and self.ap.plain(),
            "AP50": self.ap50 and self.ap50.plain(),
            "p_holm": self.adjusted,
            "verdict": self.verdict,
            "pictures_only": self.pictures_only,
        }


def answers_of(plan: Plan, finished: Sequence[FinishedRun], kept: Path) -> list[Answer]:
    """Each question on each data set, and over those where it can be answered if they are several. `kept`: the folder
    of the draws.

    Raises DataError where the runs of one data set were not judged on the same pictures and labels.
    """
    runs = {(one.run.data, one.run.arm, one.run.seed): one for one in finished}
    if not plan.comparisons:  # one table all the same; its draws are not needed
        _check_same_truth(runs, {key: truth_digest(read_run(str(one.run.folder), "")) for key, one in runs.items()})
        return []
    scores = {key: drawn_scores(one.run.folder, kept) for key, one in runs.items()}
    _check_same_truth(runs, {key: score.truth for key, score in scores.items()})
    answers: list[Answer] = []
    for comparison in plan.comparisons:
        own = [_answer(comparison, data, plan.seeds, runs, scores) for data in plan.data]
        answers += own
        answers += _over_all(comparison, own)
    return _adjusted(answers)


_Key = tuple[str, str, int]


def _check_same_truth(runs: Mapping[_Key, FinishedRun], truth: Mapping[_Key, str]) -> None:
    """`truth`: what tells the pictures, labels and zones of each run apart."""
    first: dict[str, _Key] = {}
    for key, digest in truth.items():
        other = first.setdefault(key[0], key)
        if truth[other] != digest:
            one, two = (printable(str(runs[k].run.folder)) for k in (other, key))
            raise DataError(
                f"{two}: not judged on the same pictures, labels and zones as {one}; "
                "move away the one whose data is not meant, and run the study again"
            )


def _answer(
    comparison: Comparison,
    data: str,
    seeds: Sequence[int],
    runs: Mapping[_Key, FinishedRun],
    scores: Mapping[_Key, DrawnScores],
) -> Answer:
    keys = [((data, comparison.first, seed), (data, comparison.second, seed)) for seed in seeds]
    both = [(one, two) for one, two in keys if one in runs and two in runs]
    drawn = [(scores[one], scores[two]) for one, two in both]
    pairs = tuple((runs[one], runs[two]) for one, two in both)
    return Answer(comparison, data, pairs, estimate("AP", drawn), estimate("AP50", drawn))


def _over_all(comparison: Comparison, own: Sequence[Answer]) -> list[Answer]:
    """The mean over the data sets that can be measured; none where it would say what one of them says."""
    measured = [(one.pairs, one.ap, one.ap50) for one in own if one.ap is not None and one.ap50 is not None]
    if len(measured) < 2:
        return []
    pairs = tuple(pair for some, _, _ in measured for pair in some)
    ap, ap50 = pooled([ap for _, ap, _ in measured]), pooled([ap50 for _, _, ap50 in measured])
    return [Answer(comparison, f"mean of {len(measured)}", pairs, ap, ap50, over=len(measured))]


def _adjusted(answers: Sequence[Answer]) -> list[Answer]:
    """With Holm's p over all that have one."""
    ps = [None if one.ap is None else one.ap.p for one in answers]
    adjusted = iter(holm([p for p in ps if p is not None]))
    return [replace(one, adjusted=None if p is None else next(adjusted)) for one, p in zip(answers, ps, strict=True)]
