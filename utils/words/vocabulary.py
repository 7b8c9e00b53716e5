"""What a detector looks for: class names, what else each may be called, and templates around a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from utils.words.spelling import normalize, respell
from utils.words.synonyms import check_names, check_templates, parse_prompts, read_synonyms

PLAIN = ("{}",)


@dataclass(frozen=True)
class Vocabulary:
    """Classes by name. Evaluation uses `names`; training draws one of `synonyms[i]`, whose first is `names[i]`.

    `templates` put a name into words, `{}` being its place; several are averaged by the text encoder's caller.
    `further` is what training says that is no name of a class, such as "defect" or "dark scratch".
    """

    names: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]
    templates: tuple[str, ...] = PLAIN
    further: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.names == tuple(row[0] for row in self.synonyms), "the first synonym is the name"
        check_templates(self.templates)

    @classmethod
    def from_lists(cls, synonyms: Sequence[Sequence[str]], templates: Sequence[str] = PLAIN) -> Vocabulary:
        """One checked list of equivalent names per class, the one used in evaluation first."""
        return cls(tuple(row[0] for row in synonyms), tuple(map(tuple, synonyms)), tuple(templates))

    @classmethod
    def from_names(cls, names: Sequence[str], templates: Sequence[str] = PLAIN, where: str = "names") -> Vocabulary:
        """The classes of a data set or checkpoint, each with its one name. Raises ConfigError naming `where`."""
        lists = [(name,) for name in names]
        check_names(lists, where, "class")
        return cls.from_lists(lists, templates)

    @classmethod
    def from_prompts(cls, text: str, templates: Sequence[str] = PLAIN) -> Vocabulary:
        """`crack, "dent, deep"`: names separated by commas. Raises ConfigError; see `parse_prompts`."""
        return cls.from_lists([(name,) for name in parse_prompts(text)], templates)

    @classmethod
    def from_json(cls, path: str | Path, templates: Sequence[str] = PLAIN) -> Vocabulary:
        """A JSON file of synonym lists in the order of the classes. Raises ConfigError; see `read_synonyms`."""
        return cls.from_lists(read_synonyms(path), templates)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def strings(self) -> tuple[str, ...]:
        """What to encode before training, each string once: the names in order, the other synonyms in order, what is
        said beside.
        """
        return tuple(dict.fromkeys((*self.names, *(name for row in self.synonyms for name in row), *self.further)))

    def with_spellings(self) -> Vocabulary:
        """Known misspellings put right as further synonyms, where no other class has that name."""
        taken = {normalize(name) for name in self.strings}
        rows = []
        for row in self.synonyms:
            further = []
            for name in row:
                better = respell(name)
                if better not in taken:  # as it is for a name without a misspelling
                    taken.add(better)
                    further.append(better)
            rows.append(row + tuple(further))
        return replace(self, synonyms=tuple(rows))
