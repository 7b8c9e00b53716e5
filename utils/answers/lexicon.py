"""What the classes are called in questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from utils.words.spelling import normalize, word_key


@dataclass(frozen=True)
class Lexicon:
    """The `names` (K,) of the classes, and for each class every word for it, `words` (K lists): synonyms, other
    languages. Case, plurals, blanks, hyphens and underscores do not count. The first `own` of them are what any defect
    means; the others were asked for by name.
    """

    names: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    own: int

    @classmethod
    def of(cls, names: Sequence[str], synonyms: Iterable[Sequence[str]] = (), own: int | None = None) -> Lexicon:
        """Every class by its name, and by each list of `synonyms` that holds a word for it; `own` None: all."""
        more: Mapping[str, list[str]] = _by_word(synonyms)
        words = (dict.fromkeys((name, *more.get(word_key(name), ()))) for name in names)
        return cls(tuple(names), tuple(tuple(row) for row in words), len(names) if own is None else own)

    def labels(self, phrase: str) -> tuple[int, ...]:
        """The classes that `phrase` names: those called so; else those whose name has all its words, as `knot` is in
        `live knot`. Empty: none.
        """
        if exact := self._by_key.get(word_key(phrase)):
            return tuple(exact)
        said = _parts(phrase)
        return tuple(k for k, row in enumerate(self._parts) if said and any(said <= parts for parts in row))

    def every_word(self) -> tuple[str, ...]:
        """All words for all classes."""
        return tuple(dict.fromkeys(word for row in self.words for word in row))

    @cached_property
    def _by_key(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for k, row in enumerate(self.words):
            for key in {word_key(word) for word in row} - {""}:
                found[key].append(k)
        return dict(found)

    @cached_property
    def _parts(self) -> list[list[frozenset[str]]]:
        return [[_parts(word) for word in row] for row in self.words]


def _by_word(synonyms: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in synonyms:
        for key in {word_key(word) for word in row} - {""}:
            found[key] += row
    return found


def _parts(phrase: str) -> frozenset[str]:
    """The words of a phrase, each as its key."""
    return frozenset(map(word_key, normalize(phrase).split(" "))) - {""}
