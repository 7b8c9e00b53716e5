"""Answers to comparisons: of two kinds of defects, or of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from utils.answers.confidence import count_odds, more_odds
from utils.answers.look import Look
from utils.answers.picture import FoundThings
from utils.answers.plan import names_of
from utils.answers.wording import counts_by_name, number_words
from utils.questions.question import Relation
from utils.values.answer import EQUAL, NO, NONE, YES, Answer


def comparison(look: Look) -> Answer:
    """By number, or by the largest of each."""
    if len(look.question.subjects) < 2:
        return _foremost(look)
    first, second = look.counted(0), look.counted(1)
    if look.question.relation in (Relation.LARGER, Relation.SMALLER):
        return _sizes_compared(look, first, second)
    names, one, other = _names(look), len(first), len(second)
    truth = {Relation.MORE: one > other, Relation.FEWER: one < other, Relation.EQUAL: one == other}
    answer = YES if truth[look.question.relation] else NO
    if look.question.choose:
        ahead = one > other if look.question.relation is Relation.MORE else one < other
        answer = EQUAL if one == other else names[0] if ahead else names[1]
    if look.question.difference:
        gap = one - other if look.question.relation is Relation.MORE else other - one
        answer = number_words(gap, "")
    shown = _together(first, second)
    numbers = f"{names[0]} {one}, {names[1]} {other}"
    made = look.made(answer, shown, _order_chance(look, one, other), numbers)
    return replace(made, number=float(answer)) if look.question.difference else made


def _names(look: Look) -> list[str]:
    """What to call the two: their classes; two of the same, their places: there are more of them on the left."""
    subjects = look.question.subjects
    names = [names_of(one, labels, look.known.lexicon) for one, labels in zip(subjects, look.plan.labels, strict=True)]
    places = [" ".join(place.name for place in one.places) for one in subjects]
    return names if names[0] != names[1] else [place or name for place, name in zip(places, names, strict=True)]


def _order_chance(look: Look, one: int, other: int) -> float | None:
    """How likely the two counts stand as they do."""
    chances = [look.chances(look.candidates(which)) for which in (0, 1)]
    if chances[0] is None or chances[1] is None:
        return None
    more, fewer, equal = more_odds(count_odds(chances[0]), count_odds(chances[1]))
    return more if one > other else fewer if one < other else equal


def _sizes_compared(look: Look, first: FoundThings, second: FoundThings) -> Answer:
    if not len(first) or not len(second):
        missing = _names(look)[0 if not len(first) else 1]
        return look.made(NONE, _together(first, second), None, look.words.no(missing))
    measure = look.question.measure
    pair = [one.at(np.array([one.measured(measure).argmax()])) for one in (first, second)]
    names = [one.names[one.labels[0]] for one in pair]
    names = names if names[0] != names[1] else _names(look)
    one, other = (float(thing.measured(measure)[0]) for thing in pair)
    larger = look.question.relation is Relation.LARGER
    ahead = one > other if larger else one < other
    answer = YES if ahead else NO
    if look.question.choose:
        answer = EQUAL if one == other else names[0] if ahead else names[1]
    shown = _together(*pair)
    return look.made(answer, shown, look.all_there(shown))


def _foremost(look: Look) -> Answer:
    """The class that there is most, or least, of among those that are there."""
    shown = look.named()
    labels, counts = np.unique(shown.labels, return_counts=True)
    if not len(labels):
        return look.made(NONE, shown, None)
    end = counts.max() if look.question.relation is Relation.MORE else counts.min()
    ends = labels[counts == end]
    answer = shown.names[ends[0]] if len(ends) == 1 else EQUAL
    return look.made(answer, shown, None, counts_by_name(shown))


def _together(first: FoundThings, second: FoundThings) -> FoundThings:
    """Both, the first ones first."""
    return replace(
        first,
        boxes=np.concatenate((first.boxes, second.boxes)),
        scores=np.concatenate((first.scores, second.scores)),
        labels=np.concatenate((first.labels, second.labels)),
        masks=(*first.masks, *second.masks),
    )
