"""Whether an answer is right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from utils.quiz.answer_words import PLACES, canonical, quantity
from utils.quiz.item import QuizItem
from utils.values.answer import NONE, UNSURE, Answer
from utils.words.class_names import name_key
from utils.words.spelling import word_key

NEAR = 0.02  # a size or a share may be off by that share of it
SLACK = {"px": 1.0, "px2": 1.0, "%": 1.0}  # or by so much, in its unit; counts by nothing

_LISTED = re.compile(r"(?P<name>.+) (?P<count>\d+)")
_SEPARATORS = re.compile(r"[;,；，、]")


def refused(answer: Answer) -> bool:
    """Whether it says nothing but why."""
    return bool(answer.refusal) or not answer.answer


def abstained(answer: Answer) -> bool:
    """Whether it says that the picture does not tell."""
    return answer.answer == UNSURE


def right(item: QuizItem, answer: Answer) -> bool:
    """Whether `answer` is what `item` expects.

    A refusal is right where the question is not answerable, and only there. A size is right within 2 %, a pixel, or the
    item's tolerance; a share of the picture within 2 % of it or one percentage point; a count if it is equal; all in
    the unit that is expected, and nothing is not a little. Classes with their counts are right in any order. Words are
    compared as class names are: without case, blanks and plurals. `cannot tell` is judged by what it calls likelier,
    unless that it cannot be told is an answer that may be given.
    """
    if refused(answer) or not item.answerable:
        return refused(answer) and not item.answerable
    answer = _decided(item, answer)
    if item.options:
        return choose(item, answer) == item.expected
    if item.number is not None:
        return _measures(item.number, item.unit, answer, item.tolerance)
    if canonical(item.expected) == NONE:
        return _is_nothing(answer)
    if (said := _counts(answer.answer)) is not None:
        wanted = _counts(item.expected)
        return said == wanted if wanted is not None else _keys(said) == _keys(_SEPARATORS.split(item.expected))
    return _same_word(answer.answer, item.expected)


def _decided(item: QuizItem, answer: Answer) -> Answer:
    given = {canonical(text) for _, text in item.options} or {canonical(item.expected)}
    return answer if UNSURE in given or not answer.likelier else replace(answer, answer=answer.likelier, likelier="")


def choose(item: QuizItem, answer: Answer) -> str:
    """The letter of the option that `answer` means: by its text, else as the letter itself. "" where there is none, or
    more than one.
    """
    if refused(answer):
        return ""
    letters = [letter for letter, text in item.options if _says(text, answer)]
    if not letters:
        letters = [letter for letter, _ in item.options if letter.casefold() == answer.answer.strip().casefold()]
    return letters[0] if len(letters) == 1 else ""


def _says(text: str, answer: Answer) -> bool:
    """Whether an option means the answer, or one of the classes or places that it lists."""
    meaning = canonical(text)
    if meaning == canonical(answer.answer):
        return True
    if (number := quantity(text)) is not None:
        return _measures(*number, answer)
    listed = _counts(answer.answer) or Counter()
    if meaning in PLACES:
        return meaning in map(canonical, answer.answer.split(";"))
    return word_key(meaning) in _keys([*listed] or [answer.answer]) - {""}


def _measures(number: float, unit: str, answer: Answer, tolerance: float | None = None) -> bool:
    """Whether the answer is that number, as near as its unit asks for."""
    said = _quantity(answer, unit)
    if said is None or said[1] != unit or (said[0] == 0) != (number == 0):
        return False
    if not unit:
        return said[0] == number
    slack = SLACK.get(unit, 0.0) if tolerance is None else tolerance
    return abs(said[0] - number) <= max(slack, NEAR * abs(number)) * (1 + 1e-9)


def _quantity(answer: Answer, unit: str) -> tuple[float, str] | None:
    if canonical(answer.answer) == NONE:
        return 0.0, unit
    if answer.number is not None:
        return answer.number, answer.unit
    return quantity(answer.answer)


def _same_word(one: str, other: str) -> bool:
    """As words of an answer, or else as class names: `LiveKnot` and `live knots`."""
    first, second = canonical(one), canonical(other)
    return first == second or word_key(one) == word_key(other) != ""


def _is_nothing(answer: Answer) -> bool:
    """`none`, or 0 of whatever unit."""
    said = _quantity(answer, "")
    return said is not None and said[0] == 0


def _counts(text: str) -> Counter[str] | None:
    """`scratch 2; hole 1` -> how many of each; None where `text` is no such list."""
    rows = [_LISTED.fullmatch(part.strip()) for part in text.split(";")]
    found: Counter[str] = Counter()
    for row in rows:
        if row is None:
            return None
        found[word_key(row["name"]) or name_key(row["name"])] += int(row["count"])
    return found


def _keys(names: Iterable[str]) -> set[str]:
    return {word_key(canonical(name)) for name in names}
