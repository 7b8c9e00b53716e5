"""What is understood before the grammar runs stands in the words as one character each, so that no rule can cut it up:
names of classes, filters (limits, places), and things that are looked at (the part, this picture).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from utils.questions.question import Amount, Limit, Place

# Of Unicode's private use, of which no keyboard has a key; as many each as a text may have characters.
_NAME, _FILTER, _THING, _EACH = 0xE000, 0xE400, 0xE800, 0x400
NAME, FILTER, THING = (f"[{chr(first)}-{chr(first + _EACH - 1)}]" for first in (_NAME, _FILTER, _THING))
_TO_BLANKS = dict.fromkeys(range(_NAME, _THING + _EACH), " ")


@dataclass(frozen=True)
class Filter:
    """Limits or a place; neither of "here" and "in the picture", which say nothing."""

    limits: tuple[Limit, ...] = ()
    place: Place | None = None


@dataclass(frozen=True)
class Name:
    """A known class `name`, and how the user wrote it."""

    written: str
    name: str


@dataclass
class Marks:
    """What each mark of a text stands for."""

    names: list[Name] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    things: list[str] = field(default_factory=list)

    def add_name(self, name: Name) -> str:
        """The mark for it."""
        self.names.append(name)
        return chr(_NAME + len(self.names) - 1)

    def add_filter(self, found: Filter) -> str:
        """The mark for it."""
        self.filters.append(found)
        return chr(_FILTER + len(self.filters) - 1)

    def add_thing(self, words: str) -> str:
        """The mark for it."""
        self.things.append(words)
        return chr(_THING + len(self.things) - 1)

    def name(self, word: str) -> Name | None:
        """What `word` stands for, if it is the mark of a name."""
        return self.names[ord(word) - _NAME] if _is_mark(word, _NAME) else None

    def filter(self, word: str) -> Filter | None:
        """What `word` stands for, if it is the mark of a filter."""
        return self.filters[ord(word) - _FILTER] if _is_mark(word, _FILTER) else None

    def thing(self, word: str) -> str | None:
        """What `word` stands for, if it is the mark of a thing."""
        return self.things[ord(word) - _THING] if _is_mark(word, _THING) else None


def _is_mark(word: str, first: int) -> bool:
    return len(word) == 1 and first <= ord(word) < first + _EACH


def without_marks(text: str) -> str:
    """`text` with a blank for each character that could be taken for a mark."""
    return text.translate(_TO_BLANKS)


@dataclass(frozen=True)
class Sentence:
    """A question as the rules read it: its `words`, the `unit` that it wants, whether it wants several things taken as
    one (`together`), and the `amount` that it asks for, which stands in its words no more.
    """

    words: str
    marks: Marks
    unit: str = ""
    together: bool = False
    amount: Amount | None = None

    def with_words(self, words: str) -> Sentence:
        """The same with other words."""
        return replace(self, words=words)
