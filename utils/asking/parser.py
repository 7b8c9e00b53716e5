"""Questions about pictures, read by rules: what a user typed, in English or Chinese -> typed questions.

Nothing is guessed: what no rule reads is refused with a sentence that says what can be asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from utils.asking.splitting import Part, parts
from utils.chinese.form import chinese_sentence
from utils.chinese.rules import CHINESE
from utils.english.form import english_sentence
from utils.english.rules import ENGLISH
from utils.questions.grammar import Grammar
from utils.questions.known_names import CHINESE_SIGNS, KnownNames, known_names
from utils.questions.marks import Sentence
from utils.questions.question import Kind, NotUnderstood, Question, Subject
from utils.questions.refusals import CONTROL, EMPTY, LONGEST, TOO_LONG, no_unit, unknown
from utils.questions.units import MissingUnit

_COURTESIES = frozenset(
    "thanks thank you please hi hello hey cheers ok good morning day evening afternoon 谢谢 你好 您好".split()
)


def parse(text: str, names: Sequence[str] = ()) -> list[Question | NotUnderstood]:
    """The questions of `text` in their order; each that is not understood is refused by itself. Never empty.

    `names` are class names and synonyms that are known: they are kept whole however they are written (`live knot`,
    `LiveKnot`, `live_knots`), and come back in `Subject.phrases` as they stand in `names`; other phrases in the user's
    words. A pronoun stands for what the question before it was about.
    """
    unusable = _unusable(text)
    if unusable:
        return [NotUnderstood(text, unusable)]
    known = known_names(tuple(names))
    results: list[Question | NotUnderstood] = []
    before = Subject()
    for part in parts(text):
        found = _understood(part, known, before)
        if isinstance(found, NotUnderstood):
            results.append(found)
            continue
        results += found
        before = _spoken_of(found[-1], before)
    asked = _without_courtesies(results) or [NotUnderstood(text, EMPTY)]
    return [replace(asked[0], text=text.strip())] if len(asked) == 1 else asked


def _spoken_of(question: Question, before: Subject) -> Subject:
    """What a pronoun stands for after `question`: not the whole part, which a verdict is about."""
    about = question.subjects[0] if len(question.subjects) == 1 else before
    return before if about == Subject() and question.kind in (Kind.VERDICT, Kind.SEVERITY) else about


def _unusable(text: str) -> str:
    """Why there is nothing to read in `text`, or an empty string."""
    if len(text) > LONGEST:
        return TOO_LONG
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in text):
        return CONTROL
    return "" if re.search(r"[^\W_]", text) else EMPTY


def _understood(part: Part, names: KnownNames, before: Subject) -> NotUnderstood | list[Question]:
    """The questions of one part. Names of several words come first, then words as the grammar has them."""
    try:
        for kept in (names, names.loose()):
            marked = False
            for grammar, sentence in _readings(part.words, kept, part.asked):
                found = grammar.questions(part.text, sentence, names, before)
                if found:
                    return list(found)
                marked |= bool(sentence.marks.names)
            if not marked:  # nor would the words be others without names
                break
    except MissingUnit:
        return NotUnderstood(part.text, no_unit(part.text))
    return NotUnderstood(part.text, unknown(part.text))


def _readings(words: str, names: KnownNames, asked: bool) -> Iterator[tuple[Grammar, Sentence]]:
    """The ways to read one part, likely ones first; with a question mark also as what is a statement without it."""
    if re.search(f"[{CHINESE_SIGNS}]", words):
        sentence = chinese_sentence(words, names)
        yield CHINESE, sentence
        if asked and not sentence.words.endswith("吗"):
            yield CHINESE, sentence.with_words(f"{sentence.words}吗")
    if re.search("[A-Za-z]", words):
        sentence = english_sentence(words, names)
        yield ENGLISH, sentence
        if asked and not sentence.words.startswith("whether "):
            yield ENGLISH, sentence.with_words(f"whether {sentence.words}")


def _without_courtesies(results: list[Question | NotUnderstood]) -> list[Question | NotUnderstood]:
    """`thanks` beside a question is no question that was not understood."""
    kept = [r for r in results if isinstance(r, Question) or not _COURTESIES >= set(re.findall(r"\w+", r.text.lower()))]
    return kept or results
