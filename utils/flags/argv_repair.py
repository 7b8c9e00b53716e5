"""Repairs command lines: those printed in IDFE-Net's README, and those pasted from a word processor or a web page.

Words in, words and notices out. Valid arguments stay as they are: dashes are repaired only before a known flag, and a
path only if it does not exist.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from utils.config.paths import CFG, nearby_yaml, yaml_as_given

YAML_FLAGS = {"--cfg": "models", "--data": "data", "--hyp": "train"}  # flag: folder in cfg
PATH_FLAGS = (*YAML_FLAGS, "--weights", "--source")
# Hyphens, en, em and horizontal dashes, minus signs: what editors and web pages make of "-".
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"


def repair(words: Sequence[str], known: Collection[str]) -> tuple[list[str], list[str]]:
    """The words as they were meant, and one notice for each change. `known` are the script's flags."""
    notices: list[str] = []
    with_flags = [_repair_dashes(word, known, notices) for word in words]
    return _repair_paths(with_flags, notices), notices


def _repair_dashes(word: str, known: Collection[str], notices: list[str]) -> str:
    """`--cfg` for `----cfg`, or for `cfg` after a Unicode dash; any other word as it is."""
    typed, equals, value = word.partition("=")
    plain = re.sub(f"[{DASHES}]", "-", typed)
    flag = "--" + plain.lstrip("-")
    # An ordinary `--cfg` or `-c` needs no repair; a plain word or an unknown flag must not be changed.
    if plain == typed and not plain.startswith("---") or not plain.startswith("-") or flag not in known:
        return word
    notices.append(f"{typed}: taken as {flag}")
    return flag + equals + value


def _repair_paths(words: Sequence[str], notices: list[str]) -> list[str]:
    """Join names with blanks that the shell split, and find YAMLs whose path is that of the authors' machine."""
    result: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if flag not in PATH_FLAGS or not (equals or rest) or (not equals and rest[0].startswith("-")):
            result.append(word)
            continue
        value = _find_yaml(flag, _join_blanks(flag, value if equals else rest.pop(0), rest, notices), notices)
        result += [f"{flag}={value}"] if equals else [flag, value]
    return result


def _join_blanks(flag: str, value: str, rest: list[str], notices: list[str]) -> str:
    """`value`, plus as many of the words after it (taken from `rest`) as it takes to name an existing file."""
    if _exists(flag, value) or _elsewhere(flag, value):
        return value
    name = value
    for count, word in enumerate(rest, 1):
        if word.startswith("-"):
            break
        name = f"{name} {word}"
        if _exists(flag, name) or _elsewhere(flag, name):
            del rest[:count]
            notices.append(f'{flag}: a name with blanks needs quotes; taken as {flag} "{name}"')
            return name
    return value


def _find_yaml(flag: str, value: str, notices: list[str]) -> str:
    """`value`, or if that does not exist, the path of the YAML that it probably means."""
    path = None if _exists(flag, value) else _elsewhere(flag, value)
    if path is None:
        return value
    if not path.is_relative_to(CFG):
        notices.append(f"{flag} {value}: no such file; taking {path}")
        return str(path)
    notices.append(f"{flag} {value}: no such file; taking {path.relative_to(CFG.parent)}")
    return path.name  # portable: looked up in cfg on every machine


def _exists(flag: str, value: str) -> bool:
    kind = YAML_FLAGS.get(flag)
    return not value or os.path.exists(value) or (kind is not None and yaml_as_given(value, kind) is not None)


def _elsewhere(flag: str, value: str) -> Path | None:
    kind = YAML_FLAGS.get(flag)
    return nearby_yaml(value, kind) if kind else None
