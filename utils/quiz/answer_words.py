"""One spelling for each answer, however people write it: words, places, numbers with units."""

from __future__ import annotations

import re
import unicodedata
from math import floor, log10

from utils.values.answer import NO, NONE, YES
from utils.values.verdict import Verdict

PLACES = ("upper left", "top", "upper right", "left", "centre", "right", "lower left", "bottom", "lower right")
OK, NG = str(Verdict.OK), str(Verdict.NG)

_SAME = {
    **dict.fromkeys(("yes", "是", "是的", "有"), YES),
    **dict.fromkeys(("no", "否", "不", "不是", "没有", "无"), NO),
    **dict.fromkeys(("none", "nothing", "no defect", "no defects", "无缺陷", "没有缺陷"), NONE),
    **dict.fromkeys(("ok", "good", "pass", "合格", "良品"), OK),
    **dict.fromkeys(("ng", "bad", "fail", "不合格", "不良品"), NG),
}
_CHINESE_PLACES = {
    **dict(zip(("左上", "上", "右上", "左", "中", "右", "左下", "下", "右下"), PLACES, strict=True)),
    **dict.fromkeys(("中间", "中央", "中心"), "centre"),
}
_PLACE_WORDS = {"center": "centre", "middle": "centre", "central": "centre", "upper": "top", "lower": "bottom"}
_AROUND_PLACE = re.compile(r"^(?:(?:it is )?(?:in|at|on|near|to) )?(?:the )?|(?: (?:corner|side|part|area|region))?$")
_ENDING = ".!;:,。！；，"
_BEGINS = re.compile(r"(yes|no)[.,;:]")  # "No. It is flawless."; "no defect" is another word
_UNITS: dict[str, str] = {
    **dict.fromkeys(("px", "pixel", "pixels", "像素"), "px"),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters", "毫米"), "mm"),
    **dict.fromkeys(("%", "percent", "per cent"), "%"),
    "": "",
}
_QUANTITY = re.compile(
    r"(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?) ?"
    rf"(?:(?P<square>square |平方)?(?P<unit>{'|'.join(sorted(filter(None, _UNITS), reverse=True))})(?P<power>\^?2)?)?"
)
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def canonical(text: str) -> str:
    """The word of Answer.answer that `text` means: `Yes.` -> `yes`, `In the top left corner` -> `upper left`; else
    `text` itself with one blank between words, without case and a full stop.
    """
    word = _folded(text)
    if begins := _BEGINS.match(word):
        word = begins[1]
    return _SAME.get(word) or place_word(word) or word


def place_word(text: str) -> str:
    """The word of the 3 x 3 grid that `text` means, in lower case; "": none."""
    bare = text.removesuffix("角").removesuffix("侧").removesuffix("方")
    if bare in _CHINESE_PLACES:
        return _CHINESE_PLACES[bare]
    words = [_PLACE_WORDS.get(word, word) for word in _AROUND_PLACE.sub("", text).replace("-", " ").split()]
    if len(words) == 2 and words[0] in ("top", "bottom"):
        words[0] = "upper" if words[0] == "top" else "lower"
    place = " ".join(words)
    return place if place in PLACES else ""


def quantity(text: str) -> tuple[float, str] | None:
    """`34 px` -> (34.0, "px"), `three` -> (3.0, ""); units px, px2, mm, mm2, %. None where `text` is no number."""
    word = _folded(text)  # px² becomes px2
    if word in _NUMBERS:
        return float(_NUMBERS.index(word)), ""
    match = _QUANTITY.fullmatch(word)
    if match is None:
        return None
    squared = "2" if match["square"] or match["power"] else ""
    return float(match["number"].replace(",", "")), _UNITS[match["unit"] or ""] + squared


def in_words(number: float, unit: str) -> str:
    """`34 px`, `3.4 mm`, `0.0125 %`, `3`: three digits, never fewer than the whole number has."""
    decimals = max(2 - floor(log10(abs(number))), 0) if number else 0
    digits = f"{number:.{decimals}f}"
    if decimals:
        digits = digits.rstrip("0").rstrip(".")
    return f"{digits} {unit}".strip()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(_ENDING).strip()
