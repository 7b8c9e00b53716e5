"""How many answers are right, by kind of question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from utils.deciding.intervals import Rate, percent
from utils.deciding.variance import recalls
from utils.questions.question import Kind
from utils.quiz.answer_words import NG, OK, canonical
from utils.quiz.item import OTHER, UNANSWERABLE, QuizItem
from utils.quiz.judging import abstained, choose, refused, right
from utils.values.answer import NO, YES, Answer

ALL = "all"
ORDER = (*map(str, Kind), OTHER, UNANSWERABLE)
DECIDED = {str(Kind.PRESENCE): (NO, YES), str(Kind.VERDICT): (OK, NG)}  # without a defect, with one


@dataclass(frozen=True)
class KindScore:
    """The questions of one kind, or `all`: the share answered right (`cannot tell` by what it calls likelier), how many
    with `cannot tell`, how many refused. `told`: the share that is right of the others than `cannot tell`, None without
    such.

    Of presence and verdict, None elsewhere or where there is no such question: `overkill`, the share of those where
    the truth is no (OK) that were answered yes (NG); `miss`, of those where it is yes (NG) that were answered no (OK).
    `baselines`: the share that other answerers get right, by name; `told_baselines`: of those that are told.
    """

    kind: str
    right: Rate
    told: Rate | None = None
    abstained: int = 0
    refused: int = 0
    overkill: Rate | None = None
    miss: Rate | None = None
    baselines: Mapping[str, Rate] = field(default_factory=dict)
    told_baselines: Mapping[str, Rate] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Questions."""
        return self.right.total

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        rates = {"overkill": self.overkill and self.overkill.plain(), "miss": self.miss and self.miss.plain()}
        others = {
            key: {name: one.plain() for name, one in getattr(self, key).items()}
            for key in ("baselines", "told_baselines")
        }
        shares = {"right": self.right.plain(), "told": self.told and self.told.plain()}
        return {**vars(self), "total": self.total, **shares, **rates, **others}


@dataclass(frozen=True)
class QuizScore:
    """The scores of all questions, and of each kind of which there are some."""

    all: KindScore
    kinds: tuple[KindScore, ...]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"all": self.all.plain(), "kinds": [one.plain() for one in self.kinds]}

    def lines(self) -> list[str]:
        """A table for the console, and what decides about parts below it."""
        rows = (self.all, *self.kinds)
        words = [str(row.right) for row in rows]
        width = max(map(len, words))
        names = list(self.all.baselines)
        head = f"{'questions':12} {'right':{width}} {'cannot tell':>11} {'refused':>7} {_columns(names, names)}"
        lines = [head.rstrip()]
        for row, share in zip(rows, words, strict=True):
            others = [f"{percent(row.baselines[name].value)} %" for name in names]
            line = f"{row.kind:12} {share:{width}} {row.abstained:>11,} {row.refused:>7,} {_columns(names, others)}"
            lines.append(line.rstrip())
        for row in rows:
            if row.overkill or row.miss:
                lines.append(f"{row.kind}: {_told(row)}{_of(row.overkill, 'overkill')}; {_of(row.miss, 'miss')}")
        return lines


def _told(row: KindScore) -> str:
    """What is right where it does not say `cannot tell`, and what others make of the same questions."""
    if not row.abstained or row.told is None:
        return ""
    others = ", ".join(f"{name} {percent(one.value)} %" for name, one in row.told_baselines.items())
    return f"right where it can tell {row.told}{f' (others there: {others})' if others else ''}; "


def _columns(names: Sequence[str], texts: Sequence[str]) -> str:
    return " ".join(f"{text:>{max(len(name), 7)}}" for name, text in zip(names, texts, strict=True))


def _of(one: Rate | None, what: str) -> str:
    return f"{what} {one or 'not measurable: no such question'}"


def score(
    items: Sequence[QuizItem], answers: Sequence[Answer], baselines: Mapping[str, Sequence[Answer]] | None = None
) -> QuizScore:
    """Judges `answers`, one to each of `items` (> 0), and beside them those of other answerers, by name."""
    judged = {name: _hits(items, theirs) for name, theirs in (baselines or {}).items()}
    hits, groups = _hits(items, answers), np.array([item.group for item in items])

    def score_of(kind: str, at: np.ndarray) -> KindScore:
        picture = np.array([items[k].picture for k in at])
        told = np.array([not abstained(answers[k]) for k in at])
        overkill, miss = _decided(kind, [items[k] for k in at], [answers[k] for k in at], picture)
        return KindScore(
            kind,
            _rate(hits[at], picture),
            _rate(hits[at][told], picture[told]) if told.any() else None,
            sum(abstained(answers[k]) for k in at),
            sum(refused(answers[k]) for k in at),
            overkill,
            miss,
            {name: _rate(theirs[at], picture) for name, theirs in judged.items()},
            {name: _rate(theirs[at][told], picture[told]) for name, theirs in judged.items() if told.any()},
        )

    kinds = tuple(score_of(kind, np.flatnonzero(groups == kind)) for kind in ORDER if kind in groups)
    return QuizScore(score_of(ALL, np.arange(len(items))), kinds)


def _hits(items: Sequence[QuizItem], answers: Sequence[Answer]) -> np.ndarray:
    return np.array([right(item, answer) for item, answer in zip(items, answers, strict=True)])


def _decided(
    kind: str, items: Sequence[QuizItem], answers: Sequence[Answer], picture: np.ndarray
) -> tuple[Rate | None, Rate | None]:
    """Overkill and miss."""
    if kind not in DECIDED:
        return None, None
    clean, defect = DECIDED[kind]
    truth = np.array([_meant(item, item.expected) for item in items])
    said = np.array([_said(item, answer) for item, answer in zip(items, answers, strict=True)])
    pairs = (clean, defect), (defect, clean)
    overkill, miss = (
        _rate(said[truth == true] == false, picture[truth == true]) if (truth == true).any() else None
        for true, false in pairs
    )
    return overkill, miss


def _said(item: QuizItem, answer: Answer) -> str:
    """The canonical word of an answer, of an option by its text."""
    return _meant(item, choose(item, answer)) if item.options else canonical(answer.answer)


def _meant(item: QuizItem, word: str) -> str:
    """The canonical word of an answer, of the letter of an option its text's."""
    return canonical(dict(item.options).get(word, word))


def _rate(flags: np.ndarray, picture: np.ndarray) -> Rate:
    """The share of the questions of which a flag is true; those about one picture hang together."""
    found = recalls(picture, np.zeros_like(picture), flags, [], 1)[0]
    assert found is not None, "there are questions"
    return found
