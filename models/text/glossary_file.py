"""A glossary as YAML, ours or a user's: read and checked. Which one a run uses."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from models.text.glossary import Glossary, Term
from utils.config.paths import CFG, find_yaml
from utils.words.spelling import word_key
from utils.words.synonyms import check_name
from utils.words.text import did_you_mean, shorten, shown
from utils.words.yamlio import Document, read_yaml

FILE = CFG / "text" / "glossary.yaml"
NONE, BUILT_IN = "none", "built-in"  # of model.glossary, beside a file
PARTS = ("also", "foreign", "looks")
EXAMPLE = "write `crazing: {also: [craze], looks: [a network of fine dark cracks]}`"


def find_glossary(choice: str, base: Glossary | None = None) -> Glossary | None:
    """The glossary that model.glossary names: NONE, BUILT_IN, or a file that extends `base` (None: the built-in one).

    Raises ConfigError with file and line.
    """
    if choice == NONE:
        return None
    if choice == BUILT_IN:
        return built_in()
    base = base or built_in()
    path = find_yaml(choice, "text", "--glossary")
    return base.extended(read_terms(path, base), path.name)


@lru_cache(maxsize=1)
def built_in() -> Glossary:
    """The terms of cfg/text/glossary.yaml, read once: that takes up to a second. Raises ConfigError."""
    return Glossary(read_terms(FILE), BUILT_IN)


def read_terms(path: Path, base: Glossary | None = None) -> tuple[Term, ...]:
    """The terms of a YAML file; what the terms of `base` look like need not be said again. Raises ConfigError with file
    and line: no map of terms, a word in two terms, an empty text, what is no text, an unknown part.
    """
    document = read_yaml(path)
    if not isinstance(document.data, dict) or not document.data:
        raise document.error(f"a glossary is a map of terms; {EXAMPLE}")
    terms: list[Term] = []
    owner: dict[str, str] = {}  # of each word the term
    for head in document.data:
        term = _term(document, head)
        if not term.looks and not (base and any(map(base.is_head, term.words))):
            raise document.error(f"{shown(term.head)} does not say what it looks like; {EXAMPLE}", head)
        for word in term.words:
            other = owner.setdefault(word_key(word), term.head)
            if other != term.head:
                twin = f"'{shorten(word)}' belongs to two terms, '{shorten(other)}' and '{shorten(term.head)}'"
                first = document.lines[(other,)]
                raise document.error(f"{twin}; the other is on line {first}; leave one out", head, *_place(term, word))
        terms.append(term)
    return tuple(terms)


def _place(term: Term, word: str) -> tuple[str, int] | tuple[()]:
    """Where in its term a word stands."""
    for part, words in (("also", term.also), ("foreign", term.foreign)):
        if word != term.head and word in words:
            return part, words.index(word)
    return ()


def _term(document: Document, head: str | int) -> Term:
    body = document.data[head]
    if not isinstance(head, str):
        raise document.error(f"a term must be text, got the number {head}; put it in quotes", head)
    if not isinstance(body, dict):
        raise document.error(f"{shown(head)} must have parts; {EXAMPLE}", head)
    for part in body:
        if part not in PARTS:
            near = did_you_mean(str(part), PARTS) or f"; parts are {', '.join(PARTS)}"
            raise document.error(f"{shown(head)} has an unknown part {shown(str(part))}{near}", head, part)
    _check(document, head, head)
    lists = [_texts(document, head, part) if part in body else () for part in PARTS]
    return Term(head, *lists)


def _texts(document: Document, head: str, part: str) -> tuple[str, ...]:
    listed = document.data[head][part]
    if not isinstance(listed, list):
        raise document.error(f"{part} must be a list of texts, got {shown(listed)}", head, part)
    for number, text in enumerate(listed):
        if not isinstance(text, str):
            advice = "put it in quotes" if isinstance(text, bool | int | float) else "write one text"
            raise document.error(f"{part} must hold texts, got {shown(text)}; {advice}", head, part, number)
        _check(document, text, head, part, number)
    return tuple(text.strip() for text in listed)


def _check(document: Document, text: str, *keys: str | int) -> None:
    """Raises ConfigError for a text that no encoder can read, or a word without a letter."""
    looks = keys[-2:-1] == ("looks",)
    check_name(text, f"{document.where(*keys)}: {'a text of looks' if looks else 'a name'}")
    if not looks and not word_key(text):
        raise document.error(f"'{shorten(text)}' is no name; leave it out", *keys)
