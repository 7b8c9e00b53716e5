"""An English question in one form: small letters, one blank between words, nothing polite, marks for what is known."""

from __future__ import annotations

import re
import unicodedata

from utils.english.amounts import take_amount
from utils.english.limits import mark_limits
from utils.english.politeness import without_politeness
from utils.english.things import mark_things
from utils.questions.known_names import KnownNames
from utils.questions.marks import FILTER, NAME, THING, Marks, Sentence, without_marks
from utils.questions.places import mark_places
from utils.questions.units import UNIT
from utils.words.spelling import normalize

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "`": "'", "\u00b4": "'", "\u00d7": "x", "\u2212": "-"})
_RANGE = re.compile(r"(?<=\d)\s*[-\u2010-\u2015~]\s*(?=\d)")
_DASH = re.compile(r"\s[-\u2010-\u2015]+\s")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})((?:,\d{3})+)(?![\d,])")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_SIGNS = (
    (re.compile(r"\b(\d+)\s?\+(?=\s)"), r"\1 or more"),
    (re.compile(r"≥|=\s*>|>\s*="), " >= "),
    (re.compile(r"≤|=\s*<|<\s*="), " <= "),
    (re.compile(r"\band\s*/\s*or\b|/"), " or "),
    (re.compile(r"[&+]"), " and "),
    (re.compile(r"#"), " number of "),
    (re.compile(r"\b(?:no|nr|num)\s*\.?\s+of\b|\bnumber of\s+of\b"), " number of "),
    (re.compile(r"[:\u2026]"), " , "),
    (re.compile(r"\^(?=[23])"), ""),
)
_BY_LARGEST = "(?:with|having|of|by) (?:the )?(?:largest|biggest|greatest|highest|maximum)"
_SHORT = (
    (r"(what|where|which|how|there|that|it|who|when|why|here)(?:'s|'re)", r"\1 is"),
    (r"(what|where|how|who|there)s", r"\1 is"),
    (r"(is|are|was|were|do|does|did|has|have|can|could|should|would|will)n'?t", r"\1 not"),
    (r"can'?t|cannot", "can not"),
    (r"won'?t", "will not"),
    (r"(i|you|we|they)'(?:d|ve|ll|re|m)", r"\1"),
    (r"(\w+)'s", r"\1"),
    (r"alright|all right|o\.? ?k\b\.?|okay|okey|okej", "ok"),
    (r"n\.? ?g\b\.?|n\.?o\.?k|n\.i\.o|nio", "ng"),
    (r"i\.o", "ok"),
    (r"surface areas?", "area"),
    (r"vs\.?|versus", "or"),
    (r"as well as", "and"),
    (rf"at least (?:one|an?|1)(?! {UNIT})", "a"),
    (r"(left|right|top|bottom|upper|lower) most", r"\1most"),
    (rf"{_BY_LARGEST} area", "that is largest"),
    (rf"{_BY_LARGEST} (?:length|size)", "that is longest"),
    (rf"{_BY_LARGEST} width", "that is widest"),
    (rf"{_BY_LARGEST} (?:score|confidence|probability|certainty)", "that is clearest"),
)
_WRITTEN = (*_SIGNS, *((re.compile(rf"\b(?:{short})\b"), full) for short, full in _SHORT))
_TOKEN = re.compile(rf"{NAME}|\d+(?:\.\d+)?|[^\W\d_]\w*|[<>]=?|[%,]")
_UNIT_WANTED = re.compile(
    rf"(?<![^ ])(?:measured |expressed |given )?(?:in|as)(?: a)?(?: units? of)? (?P<unit>{UNIT})"
    rf"(?: of {THING})?(?![^ ])"
    r"|(?<=\D )(?P<last>mm2?|px2?|cm2?|%)$"
)
_NUMERALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMERAL = re.compile(rf"(?<![^ ])(?P<word>{'|'.join(_NUMERALS)}|half an?|an?)(?= {UNIT})")
_TOGETHER = re.compile(r"(?<![^ ])(?:in total|altogether|together|in all|combined|in sum|overall)(?![^ ])")
_ASSURED = re.compile(r"(?P<said>(?:there|it|this|that|they|these|those) .+?) , (?:right|correct|true)")
_LEADING = re.compile(rf"(?P<filters>(?:{FILTER} )+)(?:, )?(?P<rest>.+)")


def english_sentence(text: str, names: KnownNames) -> Sentence:
    """One question as the rules read it. Raises MissingUnit."""
    marks = Marks()
    words = _words(text, names, marks)
    if assured := _ASSURED.fullmatch(words):  # there is a hole, right? says nothing of the right
        words = assured["said"]
    words, amount = take_amount(words)
    words = mark_limits(_NUMERAL.sub(_numeral, words), marks)
    words = mark_things(mark_places(words, marks), marks)
    wanted = _UNIT_WANTED.search(words)
    if wanted is not None:
        words = f"{words[: wanted.start()]} {words[wanted.end() :]}"
    together = bool(_TOGETHER.search(words))
    words = re.sub("^if ", "whether ", _turned(without_politeness(words)))
    unit = (wanted["unit"] or wanted["last"]) if wanted else ""
    return Sentence(words, marks, unit, together, amount)


def _words(text: str, names: KnownNames, marks: Marks) -> str:
    """Words, numbers and signs of comparison, with a blank between them."""
    text = without_marks(unicodedata.normalize("NFKC", text).translate(_QUOTES))
    text = names.mark(text, marks)
    text = _DASH.sub(" , ", _RANGE.sub(" to ", text))
    text = _THOUSANDS.sub(lambda match: match[1] + match[2].replace(",", ""), text)
    text = normalize(_DECIMAL_COMMA.sub(".", text))
    for written, read in _WRITTEN:
        text = written.sub(read, text)
    return " ".join(_TOKEN.findall(text))


def _numeral(match: re.Match[str]) -> str:
    word = match["word"]
    return str(_NUMERALS.index(word) + 1) if word in _NUMERALS else "0.5" if word.startswith("half") else "1"


def _turned(words: str) -> str:
    """`on the left, are there holes` -> the filters at the end, where nouns have them."""
    match = _LEADING.fullmatch(words)
    return f"{match['rest']} {match['filters'].strip()}" if match else words
