"""How questions are worded, in English and Chinese, and how class names and places are put into them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from utils.questions.question import Measure
from utils.quiz.answer_words import PLACES
from utils.words.spelling import normalize, word_key

# {name}, {names} and {a}: what is asked about; {other}, {others}: the second of a comparison; {the}: "the largest" or,
# of only one, "the"; {unit}: " in mm" or nothing
PRESENCE = (
    "Is there {a}?",
    "Are there any {names}?",
    "Is there any {name} in the picture?",
    "Can you see {a} here?",
    "Does the picture show {a}?",
    "有没有{name}?",
    "图中有{name}吗?",
    "是否存在{name}?",
)
PRESENCE_IN_PLACE = (
    "Is there {a} {place}?",
    "Are there any {names} {place}?",
    "Can you see any {names} {place}?",
    "{place}有没有{name}?",
)
PRESENCE_LONGER = (
    "Is there {a} longer than {limit}?",
    "Are there any {names} longer than {limit}?",
    "有没有长于{limit}的{name}?",
)
PRESENCE_SO_MANY = (
    "Are there at least {limit} {names}?",
    "Can you see at least {limit} {names}?",
    "至少有{limit}个{name}吗?",
)
CLASS = (
    "Which defects are there?",
    "What defects can be seen in the picture?",
    "What is wrong here?",
    "What kinds of defects are there?",
    "有哪些缺陷?",
    "图中有什么缺陷?",
)
COUNT = (
    "How many {names} are there?",
    "How many {names} can you see?",
    "What is the number of {names}?",
    "Count the {names}.",
    "有几个{name}?",
    "有多少个{name}?",
)
COUNT_IN_PLACE = ("How many {names} are {place}?", "How many {names} are there {place}?", "{place}有几个{name}?")
COUNT_LONGER = (
    "How many {names} are longer than {limit}?",
    "How many {names} longer than {limit} are there?",
    "有几个长于{limit}的{name}?",
)
LOCATION = (
    "Where is {the} {name}?",
    "In which part of the picture is {the} {name}?",
    "Where in the picture is {the} {name}?",
    "{the}{name}在哪里?",
    "{the}{name}在什么位置?",
)
LOCATION_IN_PLACE = (
    "Which defects are {place}?",
    "What defects are there {place}?",
    "{place}有哪些缺陷?",
)
SIZE = {
    Measure.LENGTH: (
        "How long is {the} {name}{unit}?",
        "What is the length of {the} {name}{unit}?",
        "{the}{name}的长度是多少{unit}?",
    ),
    Measure.WIDTH: (
        "How wide is {the} {name}{unit}?",
        "What is the width of {the} {name}{unit}?",
        "{the}{name}的宽度是多少{unit}?",
    ),
    Measure.HEIGHT: (
        "How tall is {the} {name}{unit}?",
        "What is the height of {the} {name}{unit}?",
        "{the}{name}的高度是多少{unit}?",
    ),
    Measure.AREA: (
        "What is the area of {the} {name}{unit}?",
        "What area does {the} {name} have{unit}?",
        "{the}{name}的面积是多少{unit}?",
    ),
}
EXTENT = (
    "How much of the picture do {names} cover?",
    "What share of the picture is covered by {names}?",
    "What percentage of the picture do {names} cover?",
    "{name}占图片的百分之几?",
)
MORE = ("Are there more {names} than {others}?", "{name}比{other}多吗?")
FEWER = ("Are there fewer {names} than {others}?", "{name}比{other}少吗?")
AS_MANY = ("Are there as many {names} as {others}?", "{name}和{other}一样多吗?")
WHICH_MORE = ("Which are there more of, {names} or {others}?", "{name}和{other}哪个多?")
DIFFERENCE = ("How many more {names} than {others} are there?", "{name}比{other}多几个?")
LARGER = ("Is the largest {name} larger than the largest {other}?", "最大的{name}比最大的{other}大吗?")
WHICH_LARGER = (
    "Which is larger, the {name} or the {other}?",
    "Which is bigger, the largest {name} or the largest {other}?",
    "{name}和{other}哪个大?",
)
VERDICT = (
    "Is the part good?",
    "Is this part OK?",
    "OK or NG?",
    "Is the part good or bad?",
    "Does the part pass?",
    "这个零件合格吗?",
    "是良品吗?",
)
# Nothing in the boxes of a picture says any of this.
BEYOND = (
    "Why did it crack?",
    "What caused the damage?",
    "Who made this part?",
    "When was this picture taken?",
    "How can this be repaired?",
    "How much will the repair cost?",
    "为什么会开裂?",
    "这个零件是谁做的?",
)
STRANGE_WORDS = ("rainbow", "giraffe", "umbrella", "violin", "penguin", "waterfall")  # no defects
ANY_WORDS = ("defect", "flaw", "anomaly", "fault", "缺陷")  # what all classes together are called

_ENGLISH_PLACES = {
    "top": "at the top",
    "bottom": "at the bottom",
    "left": "on the left",
    "right": "on the right",
    **{word: f"in the {word}" for word in PLACES if word == "centre" or " " in word},
}
_CHINESE_PLACES = dict(
    zip(PLACES, ("左上角", "上方", "右上角", "左侧", "中间", "右侧", "左下角", "下方", "右下角"), strict=True)
)
_ENGLISH_UNITS = {"": "", "px": " in px", "mm": " in mm", "px2": " in square pixels", "mm2": " in square millimetres"}
_CHINESE_UNITS = {"": "", "px": "像素", "mm": "毫米", "px2": "平方像素", "mm2": "平方毫米"}


def is_chinese(template: str) -> bool:
    """Whether it holds a Chinese character."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in template)


def spoken(name: str) -> str:
    """A class name as people write it in a sentence: `LiveKnot`, `live_knot` -> `live knot`."""
    return normalize(name) or name


@lru_cache(maxsize=1024)  # the classes of a data set, again and again
def plural(word: str) -> str:
    """`scratch` -> `scratches`; `word` itself where it ends with s already, is no English one, or would be taken for
    another one.
    """
    if not (word.isascii() and word[-1:].isalpha()) or (word.endswith("s") and not word.endswith("ss")):
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        several = f"{word[:-1]}ies"
    else:
        several = word + ("es" if word.endswith(("ss", "x", "ch", "sh")) else "s")
    return several if word_key(several) == word_key(word) else word


def with_article(word: str) -> str:
    """`a crack`, `an oil stain`, `any mouse bites`, `any 气泡`."""
    if plural(word) == word:
        return f"any {word}"
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def fill(template: str, words: Sequence[str], *, only: bool = False, **parts: str) -> str:
    """`template` with what is asked about, `words` (none: any defect), and of `parts` its `place` (a word of the grid),
    `limit` and `unit`. `only`: there is one of it, so that nobody says "the largest".
    """
    chinese = is_chinese(template)
    one, other = [*words, *(("缺陷" if chinese else "defect",) * 2)][:2]
    fields = {"name": one, "names": plural(one), "a": with_article(one), "other": other, "others": plural(other)}
    if chinese:
        fields |= {"the": "" if only else "最大的", "unit": _CHINESE_UNITS[parts.get("unit", "")]}
        fields["place"] = _CHINESE_PLACES.get(parts.get("place", ""), "")
    else:
        fields |= {"the": "the" if only else "the largest", "unit": _ENGLISH_UNITS[parts.get("unit", "")]}
        fields["place"] = _ENGLISH_PLACES.get(parts.get("place", ""), "")
    return template.format(**fields, limit=parts.get("limit", ""))
