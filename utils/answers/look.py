"""One question at one picture: what counts for it, and an answer made of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.answers.lexicon import Lexicon
from utils.answers.picture import FoundThings
from utils.answers.plan import Plan
from utils.answers.score_reading import ScoreReading
from utils.answers.severity import Severity
from utils.answers.wording import Wording
from utils.questions.question import Kind, Question
from utils.values.answer import Answer

EVIDENCE = 100  # boxes kept with an answer


@dataclass(frozen=True, eq=False)
class Known:
    """What answers are read with: the words for the classes, how scores are read, the user's rules of severity where
    there are some, the side of a pixel where it is known.
    """

    lexicon: Lexicon
    reading: ScoreReading
    severity: Severity | None = None
    mm_per_px: float | None = None


@dataclass(frozen=True, eq=False)
class Look:
    """A question with the classes that it means (`plan`), at a picture in which `things` were found, however faint."""

    plan: Plan
    things: FoundThings
    known: Known

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.plan.question

    @property
    def words(self) -> Wording:
        """Sentences in the question's language."""
        return Wording(self.question.language)

    def candidates(self, which: int = 0) -> FoundThings:
        """What passes the filters of a subject, however faint."""
        subject, labels = self.question.subjects[which], self.plan.labels[which]
        return self.things.at(self.things.that_are(subject, labels))

    def counted(self, which: int = 0) -> FoundThings:
        """What counts of a subject: all of it, or the one by rank."""
        some, labels = self.candidates(which), self.plan.labels[which]
        return self._ranked(some.at(self.known.reading.counted(labels, some.scores, some.labels)), which)

    def named(self) -> FoundThings:
        """What counts class by class."""
        some, labels = self.candidates(), self.plan.labels[0]
        return self._ranked(some.at(self.known.reading.named(labels, some.scores, some.labels)))

    def _ranked(self, things: FoundThings, which: int = 0) -> FoundThings:
        rank = self.question.subjects[which].rank
        if rank is None or not len(things):
            return things
        values = things.measured(rank.measure)
        return things.at(np.array([values.argmax() if rank.most else values.argmin()]))

    def chances(self, things: FoundThings) -> np.ndarray | None:
        """(N,) how likely each of them is really there; None: not fitted."""
        return None if self.known.reading.box is None else self.known.reading.box(things.scores)

    def made(self, answer: str, shown: FoundThings, confidence: float | None, *details: str, said: str = "") -> Answer:
        """An answer that `shown` is the evidence of; `confidence` None: the least score of what is shown. The sentence
        begins with what is `said`, "": with the answer.
        """
        calibrated = confidence is not None
        if confidence is None and len(shown):
            confidence = float(shown.scores.min())
        evidence = shown.evidence(np.arange(min(len(shown), EVIDENCE)))
        sentence = self.words.sentence(said or answer, *(details or (self.words.things(shown),)))
        kind = kind_word(self.question)
        return Answer(self.question.text, kind, answer, None, "", confidence, calibrated, evidence, sentence)

    def unit(self, square: bool) -> str:
        """The unit asked for, else mm where the scale is known."""
        asked = self.question.unit
        if asked == "%" and square:
            return asked
        base = asked.removesuffix("2") if asked not in ("", "%") else "px" if self.known.mm_per_px is None else "mm"
        return f"{base}2" if square else base

    def largest_first(self, things: FoundThings) -> FoundThings:
        """The same, ordered by area."""
        return things.at(np.argsort(-things.areas(), kind="stable"))

    def all_there(self, things: FoundThings) -> float | None:
        """How likely all of these are really there; None: not fitted, or nothing is shown."""
        chances = self.chances(things)
        return None if chances is None or not len(things) else float(chances.prod())


def kind_word(question: Question) -> str:
    """The kind as answers name it: which defects are in a place is asked of a location."""
    placed = question.kind is Kind.CLASS and any(subject.places for subject in question.subjects)
    return str(Kind.LOCATION if placed else question.kind)
