"""Several questions in one text: where one ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from utils.asking.shared_words import distributed, is_head

_END = re.compile(r"[?？]+[!！]*|[;；\n\r\u2028\u2029]+|[。！!]+|(?<![\s.])\.+(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:^|[^\w])(?:approx|no|nr|num|max|min|ca|e\.g|i\.e|vs|incl|resp|fig|mr|dr|sq)$", re.IGNORECASE
)
_NUMBERING = re.compile(r"\s*(?:\(?\d{1,2}[.):、]|\(?[a-zA-Z][.)](?=\s)|[-*\u2022])\s*(?=\D)")
_VERBS = "count|list|describe|locate|measure|show|give|find|name|point|compare|rate|grade|classify|identify|mark|check"
_OPENER = (
    r"(?:is|are|was|were|does|do|did|can|could|has|have|how|what|what'?s|which|where|where'?s|whether|should|will|would"
    rf"|why|who|when|if (?:so|yes|any|there)|please|also|tell me"
    rf"|(?:{_VERBS}) (?:the|all|any|me|it|them|its|their|every|each|how|if))(?!\w)"
)
# "hole or crack, which one is bigger?" is one question
_TWO_THINGS = re.compile(rf"\s*(?!{_OPENER}).* (?:or|and) ", re.IGNORECASE)
_WHICH_OF_THEM = re.compile(
    r"(?:which|what)(?: one| of (?:them|the two))? (?:is|are|has) (?:the )?(?:\w+er|\w+est|more|most)(?: one)?\s*",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    rf"\s*,\s*(?:(?:and|but|then|so|plus)\s+)?(?:(?:also|then)\s+)?(?={_OPENER})"
    rf"|\s+(?:and|but|plus|&)\s+(?:(?:also|then)\s+)?(?={_OPENER})",
    re.IGNORECASE,
)
# What stands before a comma and is no question of its own: "in this picture, how many ..."
_LEAD = re.compile(
    r"\s*(?:in|on|at|for|within|inside|with|if|look|looking|regarding|about|of|given|from|concerning|hi|hello|hey"
    r"|please|ok|okay|well|so|and|dear|sorry|excuse|good|thanks|now|also|then|next|finally|lastly|first|second"
    r"|additionally|further|check|say|question|tell|top|bottom|upper|lower|left|right|centre|center)(?!\w)",
    re.IGNORECASE,
)
_CHINESE_JOIN = re.compile(
    r"(\s*[，,]\s*(?:(?:如果有的话|有的话|如果有|若有)[，,]?)?(?:并且|而且|以及|还有|同时|另外|然后|那么|和)?"
    r"|并且|而且|以及|还有|同时|另外|然后|和(?=有?(?:几|多少)[个条处]))"
)
_CHINESE_ASKS = re.compile(
    "吗|么|几|多少|哪|什么|有没有|有无|是否|是不是|多[大长宽高粗厚严]|描述|数一下|数数|列出|列举|找出|定位|标出|判定"
    "|合格|严重|有.+没有"
)
_YES_OR_NO = re.compile(r"(?<!\w)yes\s*(?:/|or|\s)\s*no(?!\w)", re.IGNORECASE)
_ONLY_SIGNS = re.compile(r"[\W\d_]*")


@dataclass(frozen=True)
class Part:
    """One question of a text: `text` as it was written, `words` to be read, and whether a question mark stood there."""

    text: str
    words: str
    asked: bool


def parts(text: str) -> Iterator[Part]:
    """The questions of `text` in their order, without what holds no letter."""
    for sentence, asked in _sentences(text):
        for clause in _clauses(sentence):
            clause = clause.strip()
            if not _ONLY_SIGNS.fullmatch(clause):
                for words in distributed(clause):
                    yield Part(clause, words, asked or bool(_YES_OR_NO.search(clause)))


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    start = 0
    for end in _END.finditer(text):
        if end.group()[0] == "." and _ABBREVIATION.search(text, start, end.start()):
            continue
        yield _without_number(text[start : end.start()]), end.group()[0] in "?？"
        start = end.end()
    yield _without_number(text[start:]), False


def _without_number(sentence: str) -> str:
    """`2) is there a crack` -> `is there a crack`."""
    match = _NUMBERING.match(sentence)
    return sentence[match.end() :] if match else sentence


def _clauses(sentence: str) -> Iterator[str]:
    start = 0
    for join in _CLAUSE.finditer(sentence):
        clause = sentence[start : join.start()]
        leads = join.group().lstrip().startswith(",") and _LEAD.match(clause)
        compared = _TWO_THINGS.match(clause) and _WHICH_OF_THEM.fullmatch(sentence, join.end())
        if clause.strip() and not leads and not compared and not is_head(clause.strip()):
            yield from _chinese_clauses(clause)
            start = join.end()
    yield from _chinese_clauses(sentence[start:])


def _chinese_clauses(clause: str) -> Iterator[str]:
    """`有裂纹吗，气泡有几个` in two; a piece that asks nothing stays with its neighbour."""
    pieces = _CHINESE_JOIN.split(clause)
    current = pieces[0]
    for join, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if _CHINESE_ASKS.search(current) and _CHINESE_ASKS.search(piece):
            yield current
            current = piece
        else:
            current += join + piece
    yield current
