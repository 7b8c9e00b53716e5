"""From a question to what is to be looked up: the classes that its phrases mean, or why it cannot be answered here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from utils.answers.lexicon import Lexicon
from utils.questions.question import Kind, NotUnderstood, Question, Subject
from utils.values.unknown_defect import PRESENCE
from utils.words.text import did_you_mean, shorten

NAMES_SHOWN = 30


@dataclass(frozen=True)
class Plan:
    """A `question` and the classes that each of its subjects means, as many sets as subjects."""

    question: Question
    labels: tuple[frozenset[int], ...]


def plan(question: Question, lexicon: Lexicon, mm_per_px: float | None) -> Plan | NotUnderstood:
    """The classes of the question's subjects, by the words of `lexicon`; or why there is no answer: a word that no
    class has, millimetres without a scale.
    """
    zh = question.language == "zh"
    if mm_per_px is None and any(unit.startswith("mm") for unit in _units(question)):
        return NotUnderstood(question.text, _NO_SCALE[zh])
    every = frozenset(range(lexicon.own))
    question = replace(question, subjects=question.subjects or (Subject(),))  # of whatever class there is
    labels = []
    for subject in question.subjects:
        meant = frozenset(label for phrase in subject.phrases for label in lexicon.labels(phrase))
        unknown = [phrase for phrase in subject.phrases if not lexicon.labels(phrase)]
        if unknown:
            return NotUnderstood(question.text, _no_class(unknown[0], lexicon, zh))
        labels.append(meant if subject.phrases else every)
    return Plan(question, tuple(labels))


def unknown_phrases(questions: Iterable[Question | NotUnderstood], lexicon: Lexicon) -> tuple[str, ...]:
    """What the questions name and no class is called, once each: a network that reads text can look for it."""
    asked = (one for one in questions if isinstance(one, Question))
    phrases = (phrase for one in asked for subject in one.subjects for phrase in subject.phrases)
    return tuple(dict.fromkeys(phrase for phrase in phrases if not lexicon.labels(phrase)))


def _units(question: Question) -> list[str]:
    asked = [question.unit] if question.kind in (Kind.SIZE, Kind.EXTENT) else []
    return asked + [limit.unit for subject in question.subjects for limit in subject.limits]


_NO_SCALE = (
    "the size of a pixel is not known, so nothing is said in mm; ask in px, or give --data with mm_per_px",
    "像素的实际大小未知, 无法以毫米回答; 请用像素提问, 或用 --data 给出 mm_per_px",
)


def _no_class(phrase: str, lexicon: Lexicon, zh: bool) -> str:
    some = ", ".join(lexicon.names[:NAMES_SHOWN]) + (", ..." if len(lexicon.names) > NAMES_SHOWN else "")
    if zh:
        return f"没有名为“{shorten(phrase)}”的类别; 可以问: {some}"
    near = did_you_mean(phrase, lexicon.every_word())
    return f"there is no class '{shorten(phrase)}'{near}; there are: {some}"


def names_of(subject: Subject, labels: frozenset[int], lexicon: Lexicon) -> str:
    """What to call the subject in an answer: its class, else as it was asked; what was asked of any, a defect."""
    if len(labels) == 1:
        return lexicon.names[next(iter(labels))]
    return " or ".join(subject.phrases) or PRESENCE
