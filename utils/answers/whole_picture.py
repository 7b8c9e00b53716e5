"""Answers about the picture as a whole: is something there, what is there, is the part good, how bad is it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from utils.answers.look import Look, kind_word
from utils.answers.picture import FoundThings
from utils.answers.severity import HOW
from utils.answers.wording import counts_by_name
from utils.values.answer import NO, NONE, UNSURE, YES, Answer


def presence(look: Look) -> Answer:
    """Yes, no, or cannot tell; with the best candidate where nobody can."""
    some, labels, subject = look.candidates(), look.plan.labels[0], look.question.subjects[0]
    state = look.known.reading.shows(labels, some.scores, some.labels)
    if state is None:
        return replace(look.made(UNSURE, some.at(slice(0, 1)), None), confidence=None)
    chance = None
    if not (subject.limits or subject.places or subject.traits):  # the odds are those of whole pictures
        chance = look.known.reading.chance(labels, some.scores, some.labels)
    shown = look.counted() if state else some.at(slice(0, 0))
    word = YES if state is not look.question.negated else NO
    answer = look.made(word, shown, _of_state(chance, state), said=look.words.there(state, word))
    return answer if chance is not None else replace(answer, confidence=_of_state(some.best, state))


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
