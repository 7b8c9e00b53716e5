"""A picture that questions are made about, and the dice that choose what is asked and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from utils.questions.question import Kind
from utils.quiz.answer_words import in_words
from utils.quiz.item import QuizItem
from utils.quiz.templates import ANY_WORDS, fill, spoken
from utils.quiz.truth import Truth
from utils.words.spelling import word_key

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Sheet:
    """The picture with the index `picture`, the classes by their `names` (K,), of which the labels `asked` can be asked
    about, and `mm_per_px` where it is known. `rng` is drawn from, so that the order of calls matters.
    """

    picture: int
    truth: Truth
    names: tuple[str, ...]
    asked: tuple[int, ...]
    mm_per_px: float | None
    rng: np.random.Generator

    @cached_property
    def present(self) -> tuple[int, ...]:
        """Classes with a box."""
        return tuple(label for label in self.asked if self.truth.count(label))

    @cached_property
    def counted(self) -> tuple[int, ...]:
        """Classes with a box, and all their boxes known."""
        return tuple(label for label in self.present if self.truth.complete(label))

    @cached_property
    def absent(self) -> tuple[int, ...]:
        """Classes of which there is surely nothing."""
        return tuple(label for label in self.asked if self.truth.complete(label) and not self.truth.count(label))

    @property
    def good(self) -> bool:
        """Whether nothing is boxed."""
        return not len(self.truth.boxes)

    def one(self, choices: Sequence[T]) -> T:
        """One of `choices` (> 0)."""
        return choices[int(self.rng.integers(len(choices)))]

    def some(self, choices: Sequence[T]) -> list[T]:
        """One of `choices`, or none where there is none: what a loop asks about."""
        return [self.one(choices)] if choices else []

    def chance(self, share: float) -> bool:
        """True in that share of the calls."""
        return bool(self.rng.random() < share)

    def some_absent(self) -> list[int]:
        """Of every fifth picture a class that is not there: rarely, or `none` would be a good guess."""
        return self.some(self.absent) if self.chance(0.2) else []

    def item(
        self, kind: Kind, templates: Sequence[str], labels: Sequence[int], expected: str, **parts: Any
    ) -> QuizItem:
        """A question worded by one of the `templates` about the classes `labels` (none: any defect). `parts`: see
        templates.fill.
        """
        words = [spoken(self.names[label]) for label in labels]
        subject = "; ".join(self.names[label] for label in labels)
        return QuizItem(self.picture, fill(self.one(templates), words, **parts), kind, expected, subject)


def with_number(item: QuizItem, number: float, unit: str = "", tolerance: float | None = None) -> QuizItem:
    """`item` with a number for an answer."""
    return replace(item, expected=in_words(number, unit), number=number, unit=unit, tolerance=tolerance)


def can_be_asked(names: Sequence[str]) -> tuple[int, ...]:
    """The labels whose names mean one class only: not those of which another differs by a plural, nor, among several
    classes, the one called `defect`.
    """
    keys = [word_key(spoken(name)) for name in names]
    vague = {"", *(map(word_key, ANY_WORDS) if len(names) > 1 else ())}
    return tuple(k for k, key in enumerate(keys) if keys.count(key) == 1 and key not in vague)
