"""How scores are read, in thresholds.yaml under `answers`:

answers:
  box: [1.12, -0.31]                    # slope and offset of the odds that a detection is right
  any: {no_below: 0.05, yes_from: 0.41, counts_from: 0.3, odds: [1.3, 0.9]}
  classes:
    "bubble": {no_below: 0.08, yes_from: 0.35, counts_from: 0.22, odds: [1.2, 0.4]}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from utils.answers.lexicon import Lexicon
from utils.answers.odds import DIGITS, Odds
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.deciding.threshold_file import ANSWERS
from utils.deciding.thresholds import NEVER
from utils.values.unknown_defect import UNKNOWN
from utils.words.class_names import name_key
from utils.words.errors import printable
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import Document, Key, read_yaml

_LIMITS = ("no_below", "yes_from", "counts_from")
_ORDER = f"must be 0 <= no_below <= yes_from <= 1, yes_from above 0 (or {NEVER}: never), and counts_from within 0..1"
_FORM = "must read like {no_below: 0.05, yes_from: 0.41, counts_from: 0.3, odds: [1.3, 0.9]}"


def reading_text(reading: ScoreReading, names: Sequence[str]) -> str:
    """The lines of the file."""
    lines = [f"{ANSWERS}:  # how detect.py --ask reads scores: below no_below none, from yes_from on one"]
    if reading.box is not None:
        lines.append(f"  box: {_odds_text(reading.box)}")
    if reading.some is not None:
        lines.append(f"  any: {_class_text(reading.some)}")
    lines.append("  classes:")
    for name, one in zip(names, reading.classes, strict=True):
        quoted = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=10**9).rstrip("\n")
        lines.append(f"    {quoted}: {_class_text(one)}")
    return "\n".join(lines) + "\n"


def _class_text(one: ClassReading) -> str:
    limits = ", ".join(f"{key}: {float(getattr(one, key))!r}" for key in _LIMITS)
    return f"{{{limits}{'' if one.odds is None else f', odds: {_odds_text(one.odds)}'}}}"


def _odds_text(odds: Odds) -> str:
    return f"[{odds.slope:.{DIGITS}g}, {odds.offset:.{DIGITS}g}]"


def checked_reading(path: str, lexicon: Lexicon, thresholds: Sequence[float], conf: float) -> ScoreReading:
    """How a file says that scores are to be read, for the classes of `lexicon`, with these `thresholds` (K,) of the
    verdict. A class that it says nothing of is read by its threshold, or from `conf` on where that is NEVER; nothing
    tells what its scores are worth then. Raises ConfigError with file and line.
    """
    document = read_yaml(path)
    given = document.data.get(ANSWERS, {"classes": {}}) if isinstance(document.data, dict) else {}
    if not isinstance(given, dict) or not {"classes"} <= given.keys() <= {"any", "classes", "box"}:
        raise document.error(f"`{ANSWERS}` has the keys classes, and any and box where they are known", ANSWERS)
    if not isinstance(given["classes"], dict):
        raise document.error("`classes` must have a row for each class", ANSWERS, "classes")
    rows = _rows(document, given["classes"], lexicon)
    classes = []
    for name, threshold in zip(lexicon.names, thresholds, strict=True):
        key, row = rows.get(name_key(name), (name, None))
        at = ClassReading.at(conf if threshold >= NEVER else threshold)
        classes.append(at if row is None else _class(document, row, "classes", key))
    # the figures of some defect whatever are those of the named classes
    some = _class(document, given["any"], "any") if "any" in given and UNKNOWN not in lexicon.names else None
    box = _odds(document, given["box"], "box") if "box" in given else None
    return ScoreReading(tuple(classes), some, tuple(thresholds), box, lexicon.own)


def _rows(document: Document, given: dict[Key, Any], lexicon: Lexicon) -> dict[str, tuple[Key, Any]]:
    """By what makes two names the same: how it is written, and the row."""
    known, rows = {UNKNOWN, *map(name_key, lexicon.names)}, {}
    for name, row in given.items():
        key = name_key(str(name))
        if key not in known:
            near = did_you_mean(str(name), lexicon.names) or f"; there are: {', '.join(lexicon.names)}"
            raise document.error(printable(f"unknown class '{name}'{near}"), ANSWERS, "classes", name)
        if key in rows:
            raise document.error(f"class '{printable(str(name))}' appears twice; remove one", ANSWERS, "classes", name)
        rows[key] = (name, row)
    return rows


def _class(document: Document, row: Any, *where: Key) -> ClassReading:
    if not isinstance(row, dict) or not set(_LIMITS) <= row.keys() <= {*_LIMITS, "odds"}:
        raise document.error(_FORM, ANSWERS, *where)
    values = [_number(document, row[key], *where, key) for key in _LIMITS]
    low, high, counts = values
    if not 0 <= low <= high or not (0 < high <= 1 or high == NEVER) or not (low <= 1 and 0 <= counts <= 1):
        raise document.error(_ORDER, ANSWERS, *where)
    odds = _odds(document, row["odds"], *where, "odds") if "odds" in row else None
    return ClassReading(low, high, counts, odds)


def _odds(document: Document, given: Any, *where: Key) -> Odds:
    if not isinstance(given, list) or len(given) != 2:
        raise document.error("odds are two numbers, [slope, offset]", ANSWERS, *where)
    slope, offset = (_number(document, value, *where) for value in given)
    if slope < 0:
        raise document.error("a slope below 0 would take a surer thing for a less likely one", ANSWERS, *where)
    return Odds(slope, offset)


def _number(document: Document, value: Any, *where: Key) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else float("nan")
    except ValueError:
        number = float("nan")
    if not abs(number) <= 1e6:
        raise document.error(f"must be a number, not {shown(value)}", ANSWERS, *where)
    return number  # YAML reads 1e-05 as a word
