"""Answers to questions about a picture, read from what was found in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from utils.answers.compared import comparison
from utils.answers.look import Known, Look, kind_word
from utils.answers.measured import count, description, extent, location, size
from utils.answers.picture import FoundThings
from utils.answers.plan import plan
from utils.answers.whole_picture import classes, grade, presence, verdict
from utils.asking.parser import parse
from utils.questions.question import Kind, NotUnderstood, Question
from utils.values.answer import Answer

BY_KIND: Mapping[Kind, Callable[[Look], Answer]] = MappingProxyType(
    {
        Kind.PRESENCE: presence,
        Kind.CLASS: classes,
        Kind.COUNT: count,
        Kind.LOCATION: location,
        Kind.SIZE: size,
        Kind.EXTENT: extent,
        Kind.COMPARISON: comparison,
        Kind.DESCRIPTION: description,
        Kind.VERDICT: verdict,
        Kind.SEVERITY: grade,
    }
)


@dataclass(frozen=True, eq=False)
class Answerer:
    """Answers questions with what is `known` of classes, scores and sizes."""

    known: Known

    def parse(self, text: str) -> list[Question | NotUnderstood]:
        """The questions of a text that a user typed."""
        return parse(text, self.known.lexicon.every_word())

    def __call__(self, asked: Question | NotUnderstood, things: FoundThings) -> Answer:
        """The answer from the things found in a picture, however faint: what counts is decided here."""
        if isinstance(asked, NotUnderstood):
            return Answer(asked.text, "", refusal=asked.reason)
        planned = plan(asked, self.known.lexicon, self.known.mm_per_px)
        if isinstance(planned, NotUnderstood):
            return Answer(asked.text, kind_word(asked), refusal=planned.reason)
        return BY_KIND[asked.kind](Look(planned, things, self.known))
