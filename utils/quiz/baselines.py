"""Answers without a look at the picture: what any answer from detections has to beat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from statistics import median

from utils.questions.question import Kind
from utils.quiz.answer_words import in_words
from utils.quiz.item import QuizItem
from utils.values.answer import NONE, Answer

FEW = 3  # questions alike from which the most frequent answer says more than that of all questions of the kind
MEASURED = (Kind.SIZE, Kind.EXTENT)

_Groups = dict[Hashable, list[QuizItem]]


def majority(fit: Sequence[QuizItem], items: Sequence[QuizItem]) -> list[Answer]:
    """To each of `items` the most frequent answer of the questions `fit` of the same kind and unit; of sizes and
    extents the median. Where the most frequent thing is to refuse, it refuses.
    """
    groups = _grouped(fit)
    return [_usual(groups.get(_of_kind(item), []), item) for item in items]


def blind(fit: Sequence[QuizItem], items: Sequence[QuizItem]) -> list[Answer]:
    """As `majority`, of the questions that are the most alike: in the same words, else about the same class. What is
    left is what a picture adds.
    """
    groups = _grouped(fit)
    return [_usual(_alike(groups, item), item) for item in items]


def _alike(groups: _Groups, item: QuizItem) -> list[QuizItem]:
    for key in (_in_words(item), _about(item)):
        if len(found := groups.get(key, [])) >= FEW:
            return found
    return groups.get(_of_kind(item), [])


def _grouped(fit: Sequence[QuizItem]) -> _Groups:
    groups: _Groups = defaultdict(list)
    for item in fit:
        for key in (_in_words(item), _about(item), _of_kind(item)):
            groups[key].append(item)
    return dict(groups)


def _of_kind(item: QuizItem) -> Hashable:
    return item.kind, _unit(item)


def _about(item: QuizItem) -> Hashable:
    return item.kind, _unit(item), item.subject


def _in_words(item: QuizItem) -> Hashable:
    return item.kind, _unit(item), item.subject, item.question


def _unit(item: QuizItem) -> str:
    """What the question says of the answer: not whether it is a number."""
    return item.unit if item.kind in MEASURED else ""


def _usual(alike: Sequence[QuizItem], item: QuizItem) -> Answer:
    """The usual answer of `alike` to `item`."""
    kind = str(item.kind or "")
    answerable = [one for one in alike if one.answerable]
    if 2 * len(answerable) < len(alike) or not answerable:
        return Answer(item.question, kind, refusal="questions like this one are not answered")
    if item.options:
        return Answer(item.question, kind, _usual_option(answerable, item))
    numbers = [one.number for one in answerable if one.number is not None]
    if item.kind in MEASURED and numbers:
        if 2 * len(numbers) < len(answerable):
            return Answer(item.question, kind, NONE)
        middle = float(median(numbers))
        return Answer(item.question, kind, in_words(middle, item.unit), middle, item.unit)
    (expected, number, unit), _ = Counter((one.expected, one.number, one.unit) for one in answerable).most_common(1)[0]
    return Answer(item.question, kind, expected, number, unit)


def _usual_option(alike: Sequence[QuizItem], item: QuizItem) -> str:
    """The text that is right most often among those of the item's options, else the letter."""
    offered = {text for _, text in item.options}
    texts = Counter(dict(one.options).get(one.expected, one.expected) for one in alike)
    if found := next((text for text, _ in texts.most_common() if text in offered), ""):
        return found
    letters = [letter for letter, _ in item.options]
    return next((one for one, _ in Counter(one.expected for one in alike).most_common() if one in letters), letters[0])
