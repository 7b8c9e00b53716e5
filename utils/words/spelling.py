"""When two class names say the same thing: case, blanks, underscores, hyphens, camel case and known misspellings."""

from __future__ import annotations

import re

# What MMIOC-1M's lists write differently in training and evaluation. Further names for a class, never replacements.
SPELLINGS = {"polyme": "polymer", "damged": "damaged", "lignum": "wood"}

# LiveKnot, PCBDefect; not LEDs, D0w0 or PCB
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_BLANKS = re.compile(r"[\s_-]+")


def normalize(name: str) -> str:
    """`LiveKnot`, `live_knot` and ` Live  knot` -> `live knot`. May be empty (`--`)."""
    return _BLANKS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()


def respell(name: str) -> str:
    """The normalised name with the known misspellings put right: `Polyme Dirty` -> `polymer dirty`."""
    return " ".join(SPELLINGS.get(word, word) for word in normalize(name).split(" "))
