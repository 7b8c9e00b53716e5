"""Units of lengths and areas, as people write them."""

from __future__ import annotations

import re

from utils.questions.question import Limit, Measure

# How a unit of length is written, what it becomes, and how many of that it is. Micro is a Greek letter after NFKC.
_LENGTHS = (
    ("pixels?|pixs?|pxs?", "px", 1.0),
    ("mms?|millimet(?:er|re)s?|millis?", "mm", 1.0),
    ("cms?|centimet(?:er|re)s?", "mm", 10.0),
    ("[μu]ms?|microns?|micromet(?:er|re)s?", "mm", 0.001),
    ("met(?:er|re)s?|m", "mm", 1000.0),
    ("inch(?:es)?", "mm", 25.4),
)
_PERCENT = "%|percents?|per cent|pct"
_SQUARE = re.compile("squared?|sq|[ 2]")
NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
# Words with one blank between them; NFKC makes 2 of ².
UNIT = (
    rf"(?:(?:squared? |sq )?(?:{'|'.join(pattern for pattern, *_ in _LENGTHS)})2?(?: (?:squared?|sq|2)(?![^ ]))?"
    rf"|{_PERCENT})(?![^ ])"
)


class MissingUnit(ValueError):
    """A limit is a bare number: `longer than 5`."""


def unit_and_factor(written: str) -> tuple[str, float]:
    """`cm` -> mm, 10: the unit of `question.UNITS`, and how many of it make one of what is `written` (as by UNIT)."""
    if re.fullmatch(_PERCENT, written):
        return "%", 1.0
    base = _SQUARE.sub("", written)
    unit, factor = next((unit, factor) for pattern, unit, factor in _LENGTHS if re.fullmatch(pattern, base))
    return (f"{unit}2", factor**2) if _SQUARE.search(written) else (unit, factor)


def limit(measure: Measure, sign: str, number: str, written: str) -> Limit:
    """A limit of `number` of a unit as it is `written`; an area's unit makes it one of area. Raises MissingUnit."""
    if not written:
        raise MissingUnit
    unit, factor = unit_and_factor(written)
    if unit in ("px", "mm"):
        unit, factor = (f"{unit}2", factor**2) if measure is Measure.AREA else (unit, factor)  # an area above 5 mm
    else:
        measure = Measure.AREA
    return Limit(measure, sign, round(float(number) * factor, 9), unit)


def wanted_unit(written: str, measure: Measure) -> tuple[str, Measure]:
    """The unit that is asked for and the measure it fits: a length in mm2 is an area, an area in mm is in mm2."""
    if not written:
        return "", measure
    unit, _ = unit_and_factor(written)
    if unit in ("px", "mm"):
        return (f"{unit}2" if measure is Measure.AREA else unit), measure
    return unit, Measure.AREA
