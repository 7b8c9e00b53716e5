"""A Chinese question in one form: nothing polite, one particle for yes or no, marks for what is known."""

from __future__ import annotations

import re
import unicodedata

from utils.chinese.amounts import take_amount
from utils.chinese.filters import mark_filters
from utils.chinese.noun_phrase import GENERIC, RANKS
from utils.questions.known_names import KnownNames
from utils.questions.marks import FILTER, Filter, Marks, Sentence, without_marks
from utils.words.spelling import normalize

_NUMERALS = {"半": "0.5", **{numeral: str(i + 1) for i, numeral in enumerate("一二三四五六七八九十")}, "两": "2"}
_UNITS = (
    (r"平方毫米|毫米平方|毫米2", "mm2"),
    (r"平方厘米|厘米2", "cm2"),
    (r"平方像素|像素2", "px2"),
    (r"毫米", "mm"),
    (r"厘米|公分", "cm"),
    (r"微米", "um"),
    (r"个?像素点?|pixels?", "px"),
    (r"百分之(\d+(?:\.\d+)?)", r"\1%"),
    (r"μm", "um"),
    (r"≥|> ?=|= ?>", ">="),
    (r"≤|< ?=|= ?<", "<="),
)
_NUMERAL = re.compile(r"(?<![第最])[半一二两三四五六七八九十](?= ?(?:个像素|像素|平方|毫米|厘米|微米|mm|cm|px))")
_RANGE = re.compile(r"(?<=\d)\s*[-~\u2010-\u2015]\s*(?=\d)")
_SIGNS = re.compile(r"[\"'“”‘’「」『』《》()【】\[\]!。;:…·]")
# A blank says something between two Latin words only.
_IDLE_BLANK = re.compile(r" (?![a-z0-9])|(?<![a-z0-9]) ")
_ASKS = "(?:有没有|是否|有无|几|多少|哪|什么|是不是)"
_LEADING = (
    "请问|请|麻烦你?|劳驾|帮我|帮忙|给我|告诉我|你好|您好|你?能告诉我|你?知道|我?想知道|我?想问(?:一下|问)?|我?要知道",
    "问一下|那么|那(?![个条张块片件处])|嗯|另外|还有|并且|而且|同时|以及|然后|如果有的?话?|如果是|如果|若有|有的话",
    "看看|用一句话|简单地?|简要地?",
    "(?:你|您)?(?:能不能|能否|可以|可不可以|能)(?=请|帮|告诉|数|描述|列|找|说|指|测|判断|标|定位|统计|给)",
    "(?:你|您)(?:认为|觉得)?",
    f"(?:检查|查看|确认|看看|判断)(?:一下|下)?(?=.{{0,12}}{_ASKS})",
    f"(?:看|查|检测|分析|识别)(?:一下|下)(?=.{{0,12}}{_ASKS})",
    "(?:检查|看|查|查看|确认)(?:一下|下)(?=.)",
)
_POLITE = re.compile(f"(?:{'|'.join(_LEADING)}),?")
_ENDING = re.compile(r"(?:(?<![什怎多这那要])么|嘛|吧|没有|没|不|(?<![是能可])否)?[吗呢呀啊哦呐哈哇了]*$")
_THANKS = re.compile(r"[,，]?(?:谢谢你?|多谢|拜托了?|谢了)$")
_ASSURED = re.compile(r"(?<=.)[,，](?:对吗|对吧|对不对|是吗|是吧|是不是)$")  # 有孔洞, 对吗
_UNIT_WANTED = re.compile(
    "[,(]?(?:用|以|按|单位(?:是|为|用)?)(?P<unit>mm2|mm|cm2|cm|um|px2|px|%|百分比)"
    "(?:为单位|来?表示|作单位|来?计算?|来说)?[)]?"
)
_LEADING_COMMA = re.compile(rf"^[,、]+|[,、]+$|(?<={FILTER})[,、]")
_WHICH_IS_MOST = re.compile("哪一?[个条处道块种](?P<what>[^最]+?)(?:是|的(?:面积|尺寸|长度))?(?P<rank>最.{1,2}?)的?")


def chinese_sentence(text: str, names: KnownNames) -> Sentence:
    """One question as the rules read it. Raises MissingUnit."""
    marks = Marks()
    words = names.mark(without_marks(unicodedata.normalize("NFKC", text)), marks)
    words = normalize(_SIGNS.sub(" ", _RANGE.sub("到", words)))
    words = _IDLE_BLANK.sub("", _NUMERAL.sub(lambda match: _NUMERALS[match.group()], words))
    for written, unit in _UNITS:
        words = re.sub(written, unit, words)
    words = _ASSURED.sub("吗", _THANKS.sub("", words.rstrip("?.,~ ")))
    wanted = _UNIT_WANTED.search(words)
    if wanted is not None:
        words = words[: wanted.start()] + words[wanted.end() :]
    words, yes_or_no = _without_particles(_without_politeness(words))
    words, amount = take_amount(_by_rank(words))
    words = _LEADING_COMMA.sub("", mark_filters(words, marks))
    while len(words) > 1 and marks.filter(words[0]) == Filter():  # 图中
        words = words[1:].lstrip(",、")
    unit = wanted["unit"].replace("百分比", "%") if wanted is not None else ""
    together = bool(re.search("一共|总共|合计|加起来", words))
    return Sentence(words + "吗" * (yes_or_no or amount is not None), marks, unit, together, amount)


def _by_rank(words: str) -> str:
    """哪个缺陷最大 -> 最大的缺陷是什么, 哪条划痕最长 -> 最长的划痕在哪里."""
    match = _WHICH_IS_MOST.fullmatch(words)
    if match is None or match["rank"] not in RANKS:
        return words
    asked = "是什么" if match["what"] in GENERIC else "在哪里"
    return f"{match['rank']}的{match['what']}{asked}"


def _without_politeness(words: str) -> str:
    while (match := _POLITE.match(words)) and match.end() < len(words):
        words = words[match.end() :]
    return words


def _without_particles(words: str) -> tuple[str, bool]:
    """The words without the particles at their end, and whether one of those asks for yes or no: 吗, 吧, 没有."""
    match = _ENDING.search(words)
    if match is None or match.start() == 0:
        return words, False
    ending = match.group()
    if words[: match.start()].endswith(("有", "不", "是", "能", "在")) and ending in ("没有", "没"):
        return words, False  # 有没有, 是不是没有
    asks = bool(re.search("[吗么嘛吧不没否]", ending))
    return words[: match.start()] + ("了" if ending.startswith("了") and asks else ""), asks
