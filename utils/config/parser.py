"""argparse without abbreviations, and the types of flags."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from utils.config.argv_repair import repair
from utils.config.refused_flags import REFUSED, refuse
from utils.console.log import LOG
from utils.words.errors import ConfigError

HOURS_PER = {"s": 1 / 3600, "m": 1 / 60, "h": 1.0, "": 1.0}


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations, whose errors are ConfigErrors that suggest the nearest flag."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog, description=description, allow_abbrev=False)
        self.add_argument("--debug", action="store_true", help="show tracebacks")

    def error(self, message: str) -> NoReturn:
        """Argparse's error as a ConfigError that suggests the nearest flag."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        unknown = [word for word in message.split(": ")[-1].split() if word.startswith("-")]
        near = []
        if message.startswith("unrecognized") and unknown:
            near = difflib.get_close_matches(unknown[0].split("=")[0], flags, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; see python {self.prog} --help"
        if message.startswith("unrecognized") and not unknown:
            hint = "; a name with blanks needs quotes"
        raise ConfigError(f"{self.prog}: {message}{hint}")

    def read(self, argv: Sequence[str] | None) -> dict[str, Any]:
        """Values by name, after the repairs of `argv_repair` and the refusals of `refused_flags`."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        # refused flags are repaired too, so that `refuse` recognises them
        words, notices = repair(sys.argv[1:] if argv is None else argv, {*flags, *REFUSED.get(self.prog, ())})
        for notice in notices:
            LOG.info(notice)
        refuse(words, self.prog)
        return vars(self.parse_args(words))


def number_or_name(word: str) -> int | str:
    """A row of a network: by number or by name."""
    return int(word) if word.removeprefix("-").isdecimal() else word


def megabytes(text: str) -> int:
    """A whole number of MiB, in bytes."""
    return whole_number(text) << 20


def hours(text: str) -> float:
    """`2`, `1.5h`, `30m` or `90s` as hours; a plain number means hours. Raises ConfigError."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smh]?)", text.strip().lower())
    if not found or not float(found[1]):
        raise ConfigError(f"--max-time {text}: must be hours such as 2 or 1.5, or have a unit: 90s, 30m, 2h")
    return float(found[1]) * HOURS_PER[found[2]]


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, got {text}")
    return value


def amount(text: str) -> float:
    """A finite number, 0 or more."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number from 0, got {text}")
    return value


def whole_number(text: str, least: int = 1) -> int:
    """A whole number, `least` or more."""
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text}")
    return value


def natural_number(text: str) -> int:
    """A whole number, 0 or more."""
    return whole_number(text, 0)


def several(text: str) -> int:
    """A whole number, 2 or more."""
    return whole_number(text, 2)
