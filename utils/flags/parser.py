"""argparse without abbreviations, and the types of flags."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from utils.config.ranges import Range
from utils.console.log import LOG
from utils.flags.argv_repair import repair
from utils.flags.idle_flags import refuse_idle
from utils.flags.refused_flags import REFUSED, refuse
from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean

MAY_BE_BLANK = ("--weights", "--device", "--text-encoder")  # as YOLOv5 writes their defaults: --weights ''
LONGEST_MESSAGE, LONGEST_VALUE = 400, 4096
LONGEST = {"--name": 200, "--prompts": 1 << 24}  # bytes: of a file name, less what is added to it; of words
HOURS_PER = {"s": 1 / 3600, "m": 1 / 60, "h": 1.0, "": 1.0}


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations, whose errors are ConfigErrors that suggest the nearest flag."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog, description=description, allow_abbrev=False)
        self.add_argument("--debug", action="store_true", help="show tracebacks")

    def error(self, message: str) -> NoReturn:
        """Argparse's error as a ConfigError that suggests the nearest flag."""
        unknown = [word for word in message.split(": ")[-1].split() if word.startswith("-")]
        hint = f"; see python {self.prog.removeprefix('python ')} --help"
        if message.startswith("unrecognized"):
            flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
            near = did_you_mean(unknown[0].split("=")[0], flags).replace("'", "") if unknown else ""
            hint = near or ("; a name with blanks needs quotes" if not unknown else hint)
        raise ConfigError(f"{self.prog}: {printable(message[:LONGEST_MESSAGE])}{hint}")

    def read(self, argv: Sequence[str] | None) -> dict[str, Any]:
        """Values by name, after the repairs of `argv_repair` and the refusals of `refused_flags` and `idle_flags`."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        # refused flags are repaired too, so that `refuse` recognises them
        words, notices = repair(sys.argv[1:] if argv is None else argv, {*flags, *REFUSED.get(self.prog, ())})
        for notice in notices:
            LOG.info(notice)
        refuse(words, self.prog)
        given = self._given(words)
        refuse_idle(self.prog, {name: typed for name, typed, _ in given}, {f"{name} {v}" for name, _, v in given})
        return vars(self.parse_args(words))

    def _given(self, words: Sequence[str]) -> list[tuple[str, str, str]]:
        """The flags on the command line: first name, as typed, and the word after it.

        Raises ConfigError for blanks, NULs and what no file can be called.
        """
        given = []
        nul = next((word for word in words if "\0" in word), None)
        if nul is not None:
            raise ConfigError(f"{self.prog}: '{printable(nul[:60])}' holds a NUL character; take it out")
        for place, word in enumerate(words):
            typed, equals, value = word.partition("=")
            action = self._option_string_actions.get(typed)
            if action is None:
                continue
            value = value if equals else words[place + 1] if place + 1 < len(words) else "nothing"
            name = action.option_strings[0]
            if action.nargs != 0 and not value.strip() and name not in MAY_BE_BLANK:
                raise ConfigError(f"{typed}: is blank; give it a value, or leave it out")
            most = LONGEST.get(name, LONGEST_VALUE)
            if action.nargs != 0 and len(value.encode("utf-8", "surrogatepass")) > most:
                raise ConfigError(f"{typed}: has {len(value):,} letters; at most {most:,} bytes are possible")
            given.append((name, typed, value))
        return given


def number_or_name(word: str) -> int | str:
    """A row of a network: by number or by name."""
    return int(word) if word.removeprefix("-").isdecimal() and len(word) < 10 else word


def megabytes(text: str) -> int:
    """A whole number of MiB, in bytes."""
    return Range(1, 1 << 20).whole(text) << 20


def hours(text: str) -> float:
    """`2`, `1.5h`, `30m` or `90s` as hours; a plain number means hours, 0 without end. Raises ConfigError."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smh]?)", text.strip().lower())
    if not found:
        raise ConfigError(
            f"--max-time {printable(text[:60])}: must be hours such as 2 or 1.5, have a unit (90s, 30m, 2h), or be 0"
        )
    return float(found[1]) * HOURS_PER[found[2]]
