"""Counts that a question asks for: `are there at least two holes?`, `is the number of scratches above 3?`."""

from __future__ import annotations

import re

from utils.english.limits import ADJECTIVES, NOUNS, any_of
from utils.questions.question import Amount
from utils.questions.units import UNIT

_SIGNS = {
    **dict.fromkeys(
        (
            "at least",
            "a minimum of",
            "minimum of",
            "no fewer than",
            "no less than",
            "not fewer than",
            "not less than",
            ">=",
        ),
        ">=",
    ),
    **dict.fromkeys(("at most", "a maximum of", "maximum of", "up to", "no more than", "not more than", "<="), "<="),
    **dict.fromkeys(("more than", "over", ">"), ">"),
    **dict.fromkeys(("fewer than", "less than", "under", "<"), "<"),
    **dict.fromkeys(("exactly", "precisely", "just", "only"), "="),
}
_OF_NUMBERS = {
    **_SIGNS,
    **dict.fromkeys(("greater than", "higher than", "larger than", "bigger than", "above", "exceed", "exceeds"), ">"),
    **dict.fromkeys(("lower than", "smaller than", "below"), "<"),
    **dict.fromkeys(("equal to", "equal"), "="),
}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = rf"(?:{'|'.join(_WORDS)}|\d{{1,6}})"
# a noun follows: no unit, nothing that ends a limit, no kinds, which are no things
_KINDS = r"(?:(?:different|distinct) )?(?:kinds?|types?|sorts?|class|classes|categor(?:y|ies))"
_NO_NOUN = "|".join(("is", "are", "and", "or", "but", "in", "on", "at", "there", "times", _KINDS))
_NOUN = rf"(?= (?!{UNIT})(?!(?:{_NO_NOUN})(?![^ ]))(?!(?:{'|'.join(ADJECTIVES)})$)[^\W\d])"
_BEFORE = re.compile(
    rf"(?<![^ ])(?:(?P<sign>{any_of(_SIGNS)}) (?P<number>{_NUMBER})|(?P<least>{_NUMBER}) or (?P<more>more|fewer|less))"
    rf"{_NOUN}"
)
# bubbles > 3? but not length > 3, which wants a unit
_BARE = re.compile(
    rf"(?P<what>(?!(?:is|are|do|does|how|what|which|where) )(?:(?!(?:{'|'.join(NOUNS)})(?![^ ]))[^<>= ]+ ){{1,4}})"
    rf"(?P<sign>[<>]=?) (?P<number>{_NUMBER})"
)
# are there two cracks? says how many; is there one crack? does not
_PLAIN = re.compile(
    rf"^(?P<start>(?:is|are|do|does|did|can|could|has|have|whether) (?:.* )?"
    rf"(?:there|see|have|has|got|find|detect|spot|contain|show) )(?P<number>(?!(?:zero|one|0|1) ){_NUMBER}){_NOUN}"
)
_SEVERAL = re.compile(r"^(?P<start>(?:is|are|do|does|can|has|have) .*?)(?<![^ ])(?:several|multiple|a couple of) ")
_OF_NUMBER = re.compile(
    rf"(?P<start>.*?)(?<![^ ])(?:is|are|whether|does|do|did) (?:the )?(?:number|count|amount) of (?P<what>.+?)"
    rf"(?: (?:is|are|being))? (?P<sign>{any_of(_OF_NUMBERS)}) (?P<number>{_NUMBER})"
)


def take_amount(words: str) -> tuple[str, Amount | None]:
    """A question for so many -> the same for any, and how many. None where it asks for no number, or for two."""
    if match := _OF_NUMBER.fullmatch(words):
        amount = Amount(_OF_NUMBERS[match["sign"]], _value(match["number"]))
        return f"{match['start']}are there {match['what']}", amount
    words = _PLAIN.sub(r"\g<start>exactly \g<number>", words)
    if match := _BARE.fullmatch(words):
        return f"are there {match['what'].strip()}", Amount(_SIGNS[match["sign"]], _value(match["number"]))
    words = _SEVERAL.sub(r"\g<start>more than one ", words)
    found = list(_BEFORE.finditer(words))
    if len(found) != 1:
        return words, None
    (match,) = found
    sign = _SIGNS[match["sign"]] if match["sign"] else ">=" if match["more"] == "more" else "<="
    amount = Amount(sign, _value(match["number"] or match["least"]))
    return " ".join(f"{words[: match.start()]} {words[match.end() :]}".split()), amount


def _value(word: str) -> int:
    return _WORDS.index(word) if word in _WORDS else int(word)
