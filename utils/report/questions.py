"""The section of a detection report on what was asked of the pictures, what was answered, and by which boxes."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Self

from utils.report import details
from utils.report.crops import FOUND, Crop, cut_out
from utils.report.markup import Html, element, joined, table
from utils.values.answer import Answer
from utils.values.frame import Frame

ASKED = (0, 114, 255)
CROPS = 4  # of each question
QUESTIONS = 40  # that get crops
WORDS = 6  # different answers that a row names
DIFFERENT, OTHERS = 1000, "other answers"  # more are counted as one: sizes and descriptions have no end


@dataclass
class AskedOnce:
    """Of one question: how often each word was the answer, why there was none, and the surest boxes of evidence."""

    kind: str = ""
    answers: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    crops: list[tuple[float, int, Crop]] = field(default_factory=list)


class AskedQuestions:
    """Keeps count, picture by picture; memory stays small."""

    def __init__(self) -> None:
        self.asked: dict[str, AskedOnce] = {}
        self.shown = 0

    def show(self, frame: Frame, answers: Iterable[Answer]) -> None:
        """Count the answers of one picture, and cut out their evidence where it is among the surest."""
        for answer in answers:
            row = self.asked.setdefault(answer.question, AskedOnce())
            row.kind = answer.kind or row.kind
            words = row.answers if answer.answer else row.refusals
            word = answer.answer or answer.refusal
            words[word if word in words or len(words) < DIFFERENT else OTHERS] += 1
            if answer.evidence and frame.image is not None and len(self.asked) <= QUESTIONS:
                self._keep(row, frame, answer)

    def _keep(self, row: AskedOnce, frame: Frame, answer: Answer) -> None:
        best = answer.evidence[0]
        self.shown += 1
        if len(row.crops) == CROPS and best.score <= row.crops[0][0]:
            return
        assert frame.image is not None, "asked before"
        outlines = [(one.box, FOUND) for one in answer.evidence]
        crop = cut_out(frame.image, (best.box, ASKED), outlines, frame.name, answer.sentence)
        keep = heapq.heappush if len(row.crops) < CROPS else heapq.heapreplace
        # -shown: of equal scores the earlier picture stays, and the crops themselves are never compared
        keep(row.crops, (best.score, -self.shown, crop))

    def join(self, others: Iterable[Self]) -> None:
        """Add what several processes counted, each of its own pictures."""
        joined_rows: dict[str, AskedOnce] = {}
        for question, row in chain(*(one.asked.items() for one in others)):
            total = joined_rows.setdefault(question, AskedOnce(row.kind))
            total.answers += row.answers
            total.refusals += row.refusals
            crops = [(score, -n, crop) for n, (score, _, crop) in enumerate((*total.crops, *row.crops))]
            total.crops = heapq.nlargest(CROPS, crops, key=lambda one: one[:2])
        self.asked = joined_rows

    def plain(self) -> list[dict[str, Any]]:
        """For report.json."""
        return [
            {"question": text, "type": row.kind, "answers": dict(row.answers), "refusals": dict(row.refusals)}
            for text, row in self.asked.items()
        ]

    def html(self) -> Html:
        """The section: a row for each question, and its surest evidence."""
        rows = [(text, row.kind or "-", _tally(row.answers), _tally(row.refusals)) for text, row in self.asked.items()]
        parts = [
            element("p", "Each picture's answers, with their boxes, are in answers.csv and answers.json."),
            element(
                "div", table(("question", "type", "answers: pictures", "not answered: pictures"), rows), class_="words"
            ),
        ]
        for text, row in self.asked.items():
            if row.crops:
                best = [crop for _, _, crop in sorted(row.crops, reverse=True, key=lambda one: one[:2])]
                parts.append(details.gallery(text, best, len(best), ""))
        return joined(parts)


def _tally(words: Counter[str]) -> str:
    told = [f"{word}: {count:,}" for word, count in words.most_common(WORDS)]
    left = len(words) - len(told)
    return ", ".join([*told, f"and {left:,} other answers"] if left else told) or "-"
