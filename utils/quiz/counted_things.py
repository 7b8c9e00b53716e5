"""Questions that are answered by looking which things there are, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from utils.questions.question import Kind, Measure
from utils.quiz import templates
from utils.quiz.answer_words import NG, OK, in_words
from utils.quiz.item import QuizItem
from utils.quiz.sheet import Sheet, with_number
from utils.quiz.truth import MARGIN, sides
from utils.values.answer import NO, NONE, YES


def presence(sheet: Sheet) -> list[QuizItem]:
    """A class that is there, one that is not, any defect; of some pictures also whether there is one in a place, of a
    size, or so many.

    A bad picture is asked for one class of each, every second one for any defect; every second good one for one of the
    two. So there are as many yes as no where half of the pictures are good.
    """
    if sheet.good and sheet.chance(0.5):
        return []
    about_any = sheet.chance(0.5)
    asked = [(label, YES) for label in sheet.some(sheet.present)]
    if not (sheet.good and about_any):
        asked += [(label, NO) for label in sheet.some(sheet.absent)]
    found = [sheet.item(Kind.PRESENCE, templates.PRESENCE, [label], answer) for label, answer in asked]
    if about_any and (not sheet.good or sheet.truth.complete()):
        found.append(sheet.item(Kind.PRESENCE, templates.PRESENCE, [], NO if sheet.good else YES))
    for label in sheet.some(sheet.counted):
        found += sheet.one((_in_places, _of_lengths, _so_many, _nothing_more))(sheet, label)
    return found


def _so_many(sheet: Sheet, label: int) -> list[QuizItem]:
    """Two questions: as many as there are, and one more."""
    number = sheet.truth.count(label)
    return [
        sheet.item(Kind.PRESENCE, templates.PRESENCE_SO_MANY, [label], answer, limit=str(least))
        for answer, least in ((YES, number), (NO, number + 1))
    ]


def _nothing_more(sheet: Sheet, label: int) -> list[QuizItem]:
    return []


def _in_places(sheet: Sheet, label: int) -> list[QuizItem]:
    """Two questions: a place with one of the class, a place without."""
    inside = _places(sheet, label)
    full, empty = ([place for place, within in inside if within.any() == wanted] for wanted in (True, False))
    if not full or not empty:
        return []
    places = (YES, sheet.one(full)), (NO, sheet.one(empty))
    return [
        sheet.item(Kind.PRESENCE, templates.PRESENCE_IN_PLACE, [label], answer, place=place) for answer, place in places
    ]


def _of_lengths(sheet: Sheet, label: int) -> list[QuizItem]:
    """Two questions: longer than a length that the longest has, than one that it has not."""
    lengths, unit = _lengths(sheet, label)
    limits = (YES, _tidy(0.6 * lengths.max())), (NO, _tidy(1.5 * lengths.max()))
    if not all(_plain(sheet, lengths, limit, unit) for _, limit in limits):
        return []
    return [
        sheet.item(Kind.PRESENCE, templates.PRESENCE_LONGER, [label], answer, limit=in_words(limit, unit))
        for answer, limit in limits
    ]


def classes(sheet: Sheet) -> list[QuizItem]:
    """Which defects there are."""
    if not sheet.truth.complete():
        return []
    return [sheet.item(Kind.CLASS, templates.CLASS, [], listed(sheet, sheet.truth.labels))]


def listed(sheet: Sheet, labels: Iterable[int]) -> str:
    """`scratch 2; hole 1`: most first, then by the class's number."""
    counts = sorted(Counter(map(int, labels)).items(), key=lambda row: (-row[1], row[0]))
    return "; ".join(f"{sheet.names[label]} {count}" for label, count in counts) or NONE


def count(sheet: Sheet) -> list[QuizItem]:
    """How many there are of a class, of any, of one that is not there; in a place, or of a size."""
    labels = [[label] for label in [*sheet.some(sheet.counted), *sheet.some_absent()]]
    if sheet.truth.complete() and sheet.chance(0.5):
        labels.append([])
    found = [_counted(sheet, templates.COUNT, row, sheet.truth.count(*row)) for row in labels]
    for label in sheet.some(sheet.counted):
        found += sheet.one((_counted_in_place, _counted_longer, _nothing_more))(sheet, label)
    return found


def _counted(sheet: Sheet, wordings: tuple[str, ...], labels: list[int], number: int, **parts: str) -> QuizItem:
    return with_number(sheet.item(Kind.COUNT, wordings, labels, "", **parts), number)


def _counted_in_place(sheet: Sheet, label: int) -> list[QuizItem]:
    places = _places(sheet, label)
    if not places:
        return []
    occupied = [row for row in places if row[1].any()]
    place, within = sheet.one(occupied if occupied and sheet.chance(0.7) else places)
    return [_counted(sheet, templates.COUNT_IN_PLACE, [label], int(within.sum()), place=place)]


def _counted_longer(sheet: Sheet, label: int) -> list[QuizItem]:
    """The limit lies between two lengths that follow each other, or before the first, or after the last."""
    lengths, unit = _lengths(sheet, label)
    steps = np.sort(np.concatenate((lengths, [lengths.min() / 2, lengths.max() * 2])))
    k = int(sheet.rng.integers(len(steps) - 1))
    limit = _tidy(float(np.sqrt(steps[k] * steps[k + 1])))
    if not _plain(sheet, lengths, limit, unit):
        return []
    number = int((lengths > limit).sum())
    return [_counted(sheet, templates.COUNT_LONGER, [label], number, limit=in_words(limit, unit))]


def verdict(sheet: Sheet) -> list[QuizItem]:
    """Whether the part is good."""
    if sheet.good and not sheet.truth.complete():
        return []
    return [sheet.item(Kind.VERDICT, templates.VERDICT, [], OK if sheet.good else NG)]


def which_in_place(sheet: Sheet) -> list[QuizItem]:
    """Which defects are in a part of the picture: of three times twice a part that has some; of good pictures of every
    fifth only.
    """
    if not sheet.truth.complete() or (sheet.good and not sheet.chance(0.2)):
        return []
    places = _places(sheet, None)
    if not places:
        return []
    occupied = [row for row in places if row[1].any()]
    place, within = sheet.one(occupied if occupied and sheet.chance(2 / 3) else places)
    found = listed(sheet, sheet.truth.labels[within])
    return [sheet.item(Kind.LOCATION, templates.LOCATION_IN_PLACE, [], found, place=place)]


def unanswerable(sheet: Sheet) -> list[QuizItem]:
    """One question that nothing in the boxes answers: about causes and people, about a thing that is no defect, or in
    mm where nobody knows the scale.
    """
    ask = sheet.one((_beyond, _strange) if sheet.mm_per_px is not None else (_beyond, _strange, _without_scale))
    return [replace(item, answerable=False) for item in ask(sheet)]


def _beyond(sheet: Sheet) -> list[QuizItem]:
    return [QuizItem(sheet.picture, sheet.one(templates.BEYOND), None, "")]


def _strange(sheet: Sheet) -> list[QuizItem]:
    named = " ".join(map(templates.spoken, sheet.names)).split()
    kind, wordings = sheet.one(((Kind.PRESENCE, templates.PRESENCE), (Kind.COUNT, templates.COUNT)))
    words = sheet.some([word for word in templates.STRANGE_WORDS if word not in named])
    return [QuizItem(sheet.picture, templates.fill(sheet.one(wordings), [word]), kind, "", word) for word in words]


def _without_scale(sheet: Sheet) -> list[QuizItem]:
    found = []
    for label in sheet.some(sheet.asked):
        measure = sheet.one((Measure.LENGTH, Measure.WIDTH, Measure.HEIGHT))
        found.append(replace(sheet.item(Kind.SIZE, templates.SIZE[measure], [label], "", unit="mm"), unit="mm"))
    return found


def _places(sheet: Sheet, label: int | None) -> list[tuple[str, np.ndarray]]:
    """The parts of the picture of which it is plain what is in them: word, (n,) bool which things of the class."""
    return list(sheet.truth.within(sheet.truth.of_class(label)).items())


def _lengths(sheet: Sheet, label: int) -> tuple[np.ndarray, str]:
    """(n,) the longer sides of the class's boxes, and the unit: px, or half of the time mm, where it is known."""
    lengths = sides(sheet.truth.of_class(label)).max(1)
    if sheet.mm_per_px is not None and sheet.chance(0.5):
        return lengths * sheet.mm_per_px, "mm"
    return lengths, "px"


def _plain(sheet: Sheet, lengths: np.ndarray, limit: float, unit: str) -> bool:
    """Whether each length is on one side of the limit by more than 2 % and a pixel."""
    pixel = 1.0 if unit == "px" else sheet.mm_per_px or 0.0
    return limit > 0 and bool((np.abs(lengths - limit) > max(MARGIN * limit, pixel)).all())


def _tidy(value: float) -> float:
    """As people say a limit: two digits."""
    return float(f"{value:.2g}")
