"""A question about one picture, in the form that a parser makes of it and an answerer reads: nothing of it is text to
be understood any more but the phrases, which name what is looked for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Kind(StrEnum):
    """What is asked for. `CLASS`: which defects there are; `EXTENT`: how much of the picture they cover."""

    PRESENCE = "presence"
    CLASS = "class"
    COUNT = "count"
    LOCATION = "location"
    SIZE = "size"
    EXTENT = "extent"
    COMPARISON = "comparison"
    DESCRIPTION = "description"
    VERDICT = "verdict"
    SEVERITY = "severity"


class Measure(StrEnum):
    """What is measured at a box: its longer side, its shorter side, its vertical side, what it covers; or, for a rank,
    how sure the detection is, or where it lies: from the left edge, from the upper edge.
    """

    LENGTH = "length"
    WIDTH = "width"
    HEIGHT = "height"
    AREA = "area"
    SCORE = "score"
    LEFT = "left"
    TOP = "top"


class Trait(StrEnum):
    """A word that says how large a thing is, measured against the picture, or what shape it has."""

    TINY = "tiny"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    ELONGATED = "elongated"
    ROUND = "round"


class Relation(StrEnum):
    """What is asked of two subjects: there are more, fewer, as many of the first; its largest is larger, smaller."""

    MORE = "more"
    FEWER = "fewer"
    EQUAL = "equal"
    LARGER = "larger"
    SMALLER = "smaller"


# what a sign says of a number, or of an array of them, and a bound
COMPARED: Mapping[str, Callable[[Any, float], Any]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}
)
UNITS = ("px", "px2", "mm", "mm2", "%")  # as limits and answers are written; cm and m become mm


@dataclass(frozen=True)
class Limit:
    """`measure` is `sign` (one of > >= < <=) than `value` in `unit`: px or mm; px2, mm2 or % of the picture for an
    area.
    """

    measure: Measure
    sign: str
    value: float
    unit: str


@dataclass(frozen=True)
class Amount:
    """How many there are to be: `sign` (one of > >= < <= =) than `number`."""

    sign: str
    number: int

    def holds(self, count: int) -> bool:
        """Whether `count` is so many."""
        return bool(COMPARED[self.sign](count, self.number))


@dataclass(frozen=True)
class Place:
    """A part of the picture, `name` as people say it, `box` xyxy in fractions of width and height. A thing is there
    when its centre is.
    """

    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Rank:
    """The one with the most (or least) of `measure`."""

    measure: Measure
    most: bool = True


@dataclass(frozen=True)
class Subject:
    """What is looked for: things of any of the `phrases` (no phrase: any defect) that pass every filter, then of those
    the one by `rank`.
    """

    phrases: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    places: tuple[Place, ...] = ()
    traits: tuple[Trait, ...] = ()
    rank: Rank | None = None


@dataclass(frozen=True)
class Question:
    """`text` as it was asked, `kind`, and `subjects`: one, or the two of a comparison (none: every class against every
    other).

    `measure` and `unit` ("": whichever is known) of a SIZE or EXTENT; `measure` also of what is larger or smaller.
    `negated`: yes means that there is none, or, of a VERDICT, that the part is bad. `amount`: of a PRESENCE, how many
    there are to be. Of a comparison, `relation`, and
    whether one of the subjects is to be named (`choose`) or the numbers' difference (`difference`), instead of yes or
    no. `language` is en or zh.
    """

    text: str
    kind: Kind
    subjects: tuple[Subject, ...] = (Subject(),)
    measure: Measure = Measure.LENGTH
    unit: str = ""
    negated: bool = False
    relation: Relation = Relation.MORE
    choose: bool = False
    difference: bool = False
    language: str = "en"
    amount: Amount | None = None


@dataclass(frozen=True)
class NotUnderstood:
    """A question that nothing here can answer, and `reason`: one sentence that says so and what can be answered."""

    text: str
    reason: str
