"""Limits in English: `longer than 2 mm`, `between 2 and 5 mm wide`, `of 20 px or more`, `with an area above 5 mm2`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from utils.questions.marks import FILTER, Filter, Marks
from utils.questions.question import Limit, Measure
from utils.questions.units import NUMBER, UNIT, limit

NOUNS = {
    **dict.fromkeys(("size", "sizes", "length", "lengths", "diameter", "diameters", "extent"), Measure.LENGTH),
    **dict.fromkeys(("dimension", "dimensions", "measurement", "measurements"), Measure.LENGTH),
    **dict.fromkeys(("width", "widths", "breadth", "thickness"), Measure.WIDTH),
    **dict.fromkeys(("height", "heights"), Measure.HEIGHT),
    **dict.fromkeys(("area", "areas", "surface area"), Measure.AREA),
}
ADJECTIVES = {
    **dict.fromkeys(("big", "large", "long", "small", "short", "huge", "tiny", "great"), Measure.LENGTH),
    **dict.fromkeys(("wide", "broad", "thick", "thin", "narrow", "fat"), Measure.WIDTH),
    **dict.fromkeys(("tall", "high", "low"), Measure.HEIGHT),
}
MORE = {
    **dict.fromkeys(("longer", "larger", "bigger", "greater", "more"), Measure.LENGTH),
    **dict.fromkeys(("wider", "broader", "thicker"), Measure.WIDTH),
    **dict.fromkeys(("taller", "higher"), Measure.HEIGHT),
}
LESS = {
    **dict.fromkeys(("shorter", "smaller", "less", "fewer"), Measure.LENGTH),
    **dict.fromkeys(("narrower", "thinner"), Measure.WIDTH),
    **dict.fromkeys(("lower",), Measure.HEIGHT),
}
_SIGNS = {
    **dict.fromkeys(("at least", "not under", "not below", "minimum", "min", "from", ">="), ">="),
    **dict.fromkeys(("at most", "not over", "not above", "up to", "not exceeding", "maximum", "max", "<="), "<="),
    **dict.fromkeys(("over", "above", "beyond", "exceed", "exceeds", "exceeding", ">"), ">"),
    **dict.fromkeys(("under", "below", "<"), "<"),
}
_OPPOSITE = {">": "<=", "<": ">="}


def any_of(words: Iterable[str]) -> str:
    """A pattern of the words, longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_COMPARED, _SIGNED = any_of([*MORE, *LESS]), any_of(_SIGNS)
_LEAD = (
    "(?:(?:but|that|which|with|having|of|measuring|whose|being|is|are|has|have|measures?|extends?|reach|reaches|spans?"
    "|covers?|covering|by) ){0,4}"
)
_NOUN = rf"(?:(?:a |an |the |its |their )?(?P<noun>{any_of(NOUNS)}) (?:(?:that|which|of|is|are|being) ){{0,3}})?"
_TAIL = (
    rf"(?: (?:(?:in|of) (?P<tail>{any_of(NOUNS)})|(?P<adjective>{any_of(ADJECTIVES)}|across|in size)|each)(?![^ ]))?"
)
# A number without a unit is a limit only where no noun follows that it could count.
_END = rf"(?= ?$| (?:{FILTER}|is|are|and|or|but|,|in|on|at|there|{any_of(ADJECTIVES)})(?![^ ]))"
_UNIT = rf"(?: (?P<unit>{UNIT})|{_END})"
_BELOW = re.compile(
    rf"(?<![^ ]){_LEAD}{_NOUN}(?P<comparison>(?:(?:no|not) )?(?:{_COMPARED})(?: than(?: or equal to)?)?|{_SIGNED})"
    rf"(?: (?:about|around|approx|approximately|roughly|ca|circa|some))? (?P<number>{NUMBER}){_UNIT}{_TAIL}(?![^ ])"
)
_OR_MORE = re.compile(
    rf"(?<![^ ]){_LEAD}{_NOUN}(?P<number>{NUMBER}) (?P<unit>{UNIT})(?: (?:{any_of(ADJECTIVES)}))? "
    rf"(?:or|and) (?P<comparison>{_COMPARED}|above|over|up|upwards|below|under)(?! than){_TAIL}(?![^ ])"
)
_BETWEEN = re.compile(
    rf"(?<![^ ]){_LEAD}{_NOUN}(?:between |from )?(?P<number>{NUMBER})(?: (?:{UNIT}))? (?:and|to) (?P<second>{NUMBER})"
    rf" (?P<unit>{UNIT}){_TAIL}(?![^ ])"
)


def mark_limits(words: str, marks: Marks) -> str:
    """`words` with a mark for each limit. Raises MissingUnit."""
    words = _BETWEEN.sub(lambda match: marks.add_filter(Filter(limits=_between(match))), words)
    words = _OR_MORE.sub(lambda match: marks.add_filter(Filter(limits=(_or_more(match),))), words)
    return _BELOW.sub(lambda match: marks.add_filter(Filter(limits=(_below(match),))), words)


def _measure(match: re.Match[str], compared: Measure = Measure.LENGTH) -> Measure:
    """What is limited: a noun or adjective says it more exactly than `larger` does."""
    noun = match["noun"] or match["tail"]
    if noun:
        return NOUNS[noun]
    return ADJECTIVES.get(match["adjective"] or "", compared)


def _between(match: re.Match[str]) -> tuple[Limit, Limit]:
    measure, unit = _measure(match), match["unit"]
    return limit(measure, ">=", match["number"], unit), limit(measure, "<=", match["second"], unit)


def _or_more(match: re.Match[str]) -> Limit:
    word = match["comparison"]
    sign = "<=" if word in LESS or word in ("below", "under") else ">="
    return limit(_measure(match, {**MORE, **LESS}.get(word, Measure.LENGTH)), sign, match["number"], match["unit"])


def _below(match: re.Match[str]) -> Limit:
    comparison = match["comparison"]
    sign, compared = _SIGNS.get(comparison), Measure.LENGTH
    if sign is None:
        word = next(word for word in comparison.split(" ") if word not in ("no", "not"))
        sign, compared = (">", MORE[word]) if word in MORE else ("<", LESS[word])
        sign = _OPPOSITE[sign] if comparison.startswith("no") else sign
    if comparison.endswith("equal to"):
        sign = f"{sign[0]}="
    return limit(_measure(match, compared), sign, match["number"], match["unit"])
