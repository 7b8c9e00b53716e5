"""From the words of one question to its typed form: the first rule that fits, with what its slots say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from utils.questions.common_defects import is_common
from utils.questions.known_names import KnownNames
from utils.questions.marks import Marks, Sentence
from utils.questions.phrasing import Only, Phrasings, Rule
from utils.questions.question import Kind, Measure, Question, Rank, Relation, Subject
from utils.questions.scope import Scope
from utils.questions.units import wanted_unit

# Nobody asks a question that long, and the rules take the square of it.
_MOST_WORDS, _MOST_SIGNS = 50, 60
_FOLLOWING = (Kind.COUNT, Kind.LOCATION, Kind.SIZE)  # "where?" and "how long?" ask on


class Nouns(Protocol):
    """Reads the noun phrases of one sentence."""

    def subjects(self, words: str, before: Subject, one: bool = False) -> tuple[Subject, ...] | None:
        """What `words` look for, a pronoun standing for `before`; None: they are no noun phrase."""


@dataclass(frozen=True)
class Grammar:
    """A language: its rules, its nouns, and what the words in the slots {dim} and {than} mean; {max} of `least` is the
    smallest. `scope`: what tells whether one of several things is meant, or all of them.
    """

    language: str
    phrasings: Phrasings
    nouns: Callable[[Marks, KnownNames], Nouns]
    measures: Mapping[str, Measure]
    comparisons: Mapping[str, tuple[Relation, Measure]]
    least: frozenset[str]
    scope: Scope

    def questions(self, text: str, sentence: Sentence, names: KnownNames, before: Subject) -> tuple[Question, ...]:
        """What `text` asks, read as `sentence`; `before` is what the question before it was about. Empty: nothing."""
        if len(sentence.words.split(" ")) > _MOST_WORDS or (
            self.language == "zh" and len(sentence.words) > _MOST_SIGNS
        ):
            return ()
        reading = _Reading(self, sentence, names, before)
        for match, rule in self.phrasings.matches(sentence.words):
            found = reading.questions(text, match, rule)
            if found:
                return found
        return ()


class _Reading:
    """One sentence while rules are tried on it."""

    def __init__(self, grammar: Grammar, sentence: Sentence, names: KnownNames, before: Subject) -> None:
        self.grammar, self.sentence, self.names, self.before = grammar, sentence, names, before
        self.nouns = grammar.nouns(sentence.marks, names)

    def questions(self, text: str, match: re.Match[str], rule: Rule) -> tuple[Question, ...]:
        """The questions that a rule makes of its match; none where its slots hold something else."""
        slots = {slot: words.strip() for slot, words in match.groupdict().items() if words}
        measure = self.grammar.measures.get(slots.get("dim", ""), rule.measure)
        relation, measure = self.grammar.comparisons.get(slots.get("than", ""), (rule.relation, measure))
        if rule.kind is Kind.EXTENT:
            measure = Measure.AREA
        unit = ""
        if rule.kind in (Kind.SIZE, Kind.EXTENT):
            unit, measure = wanted_unit(slots.get("unit") or self.sentence.unit, measure)
        question = Question(
            text,
            rule.kind,
            (),
            measure,
            unit or rule.unit,
            rule.negated,
            relation,
            rule.choose,
            rule.difference,
            self.grammar.language,
            self.sentence.amount,
        )
        if self.sentence.amount is not None and rule.kind is not Kind.PRESENCE:
            return ()
        if rule.kind is Kind.EXTENT and self.grammar.scope.share_of_things(self.sentence.words):
            return ()
        if rule.every:
            return (question,) if self._about_all(slots) else ()
        if rule.kind is Kind.COMPARISON:
            pair = self._compared(slots)
            sized = relation in (Relation.LARGER, Relation.SMALLER)
            if pair and sized and (rule.difference or any(one.limits for one in pair)):
                return ()  # by how much one is longer than the other is not known
            return (replace(question, subjects=pair),) if pair else ()
        subjects = self._subjects(slots, rule, measure)
        if self.sentence.amount is not None and len(subjects) > 1:  # of which of them?
            return ()
        if rule.kind is Kind.COUNT and self.before.rank:  # where is the largest, and how many are there
            subjects = tuple(replace(one, rank=None) if one.rank == self.before.rank else one for one in subjects)
        found = tuple(replace(question, subjects=(subject,)) for subject in subjects)
        return self.grammar.scope.of_all(found, self.sentence.words) if rule.kind is Kind.PRESENCE else found

    def _subjects(self, slots: Mapping[str, str], rule: Rule, measure: Measure) -> tuple[Subject, ...]:
        """The subjects of {a} or {known}, each with the filters of {f} and the rank of {max}; none: they do not fit."""
        subjects = self._nouns(slots, rule)
        if subjects and "f" in slots:
            subjects = self._filtered(subjects, slots["f"])
        elif "a" in slots and "f" in slots:  # where is the round, which is a class
            subjects = self.nouns.subjects(f"{slots['a']} {slots['f']}", self.before)
        if subjects and "max" in slots:
            rank = Rank(measure, slots["max"] not in self.grammar.least)
            subjects = tuple(replace(subject, rank=rank) for subject in subjects)
        return subjects if subjects and all(self._fits(subject, rule) for subject in subjects) else ()

    def _nouns(self, slots: Mapping[str, str], rule: Rule) -> tuple[Subject, ...] | None:
        if "known" in slots:
            name = self.names.of_participle(slots["known"])
            return (Subject((name,)),) if name else None
        if "side" in slots and any(
            found and not found.place for found in map(self.sentence.marks.filter, slots["side"])
        ):
            return None  # longer than 5 mm or wider than 2 mm are no sides
        if "a" in slots:
            one = rule.one or (rule.kind is Kind.COUNT and self.sentence.together)
            return self.nouns.subjects(slots["a"], self.before, one)
        follows = rule.kind in _FOLLOWING or (
            rule.kind is Kind.CLASS and self.grammar.scope.pronoun(self.sentence.words)
        )
        return (self.before if follows else Subject(),)

    def _filtered(self, subjects: tuple[Subject, ...], filters: str) -> tuple[Subject, ...] | None:
        found = [self.nouns.subjects(filters, subject) for subject in subjects]
        return None if None in found else tuple(subject for row in found for subject in row or ())

    def _compared(self, slots: Mapping[str, str]) -> tuple[Subject, ...] | None:
        """The subjects of {a} and {b}; the second may leave out what the first has said: "than on the right"."""
        first = self.nouns.subjects(slots["a"], self.before)
        if not first:
            return None
        second = self.nouns.subjects(slots["b"], replace(first[0], places=(), rank=None))
        if not second or second == first or len(first + second) > 2:
            return None
        if "f" not in slots:
            return first + second
        filtered = self._filtered(second, slots["f"])
        own = first[0].places or first[0].limits  # more scratches on the left than holes on the right
        both = first if own else self._filtered(first, slots["f"])
        return both + filtered if both and filtered else None

    def _about_all(self, slots: Mapping[str, str]) -> bool:
        """Whether nothing but the whole picture is compared: "in the picture" says nothing, "on the left" does."""
        return "f" not in slots or self._filtered((Subject(),), slots["f"]) == (Subject(),)

    def _fits(self, subject: Subject, rule: Rule) -> bool:
        if rule.kind is Kind.VERDICT:
            return subject == Subject()  # of the whole part only
        if rule.kind is Kind.PRESENCE and subject.rank:
            return False  # whether the largest is on the left is not whether there is one on the left
        if rule.only is Only.ANY:
            return not subject.phrases
        if rule.only is Only.WORD:
            return bool(subject.phrases)
        if rule.only is Only.COMMON:
            return all(is_common(phrase) or self.names.find(phrase) for phrase in subject.phrases)
        if rule.only is Only.FILTERED:
            return bool(subject.limits or subject.places or subject.traits)
        return True
