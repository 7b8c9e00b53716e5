"""Answers that measure: how many, where, how large, how much of the picture, what it looks like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from utils.answers.confidence import count_odds
from utils.answers.look import Look
from utils.answers.wording import number_words, place_words
from utils.questions.question import Measure
from utils.values.answer import NONE, Answer


def count(look: Look) -> Answer:
    """A number, and how likely it is exactly that."""
    shown, chances = look.counted(), look.chances(look.candidates())
    answer = look.made(str(len(shown)), shown, None)
    if chances is not None:
        answer = replace(answer, confidence=float(count_odds(chances)[len(shown)]), calibrated=True)
    return replace(answer, number=float(len(shown)))


def location(look: Look) -> Answer:
    """Words of the grid, of the largest thing first."""
    shown = look.largest_first(look.counted())
    places = "; ".join(dict.fromkeys(place_words(shown))) or NONE
    return look.made(places, shown, look.all_there(shown))


def size(look: Look) -> Answer:
    """Of the one by rank, else of the largest by what is asked."""
    shown, measure = look.counted(), look.question.measure
    if not len(shown):
        return look.made(NONE, shown, None)
    values = shown.measured(measure)
    one = int(values.argmax())
    unit = look.unit(square=measure is Measure.AREA)
    value = float(shown.in_unit(values[one], unit))
    of = f"largest of {len(shown)}" if not look.words.chinese else f"{len(shown)} 个中最大的"
    it = shown.at(np.array([one]))
    details = (of if len(shown) > 1 else "", look.words.things(it))
    answer = look.made(number_words(value, unit), it, look.all_there(it), *details)
    return replace(answer, number=_tidy(value), unit=unit)


def extent(look: Look) -> Answer:
    """What all of it covers together."""
    shown = look.counted()
    unit = look.unit(square=True)
    value = float(shown.in_unit(np.array(shown.covered()), unit))
    answer = look.made(number_words(value, unit) if len(shown) else NONE, shown, None)
    return replace(answer, number=_tidy(value), unit=unit)


def description(look: Look) -> Answer:
    """A sentence by template."""
    shown = look.largest_first(look.named() if not look.question.subjects[0].phrases else look.counted())
    if not len(shown):
        return look.made(NONE, shown, None)
    words = look.words.description(shown)
    return replace(look.made("", shown, look.all_there(shown)), answer=words, sentence=words)


def _tidy(value: float) -> float:
    """Without the noise of the last digits."""
    return float(f"{value:.9g}")
