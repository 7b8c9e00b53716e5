"""Limits and places in Chinese: 长度大于2毫米的, 2到5毫米之间的, 左上角的, 在右半部分."""

from __future__ import annotations

import re

from utils.questions.marks import Filter, Marks
from utils.questions.places import cell, part
from utils.questions.question import Limit, Measure, Place
from utils.questions.units import NUMBER, limit

NOUNS = {
    **dict.fromkeys(("长度", "尺寸", "大小", "直径", "尺度"), Measure.LENGTH),
    **dict.fromkeys(("宽度", "厚度", "粗细"), Measure.WIDTH),
    "高度": Measure.HEIGHT,
    "面积": Measure.AREA,
}
ADJECTIVES = {
    **dict.fromkeys("长大小短", Measure.LENGTH),
    **dict.fromkeys("宽窄粗厚细", Measure.WIDTH),
    **dict.fromkeys("高矮", Measure.HEIGHT),
}
_SIGNS = {
    **dict.fromkeys(
        ("大于等于", "大于或等于", "不小于", "不低于", "不少于", "不短于", "至少", "最少", "起码", ">="), ">="
    ),
    **dict.fromkeys(
        ("小于等于", "小于或等于", "不大于", "不超过", "不高于", "不长于", "不多于", "至多", "最多", "<="), "<="
    ),
    **dict.fromkeys(("大于", "超过", "超出", "长于", "宽于", "高于", "多于", ">"), ">"),
    **dict.fromkeys(("小于", "低于", "短于", "窄于", "不到", "不足", "少于", "<"), "<"),
}
_NOUN = f"(?:(?P<noun>{'|'.join(NOUNS)}|长|宽|高)(?:为|在|是|都)?)?"
_UNIT = " ?(?P<unit>mm2|mm|cm2|cm|um2|um|px2|px|m2|米|%)"
_ADJECTIVE = "(?P<adjective>[长宽高粗厚])?"
# A number without a unit is a limit only where nothing follows that it could count.
_BELOW = re.compile(
    f"{_NOUN}(?P<comparison>{'|'.join(sorted(_SIGNS, key=len, reverse=True))})(?P<number>{NUMBER})"
    f"(?:{_UNIT}|(?=的|$|吗|长|宽|高|有)){_ADJECTIVE}的?"
)
_OR_MORE = re.compile(
    f"{_NOUN}(?P<number>{NUMBER}){_UNIT}{_ADJECTIVE}"
    "(?P<comparison>[及或和]?(?:以上|以下|以内|更长|更大|更宽|更短|更小))的?"
)
_BETWEEN = re.compile(
    f"(?:介于|在)?{_NOUN}(?:介于|在|从)?(?P<number>{NUMBER})(?: ?(?:mm2|mm|cm2|cm|um|px2|px|%))?(?:到|至|和|与)"
    f"(?P<second>{NUMBER}){_UNIT}(?:之间|范围内?)?{_ADJECTIVE}的?"
)
_THAN = re.compile(f"{_NOUN}比(?P<number>{NUMBER}){_UNIT}(?:还|更|要)*(?P<adjective>[长大宽高粗厚小短窄细])的?")

PICTURE = "(?:图像|图片|照片|图|画面|影像|视野)"
PART = (
    "(?:工件|零件|产品|样品|样本|部件|制品|物料|材料|表面|玻璃|木板|木材|木头|板材|钢板|钢材|带钢|铝材|金属|布料|织物"
    "|皮革|电路板|芯片|晶圆|瓶子|瓷砖|面板|屏幕|板子|件|东西|货|镜片|轮胎|药片|胶囊|螺丝|螺母|板|电缆|地毯|纸张|薄膜)"
)
_THIS = "(?:这|该|本|此|那|整)?(?:张|个|块|片|件|幅|批|种)?"
THING = f"(?:{_THIS}(?:{PICTURE}|{PART})(?:的?表面)?|(?:这|该|此|那)(?:张|个|块|片|件|幅)|它|这里?|这儿)"
_AREA = "(?:的?(?:区域|部分|位置|地方|边缘))?(?:处|里|内|上)?的?"
_BEFORE = f"(?<!最)(?:在|位于|处于|出现在|于)?(?:{_THIS}(?:{PICTURE}|{PART})的?)?"
_CORNER = re.compile(
    f"{_BEFORE}(?P<side>左上|右上|左下|右下)(?:角落?|方|部[分位]?|侧|边|端)?的?(?P<part>四分之一|1/4|象限)?"
    f"(?:三分之一|1/3)?{_AREA}"
)
_HALF = re.compile(f"{_BEFORE}(?P<side>[上下左右])(?:半)(?:部分|部|边|侧|区域|区|面|幅|张图|张|块)?{_AREA}")
_SIDE = re.compile(
    f"{_BEFORE}(?P<side>[下左右](?:方|部|侧|边缘|边|端|缘|面)|上(?:方|部|侧|边缘|边|端|缘)|[顶底](?:部|端|边|侧|下))"
    f"的?(?P<part>四分之一|1/4)?(?:三分之一|1/3)?{_AREA}"
)
_CENTRE = re.compile(f"{_BEFORE}(?:正中[央间心]?|中[间央心部])(?:的)?{_AREA}")
_HERE = re.compile(
    f"(?:在|从|于)?(?:{_THIS}(?:{PICTURE}|{PART})(?:的?表面)?(?:中|里面|里|内部|内|上面|上)"
    "|这里面?|此处|上面|里面|其中|这上面|这儿)的?"
)
_ROWS, _COLUMNS = {"上": 0, "顶": 0, "下": 2, "底": 2}, {"左": 0, "右": 2}


def mark_filters(words: str, marks: Marks) -> str:
    """`words` with a mark for each limit and place, and one that says nothing for 图中 and 这里. Raises MissingUnit."""
    words = _BETWEEN.sub(lambda match: marks.add_filter(Filter(limits=_between(match))), words)
    words = _OR_MORE.sub(lambda match: marks.add_filter(Filter(limits=(_or_more(match),))), words)
    words = _THAN.sub(lambda match: marks.add_filter(Filter(limits=(_than(match),))), words)
    words = _BELOW.sub(lambda match: marks.add_filter(Filter(limits=(_below(match),))), words)
    for pattern in (_CORNER, _HALF, _SIDE, _CENTRE):
        words = pattern.sub(lambda match: _mark_place(match, marks), words)
    return _HERE.sub(lambda match: marks.add_filter(Filter()), words)


def _measure(match: re.Match[str]) -> Measure:
    noun, adjective = match["noun"], match["adjective"]
    if noun:
        return NOUNS.get(noun) or ADJECTIVES[noun]
    return ADJECTIVES.get(adjective or "", Measure.LENGTH)


def _limit(match: re.Match[str], sign: str, measure: Measure, number: str = "number") -> Limit:
    return limit(measure, sign, match[number], (match["unit"] or "").replace("米", "m"))


def _between(match: re.Match[str]) -> tuple[Limit, ...]:
    measure = _measure(match)
    return _limit(match, ">=", measure), _limit(match, "<=", measure, "second")


def _or_more(match: re.Match[str]) -> Limit:
    sign = "<=" if re.search("[下内短小]", match["comparison"]) else ">="
    return _limit(match, sign, _measure(match))


def _than(match: re.Match[str]) -> Limit:
    return _limit(match, "<" if match["adjective"] in "小短窄细" else ">", _measure(match))


def _below(match: re.Match[str]) -> Limit:
    comparison, measure = match["comparison"], _measure(match)
    if comparison == "宽于" and not match["noun"]:
        measure = Measure.WIDTH
    return _limit(match, _SIGNS[comparison], measure)


def _mark_place(match: re.Match[str], marks: Marks) -> str:
    place = _place(match)
    return match.group() if place is None else marks.add_filter(Filter(place=place))


def _place(match: re.Match[str]) -> Place | None:
    found = match.groupdict()
    side = found.get("side")
    if side is None:
        return cell(1, 1)
    row = next((number for sign, number in _ROWS.items() if sign in side), None)
    column = next((number for sign, number in _COLUMNS.items() if sign in side), None)
    if match.re is _HALF:
        return part(row, column, 2)
    if found.get("part"):
        return part(row, column, 4)
    return cell(row, column)
