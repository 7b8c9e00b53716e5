"""Text that a user gives as class names, synonyms and templates: parsed and checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from utils.words.class_names import name_key
from utils.words.errors import ConfigError
from utils.words.json_file import read_json
from utils.words.text import shorten

LONGEST = 1000  # characters; text encoders read some 77 tokens

_CONTROL = {"Cc", "Cs", "Zl", "Zp"}  # control characters, lone surrogates, line and paragraph separators
# One prompt up to the next comma (a Chinese keyboard's too); in quotes it may hold commas, and "" stands for a quote.
_PROMPT = re.compile(r'(?:\s*+"(?P<quoted>(?:[^"]|"")*+)"\s*+|(?P<plain>[^",，]*+))(?P<end>[,，]|\Z)')


def parse_prompts(text: str, where: str = "--prompts") -> tuple[str, ...]:
    """`crack, "dent, deep", 气泡` -> its prompts, stripped and checked. Raises ConfigError naming `where`."""
    if not text.strip():
        raise ConfigError(f'{where} is empty; name what to look for, e.g. {where} "crack, oil stain"')
    prompts: list[str] = []
    position, more = 0, True
    while more:
        match = _PROMPT.match(text, position)
        if match is None:
            raise ConfigError(
                f'{where}: prompt {len(prompts) + 1}: a quotation mark must open and close a whole prompt, as in "a, b"'
            )
        quoted = match["quoted"]
        prompts.append((match["plain"] if quoted is None else quoted.replace('""', '"')).strip())
        position, more = match.end(), bool(match["end"])
    check_names([(prompt,) for prompt in prompts], where, "prompt", first=1)
    return tuple(prompts)


def read_synonyms(path: str | Path) -> tuple[tuple[str, ...], ...]:
    """Synonym lists of a JSON file, one per class, the name used in evaluation first.

    `[["crack", "fissure"], ["dust"]]` or `{"crack": ["fissure"], "dust": []}`. A name twice in one list counts once.
    Raises ConfigError with the line of a syntax error, else with the class's number, counted from 0.
    """
    content = read_json(path, "synonym lists", "merge its lists")
    if isinstance(content, dict):
        rows = [[name, *row] if isinstance(row, list) else row for name, row in content.items()]
    else:
        rows = content
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f'{path}: must be a list of synonym lists, e.g. [["crack", "fissure"], ["dust"]]')
    for number, row in enumerate(rows):
        if not isinstance(row, list) or not row or not all(isinstance(name, str) for name in row):
            raise ConfigError(f'{path}: class {number} must be a list of names, e.g. ["crack", "fissure"]')
    lists = [_once(name.strip() for name in row) for row in rows]
    check_names(lists, str(path), "class")
    return tuple(lists)


def check_names(lists: Sequence[Sequence[str]], where: str, noun: str, first: int = 0) -> None:
    """Every name is usable and belongs to one class only (case and number of blanks do not count).

    `noun` and `first` number the lists in messages. Raises ConfigError.
    """
    owner: dict[str, int] = {}
    for number, row in enumerate(lists, first):
        for name in row:
            check_name(name, f"{where}: {noun} {number}")
            if owner.setdefault(name_key(name), number) != number:
                raise ConfigError(
                    f"{where}: {noun} {owner[name_key(name)]} and {noun} {number} are both called '{shorten(name)}' "
                    "(case does not count); leave one out"
                )


def check_templates(templates: Sequence[str], where: str = "templates") -> None:
    """There is a template, none twice, each with one place for the name. Raises ConfigError."""
    if not templates:
        raise ConfigError(f"{where}: empty; the plain name is '{{}}'")
    for number, template in enumerate(templates):
        if template.count("{}") != 1:
            raise ConfigError(f"{where}: '{shorten(template)}' must hold {{}} once, e.g. 'a photo of {{}}'")
        if template in templates[:number]:
            raise ConfigError(f"{where}: '{shorten(template)}' is there twice; leave one out")
        check_name(template, where)


def check_name(name: str, where: str) -> None:
    """Raise ConfigError, which begins with `where`, for a text that no encoder can read."""
    if not name.strip():
        raise ConfigError(f"{where} is empty; give it a name or leave it out")
    if len(name) > LONGEST:
        raise ConfigError(f"{where} has {len(name):,} characters, at most {LONGEST:,} are possible: '{shorten(name)}'")
    if any(unicodedata.category(character) in _CONTROL for character in name):
        raise ConfigError(f"{where} holds control characters: '{shorten(name)}'; take them out")


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """The first of each name, in order."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(name_key(name), name)
    return tuple(kept.values())
