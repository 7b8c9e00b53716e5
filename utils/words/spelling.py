"""When two class names say the same thing: case, blanks, underscores, hyphens, camel case and known misspellings."""

from __future__ import annotations

import re
import unicodedata

# What MMIOC-1M's lists write differently in training and evaluation. Further names for a class, never replacements.
SPELLINGS = {"polyme": "polymer", "damged": "damaged", "lignum": "wood"}

# LiveKnot, PCBDefect; not LEDs, D0w0 or PCB
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_BLANKS = re.compile(r"[\s_-]+")
# British parts of words and the American ones
AMERICAN = {
    **{"colour": "color", "grey": "gray", "fibre": "fiber", "mould": "mold", "alumini": "alumin", "tyre": "tire"},
    **{"centre": "center", "sulph": "sulf", "vapour": "vapor", "ageing": "aging", "artefact": "artifact"},
    **{"isation": "ization", "oxidis": "oxidiz", "crystallis": "crystalliz", "carbonis": "carboniz", "vell": "vel"},
}


def normalize(name: str) -> str:
    """`LiveKnot`, `live_knot` and ` Live  knot` -> `live knot`. May be empty (`--`)."""
    return _BLANKS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()


def respell(name: str) -> str:
    """The normalised name with the known misspellings put right: `Polyme Dirty` -> `polymer dirty`."""
    return " ".join(SPELLINGS.get(word, word) for word in normalize(name).split(" "))


def word_key(name: str) -> str:
    """What is the same however a name is written: case, blanks, underscores, hyphens, plurals, British or American.

    `Mouse-bites`, `mousebite` -> `mousebite`. May be empty (`--`). For looking up, not for reading: plurals are cut off
    by their endings, so that some words lose a letter.
    """
    words = respell(unicodedata.normalize("NFKC", name)).casefold().split(" ")
    key = "".join(map(_singular, words))
    for british, american in AMERICAN.items():
        key = key.replace(british, american)
    return key


def _singular(word: str) -> str:
    if len(word) < 4 or not word.isascii() or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[: -2 if word.endswith(("ches", "shes", "xes", "sses")) else -1]
