"""A JSON file that a user wrote: read whole, with one line for what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from utils.words.errors import ConfigError, printable
from utils.words.regular_file import UnreadableFile, read_regular
from utils.words.text import shorten

MAX_BYTES = 64 << 20


def read_json(path: str | Path, what: str, twice: str, constant: Callable[[str], Any] | None = None) -> Any:
    """The content of a file of `what`. `twice`: what to do about a key that is there twice; `constant` is called with
    NaN and the infinities, which are no JSON, and may raise ValueError. Raises ConfigError, with the line of a syntax
    error.
    """
    place = printable(str(path))
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=lambda pairs: _table(pairs, place, twice), parse_constant=constant)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{place}:{error.lineno}: not JSON: {error.msg}") from error
    except UnreadableFile as error:
        raise ConfigError(f"{place}: {error}; give a JSON file of {what}") from error
    except (ValueError, RecursionError) as error:  # bytes that are no UTF-8, and numbers of thousands of digits
        raise ConfigError(f"{place}: not a JSON file of {what} in UTF-8") from error


def _table(pairs: list[tuple[str, Any]], place: str, twice: str) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ConfigError(f"{place}: '{shorten(key)}' is there twice; {twice}")
        table[key] = value
    return table
