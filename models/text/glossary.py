"""Words of the trade and what they look like, so that an encoder which never saw a word knows what it means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from utils.words.errors import ConfigError
from utils.words.spelling import respell, word_key
from utils.words.text import counted


@dataclass(frozen=True)
class Term:
    """A thing and what it is called: `head` is its name, `also` are others, `foreign` those in other languages, for
    which the head stands; `looks` describe it.
    """

    head: str
    also: tuple[str, ...]
    foreign: tuple[str, ...]
    looks: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Every name, the head first."""
        return (self.head, *self.also, *self.foreign)


@dataclass(frozen=True)
class Glossary:
    """Terms of which no two share a word; `origin` says which glossaries they come from."""

    terms: tuple[Term, ...]
    origin: str

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Glossary:
        """The reverse of `plain`. Raises ConfigError for what `plain` cannot have given."""
        terms = []
        for row in plain["terms"]:
            if len(row) != 4 or len(row[0]) != 1:
                raise ConfigError("its glossary has a term that is not name, other names, foreign names, looks")
            terms.append(Term(row[0][0], *map(tuple, row[1:])))
        return cls(tuple(terms), plain["origin"])

    def plain(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        rows = [[[one.head], list(one.also), list(one.foreign), list(one.looks)] for one in self.terms]
        return {"origin": self.origin, "terms": rows}

    @cached_property
    def name(self) -> str:
        """How results name it: `482 terms, built-in (1a2b3c4d)`, the hash being of the terms."""
        text = json.dumps(self.plain()["terms"], ensure_ascii=False)
        return f"{counted(len(self.terms), 'term')}, {self.origin} ({hashlib.sha256(text.encode()).hexdigest()[:8]})"

    def texts(self, name: str) -> tuple[str, ...]:
        """What to encode for a name: itself and what it looks like; a name that is unknown as it is, alone."""
        term = self.term(name)
        if term is None:
            return (name,)
        foreign = word_key(name) in map(word_key, term.foreign)
        return tuple(dict.fromkeys((term.head if foreign else respell(name), *term.looks)))

    def term(self, name: str) -> Term | None:
        """The term that a name belongs to: case, plural, blanks, hyphens and British or American do not count."""
        return self._by_key.get(word_key(name))

    def is_head(self, name: str) -> bool:
        """Whether a term has this name as its own."""
        term = self.term(name)
        return term is not None and word_key(term.head) == word_key(name)

    @cached_property
    def _by_key(self) -> dict[str, Term]:
        return {word_key(word): term for term in self.terms for word in term.words}

    def extended(self, more: Sequence[Term], origin: str) -> Glossary:
        """With `more` terms, which win. One that names the head of a term here takes its place: the other words, and
        what it looks like where it does not say so itself. Other words that it names are taken from their terms.
        """
        claimed = {word_key(word) for term in more for word in term.words}
        kept, added = [], {term.head: term for term in more}
        owner = {word_key(word): term.head for term in more for word in term.words}
        for term in self.terms:
            also, foreign = (tuple(w for w in row if word_key(w) not in claimed) for row in (term.also, term.foreign))
            taker = owner.get(word_key(term.head))
            if taker is None:
                kept.append(replace(term, also=also, foreign=foreign))
                continue
            new = added[taker]
            added[taker] = Term(taker, new.also + also, new.foreign + foreign, new.looks or term.looks)
        return Glossary((*kept, *added.values()), f"{self.origin} + {origin}")
