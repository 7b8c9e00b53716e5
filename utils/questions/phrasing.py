"""Ways to put a question, as a table of patterns that reads like the questions themselves.

In a pattern `[x]` may be left out, `(x|y)` is one of them, `<x>` stands for another pattern, and `{x}` is a slot, whose
words say something: `how many {a} [<be> there]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from utils.questions.question import Kind, Measure, Relation

_TOKEN = re.compile(r"<(?P<macro>\w+)>|\{(?P<slot>\w+)\}|(?P<sign>[\[\]()|])|(?P<word>[^\s<>{}\[\]()|]+)")
_SIGNS = {"[": "(?:", "]": ")?", "(": "(?:", ")": ")", "|": "|"}


class Only(StrEnum):
    """What a rule demands of the subjects, so that it does not take questions for its own that it cannot answer."""

    ANY = "any"  # any defect: no phrase
    COMMON = "common"  # any defect, known names, and what everybody calls a defect
    FILTERED = "filtered"  # a limit, a place or a trait stands at it
    WORD = "word"  # a phrase


@dataclass(frozen=True)
class Rule:
    """Questions of one `kind`, and what else they have in common, in the words of `patterns`.

    `one`: things joined by "and" are taken together. `every`: no subjects, each class against each other.
    """

    kind: Kind
    patterns: tuple[str, ...]
    measure: Measure = Measure.LENGTH
    unit: str = ""
    negated: bool = False
    relation: Relation = Relation.MORE
    choose: bool = False
    difference: bool = False
    only: Only | None = None
    one: bool = False
    every: bool = False


class Phrasings:
    """Rules in order, the first that fits counting, of a language whose words are a `blank` apart."""

    def __init__(self, rules: Iterable[Rule], macros: Mapping[str, str], slots: Mapping[str, str], blank: str) -> None:
        self.rules, self.macros, self.slots, self.blank = tuple(rules), macros, slots, blank

    def matches(self, words: str) -> Iterator[tuple[re.Match[str], Rule]]:
        """The rules whose words these are, and where their slots lie."""
        for pattern, rule in self._compiled:
            match = pattern.fullmatch(words + self.blank)
            if match is not None:
                yield match, rule

    @cached_property
    def _compiled(self) -> list[tuple[re.Pattern[str], Rule]]:
        """Not before the first question is read: it takes half a second, and most runs read none."""
        return [(re.compile(self._expanded(pattern)), rule) for rule in self.rules for pattern in rule.patterns]

    def _expanded(self, pattern: str) -> str:
        """A regular expression, in which each word keeps the blank behind it, so that both can be left out."""
        parts = []
        for token in _TOKEN.finditer(pattern):
            if token["macro"]:
                parts.append(f"(?:{self._expanded(self.macros[token['macro']])})")
            elif token["slot"]:
                parts.append(self.slots[token["slot"]])
            else:
                parts.append(_SIGNS[token["sign"]] if token["sign"] else re.escape(token["word"]) + self.blank)
        return "".join(parts)
