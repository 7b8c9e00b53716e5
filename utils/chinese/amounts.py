"""Counts that a question asks for: 有超过3个划痕吗, 孔至少有两个吗, 气泡的数量不到五个吗."""

from __future__ import annotations

import re

from utils.questions.question import Amount

_SIGNS = {
    **dict.fromkeys(("不少于", "不小于", "不低于", "至少", "最少", "起码", "大于等于", ">="), ">="),
    **dict.fromkeys(("不超过", "不多于", "不大于", "最多", "至多", "小于等于", "<="), "<="),
    **dict.fromkeys(("超过", "超出", "多于", "大于", "高于", ">"), ">"),
    **dict.fromkeys(("少于", "小于", "低于", "不到", "不足", "<"), "<"),
    **dict.fromkeys(("恰好", "正好", "刚好", "只", "仅", "等于", "是"), "="),
}
_DIGITS = {**{numeral: i + 1 for i, numeral in enumerate("一二三四五六七八九十")}, "两": 2, "零": 0}
_NUMBER = rf"(?:\d{{1,6}}|[{''.join(_DIGITS)}])"
_OF = "[个条处道块片](?!像素)"
_AMOUNT = re.compile(
    "(?:的?(?:数量|个数|总数|数目)(?:有|是)?)?(?:是否|是不是|有没有)?"
    f"(?:(?P<sign>{'|'.join(sorted(_SIGNS, key=len, reverse=True))})(?P<has>有)?(?P<number>{_NUMBER}){_OF}"
    f"|(?P<least>{_NUMBER}){_OF}(?:及|或)?(?:以(?P<more>[上下])))的?"
)


# 有两个孔吗 says how many; 有一个孔吗 does not
_PLAIN = re.compile(rf"(?<=有)(?=(?![1一]{_OF}){_NUMBER}{_OF}(?![及或以]))")


def take_amount(words: str) -> tuple[str, Amount | None]:
    """A question for so many -> the same for any, and how many. None where it asks for no number, or for two."""
    said = words if _AMOUNT.search(words) else _PLAIN.sub("正好", words)
    found = list(_AMOUNT.finditer(said))
    if len(found) != 1:
        return words, None
    (match,) = found
    sign = _SIGNS[match["sign"]] if match["sign"] else ">=" if match["more"] == "上" else "<="
    number = match["number"] or match["least"]
    before, after = said[: match.start()].removesuffix("有"), said[match.end() :]
    has = "有" if after else ""  # behind its noun an amount leaves the noun alone: 划痕超过3个吗
    return f"{before}{has}{after}", Amount(sign, _DIGITS[number] if number in _DIGITS else int(number))
