"""Questions that are answered by measuring boxes: where, how large, how much, which of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from utils.questions.question import Kind, Measure
from utils.quiz import templates
from utils.quiz.item import QuizItem
from utils.quiz.sheet import Sheet, with_number
from utils.quiz.truth import differ, sides
from utils.values.answer import EQUAL, NO, NONE, YES

MEASURES = (Measure.LENGTH, Measure.WIDTH, Measure.HEIGHT, Measure.AREA)


def location(sheet: Sheet) -> list[QuizItem]:
    """Where the largest of a class is; now and then of one that is not there."""
    found = []
    for label in sheet.some(sheet.counted):
        largest = sheet.truth.largest(label)
        if largest is not None and (place := sheet.truth.place(largest)):
            only = sheet.truth.count(label) == 1
            found.append(sheet.item(Kind.LOCATION, templates.LOCATION, [label], place, only=only))
    absent = [sheet.item(Kind.LOCATION, templates.LOCATION, [label], NONE) for label in sheet.some_absent()]
    return found + absent


def size(sheet: Sheet) -> list[QuizItem]:
    """How long, wide, tall or large the largest of a class is, in mm where the scale is known, unless px are asked for;
    now and then of one that is not there.
    """
    found = []
    for label in sheet.some(sheet.counted):
        largest = sheet.truth.largest(label)
        if largest is not None:
            measure, only = sheet.one(MEASURES), sheet.truth.count(label) == 1
            unit, said = _unit(sheet, measure)
            item = sheet.item(Kind.SIZE, templates.SIZE[measure], [label], "", unit=said, only=only)
            found.append(with_number(item, *_measured(sheet, largest, measure, unit)))
    for label in sheet.some_absent():
        measure = sheet.one(MEASURES)
        unit, said = _unit(sheet, measure)
        item = sheet.item(Kind.SIZE, templates.SIZE[measure], [label], NONE, unit=said)
        found.append(replace(item, unit=unit))
    return found


def _unit(sheet: Sheet, measure: Measure) -> tuple[str, str]:
    """The unit of the answer, and how the question says it: mostly not."""
    power = "2" if measure is Measure.AREA else ""
    usual = ("px" if sheet.mm_per_px is None else "mm") + power
    said = sheet.one(("", "", usual, "px" + power))
    return said or usual, said


def _measured(sheet: Sheet, box: np.ndarray, measure: Measure, unit: str) -> tuple[float, str, float]:
    """What a box measures in `unit`, the unit, and how much a pixel more to each side would change it."""
    width, height = map(float, sides(box[None])[0])
    pixels, pixel = {
        Measure.LENGTH: (max(width, height), 1.0),
        Measure.WIDTH: (min(width, height), 1.0),
        Measure.HEIGHT: (height, 1.0),
        Measure.AREA: (width * height, width + height + 1),
    }[measure]
    scale = (sheet.mm_per_px or 1.0) if unit.startswith("mm") else 1.0
    if measure is Measure.AREA:
        scale *= scale
    return pixels * scale, unit, pixel * scale


def extent(sheet: Sheet) -> list[QuizItem]:
    """How much of the picture a class covers, or all defects; now and then one that is not there."""
    labels = [[label] for label in sheet.some(sheet.counted)]
    if not sheet.good and sheet.truth.complete() and sheet.chance(0.3):
        labels = [[]]
    found = []
    for row in labels:
        share = 100 * sheet.truth.share(*row)
        if share > 0:
            found.append(with_number(sheet.item(Kind.EXTENT, templates.EXTENT, row, ""), share, "%"))
    for label in sheet.some_absent():
        found.append(replace(sheet.item(Kind.EXTENT, templates.EXTENT, [label], NONE), unit="%"))
    return found


Comparison = Callable[[Sheet, int, int], QuizItem | None]


def comparison(sheet: Sheet) -> list[QuizItem]:
    """Of two classes, one of which at least is there: of which there are more, whose largest is larger."""
    if not sheet.counted or len(sheet.counted + sheet.absent) < 2:
        return []
    one = sheet.one(sheet.counted)
    # twice in three times another one that is there, if any
    there = [label for label in sheet.counted if label != one]
    rest = there if there and sheet.chance(2 / 3) else [k for k in sheet.counted + sheet.absent if k != one]
    pair = [one, sheet.one(rest)]
    if sheet.chance(0.5):
        pair.reverse()
    both = all(label in sheet.counted for label in pair)
    asks: tuple[Comparison, ...] = (_more, _fewer, _as_many, _which_more, _difference)
    item = sheet.one((*asks, *(_larger, _which_larger) * (2 if both else 0)))(sheet, *pair)
    return [item] if item else []


def _more(sheet: Sheet, one: int, other: int) -> QuizItem:
    more = sheet.truth.count(one) > sheet.truth.count(other)
    return _compared(sheet, templates.MORE, (one, other), YES if more else NO)


def _fewer(sheet: Sheet, one: int, other: int) -> QuizItem:
    fewer = sheet.truth.count(one) < sheet.truth.count(other)
    return _compared(sheet, templates.FEWER, (one, other), YES if fewer else NO)


def _as_many(sheet: Sheet, one: int, other: int) -> QuizItem:
    as_many = sheet.truth.count(one) == sheet.truth.count(other)
    return _compared(sheet, templates.AS_MANY, (one, other), YES if as_many else NO)


def _which_more(sheet: Sheet, one: int, other: int) -> QuizItem:
    first, second = sheet.truth.count(one), sheet.truth.count(other)
    more = EQUAL if first == second else sheet.names[one if first > second else other]
    return _compared(sheet, templates.WHICH_MORE, (one, other), more)


def _difference(sheet: Sheet, one: int, other: int) -> QuizItem | None:
    """Of the class of which there are more: nobody asks how many more there are of the other."""
    more, fewer = sorted((one, other), key=sheet.truth.count, reverse=True)
    difference = sheet.truth.count(more) - sheet.truth.count(fewer)
    return with_number(_compared(sheet, templates.DIFFERENCE, (more, fewer), ""), difference) if difference else None


def _larger(sheet: Sheet, one: int, other: int) -> QuizItem | None:
    areas = _areas(sheet, one, other)
    return areas and _compared(sheet, templates.LARGER, (one, other), YES if areas[0] > areas[1] else NO)


def _which_larger(sheet: Sheet, one: int, other: int) -> QuizItem | None:
    areas = _areas(sheet, one, other)
    larger = one if areas and areas[0] > areas[1] else other
    return areas and _compared(sheet, templates.WHICH_LARGER, (one, other), sheet.names[larger])


def _areas(sheet: Sheet, one: int, other: int) -> tuple[float, float] | None:
    """px2 of the largest of each class, None where that is too near to tell."""
    first, second = (float(sides(sheet.truth.of_class(label)).prod(1).max()) for label in (one, other))
    return (first, second) if differ(first, second) else None


def _compared(sheet: Sheet, wordings: tuple[str, ...], pair: tuple[int, int], expected: str) -> QuizItem:
    return sheet.item(Kind.COMPARISON, wordings, pair, expected)
