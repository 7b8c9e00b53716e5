"""Answers about the picture as a whole: is something there, what is there, is the part good, how bad is it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from utils.answers.confidence import count_odds
from utils.answers.look import Look, kind_word
from utils.answers.picture import FoundThings
from utils.answers.plan import names_of
from utils.answers.severity import HOW
from utils.answers.wording import counts_by_name
from utils.questions.question import Amount
from utils.values.answer import NO, NONE, UNSURE, YES, Answer


def presence(look: Look) -> Answer:
    """Yes, no, or cannot tell; with the best candidate, and which is likelier, where nobody can."""
    if look.question.amount is not None:
        return _so_many(look, look.question.amount)
    some, labels, subject = look.candidates(), look.plan.labels[0], look.question.subjects[0]
    state = look.known.reading.shows(labels, some.scores, some.labels)
    chance = look.known.reading.chance(labels, some.scores, some.labels)
    if state is None:
        likely = len(look.counted()) > 0 if chance is None else chance >= 0.5
        word = _word(look, likely)
        said = f"{look.words.word(UNSURE)}, {look.words.likelier(likely, word)}"
        return replace(look.made(UNSURE, some.at(slice(0, 1)), None, said=said), confidence=None, likelier=word)
    if subject.limits or subject.places or subject.traits:  # the odds are those of whole pictures
        chance = None
    shown = look.counted() if state else some.at(slice(0, 0))
    word = _word(look, state)
    answer = look.made(word, shown, _of_state(chance, state), said=look.words.there(state, word))
    return answer if chance is not None else replace(answer, confidence=_of_state(some.best, state))


def _so_many(look: Look, amount: Amount) -> Answer:
    """Whether there are so many, and how likely."""
    shown, chances = look.counted(), look.chances(look.candidates())
    state, chance = amount.holds(len(shown)), None
    if chances is not None:
        odds = count_odds(chances)
        chance = _of_state(float(odds[[amount.holds(count) for count in range(len(odds))]].sum()), state)
    word = _word(look, state)
    number = f"{names_of(look.question.subjects[0], look.plan.labels[0], look.known.lexicon)} {len(shown)}"
    return look.made(word, shown, chance, number, look.words.things(shown))


def _word(look: Look, state: bool) -> str:
    return YES if state is not look.question.negated else NO


def classes(look: Look) -> Answer:
    """Names with counts; of a rank the one name."""
    shown = look.named()
    answer = counts_by_name(shown)
    if look.question.subjects[0].rank is not None and len(shown):
        answer = shown.names[shown.labels[0]]
    return look.made(answer, shown, _set_chance(look, shown))


def verdict(look: Look) -> Answer:
    """OK or NG, as detect.py decides, with the class that decides."""
    reading, labels = look.known.reading, look.plan.labels[0]
    things = look.things.at(np.isin(look.things.labels, list(labels)))  # others that were asked for decide nothing
    shown = things.at(things.scores >= np.array(reading.thresholds)[things.labels])
    bad = len(shown) > 0
    chance = reading.chance(labels, things.scores, things.labels)
    answer = look.made("NG" if bad else "OK", shown, _of_state(chance, bad))
    return answer if chance is not None else replace(answer, confidence=_of_state(things.best, bad))


def grade(look: Look) -> Answer:
    """By the user's rules; without any there is no answer."""
    if look.known.severity is None:
        return Answer(look.question.text, kind_word(look.question), refusal=HOW[look.words.chinese])
    shown = look.counted() if look.question.subjects[0].phrases else look.named()
    if not len(shown):
        return look.made(NONE, shown, None)
    grade, rule, met = look.known.severity.grade(shown)
    deciding = shown.at(met)
    return look.made(grade, deciding, None, rule, look.words.things(deciding))


def _set_chance(look: Look, shown: FoundThings) -> float | None:
    """How likely these classes are there and no others."""
    subject = look.question.subjects[0]
    if subject.limits or subject.places or subject.traits or subject.rank:
        return None
    chance = 1.0
    for k in sorted(look.plan.labels[0]):
        odds = look.known.reading.classes[k].odds
        if odds is None:
            return None
        p = float(odds(look.things.scores[look.things.labels == k].max(initial=0)))
        chance *= p if k in shown.labels else 1 - p
    return chance


def _of_state(chance: float | None, state: bool) -> float | None:
    """The chance of what was answered, from that of a yes."""
    return chance if chance is None or state else 1 - chance
