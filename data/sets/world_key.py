"""The key `world` of a data YAML: training pictures that are drawn when they are needed.

    world:
      count: 100000            # pictures to train on in an epoch
      val: 500                 # others, to validate on
      size: 320                # their sides, px
      seed: 0                  # another seed is another world
      mix: kinds               # or closed, open, ...: see data/world/mixes.py
      backgrounds: good-parts  # optional, beside this file or absolute: pictures that defects are drawn on

It stands alone, and every key of it may be left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.world.drawn_world import DrawnWorld
from data.world.mixes import MIXES
from utils.words.errors import UserError, printable
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import Document

NUMBERS = {"count": (1, 100_000_000), "val": (1, 1_000_000), "size": (96, 2048), "seed": (0, 2**63 - 1)}


def read_world(document: Document) -> DrawnWorld:
    """What `world` says. Raises ConfigError with file and line, DataError for backgrounds that are not there."""
    for key in document.data:
        if key != "world":
            raise document.error(f"'{printable(str(key))}' has no meaning beside 'world', which draws everything", key)
    table = document.data["world"]
    if not isinstance(table, dict):
        raise document.error(f"'world' holds keys, e.g. world: {{count: 100000}}, not {shown(table)}", "world")
    values: dict[str, Any] = {key: _value(document, key, value) for key, value in table.items()}
    world = DrawnWorld(**values)
    try:
        world.check()
    except UserError as error:
        raise type(error)(f"{document.where('world', 'backgrounds')}: {error}") from error
    return world


def _value(document: Document, key: Any, value: Any) -> int | str | Path:
    """What a key of `world` says, checked."""
    known = (*NUMBERS, "mix", "backgrounds")
    if key in NUMBERS:
        low, high = NUMBERS[key]
        if type(value) is not int or not low <= value <= high:
            raise document.error(
                f"'{key}' is a whole number from {low:,} to {high:,}, not {shown(value)}", "world", key
            )
        return value
    if key == "mix":
        if value not in MIXES:
            near = did_you_mean(str(value), MIXES)
            raise document.error(f"'mix' is {' or '.join(MIXES)}, not {shown(value)}{near}", "world", key)
        return str(value)
    if key == "backgrounds":
        if not isinstance(value, str) or not value.strip():
            raise document.error(f"'backgrounds' is a folder, not {shown(value)}", "world", key)
        return document.path.absolute().parent / value
    near = did_you_mean(str(key), known) or f"; known are {', '.join(known)}"
    raise document.error(f"unknown key '{printable(str(key)[:60])}' of 'world'{near}", "world", key)
