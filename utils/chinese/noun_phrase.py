"""Chinese noun phrases: 左上角最大的细长划痕 -> what is looked for, and its filters."""

from __future__ import annotations

import re
from dataclasses import replace

from utils.english.noun_phrase import STOP
from utils.questions.known_names import CHINESE_SIGNS, KnownNames
from utils.questions.marks import FILTER, Marks
from utils.questions.question import Measure, Rank, Subject, Trait
from utils.questions.subjects import ANY, Piece, Reading, combine

TRAITS = {
    **dict.fromkeys(("微小", "极小", "细微", "微型"), Trait.TINY),
    **dict.fromkeys(("较小", "小型", "小块", "细小", "小"), Trait.SMALL),
    **dict.fromkeys(("中等大小", "中等", "中型"), Trait.MEDIUM),
    **dict.fromkeys(("较大", "巨大", "大型", "大块", "大"), Trait.LARGE),
    **dict.fromkeys(("细长", "狭长", "长条形", "长条状", "条形", "条状", "线状", "长", "细"), Trait.ELONGATED),
    **dict.fromkeys(("圆形", "圆状", "圆"), Trait.ROUND),
}
RANKS = {
    **dict.fromkeys(("最大",), Rank(Measure.AREA)),
    **dict.fromkeys(("最小",), Rank(Measure.AREA, False)),
    **dict.fromkeys(("最长",), Rank(Measure.LENGTH)),
    **dict.fromkeys(("最短",), Rank(Measure.LENGTH, False)),
    **dict.fromkeys(("最宽", "最粗", "最厚"), Rank(Measure.WIDTH)),
    **dict.fromkeys(("最窄", "最细"), Rank(Measure.WIDTH, False)),
    **dict.fromkeys(("最高",), Rank(Measure.HEIGHT)),
    **dict.fromkeys(("最左",), Rank(Measure.LEFT, False)),
    **dict.fromkeys(("最右",), Rank(Measure.LEFT)),
    **dict.fromkeys(("最上", "最顶"), Rank(Measure.TOP, False)),
    **dict.fromkeys(("最下", "最底"), Rank(Measure.TOP)),
    **dict.fromkeys(("最确定", "最可信", "最清晰", "最明确"), Rank(Measure.SCORE)),
}
_ONE = "一个|一条|一处|一道|一块"
_DETERMINERS = (
    f"{_ONE}|任何|所有|全部|一些|某些|这些|那些|这[个条处道块种类]?|那[个条处道块种类]?|该|此|各种|各类|每[个条处]|各个"
    "|各|可见的?|存在的?|出现的?|看到的?|检测到的?|发现的?|明显的?|什么样的|什么|具体的?|单个|个别"
)
_ADVERBS = "很|非常|比较|特别|较为"
_BY = {
    "面积": Measure.AREA,
    **dict.fromkeys(("长度", "尺寸"), Measure.LENGTH),
    "宽度": Measure.WIDTH,
    "高度": Measure.HEIGHT,
    **dict.fromkeys(("置信度", "可信度"), Measure.SCORE),
}
_ADJECTIVE = re.compile(
    f"(?P<filter>{FILTER})|(?P<idle>的|{_DETERMINERS}|{_ADVERBS})"
    f"|(?P<by>{'|'.join(_BY)})?(?P<rank>{'|'.join(sorted(RANKS, key=len, reverse=True))})"
    "[边侧面方端部]?的?(?:那?一?[个条处])?"
    # 大小, 长度 and 圆孔 are words of their own
    f"|(?P<trait>{'|'.join(sorted(TRAITS, key=len, reverse=True))})(?![小度时理])的?"
)
GENERIC = frozenset(
    "缺陷 瑕疵 不良 异常 问题 毛病 损伤 缺点 东西 疵点 不良点 缺陷点 异常点 不对 不对劲 不正常 破坏 不良现象 "
    "疵病".split()
)
_SUFFIX = re.compile("(?:类|型|的)?(?:缺陷|瑕疵|类缺陷)$")
_SCENE = re.compile("(?:表面|外观|产品|工件|零件|图像|图中|玻璃|木材|钢板|质量|品质|明显)的?")
_JOINS = re.compile("(以及|或者|或是|还是|还有|[和与及跟或、,])")
_OR = ("或者", "或是", "还是", "或")
_PRONOUNS = frozenset("它 它们 他 他们 其 之".split())
_STOP = re.compile(
    "[几谁吗呢吧请你我您他她比不没是会哪有占被把]|统计|测量|指出|描述|计算|比较|列出|找出|找到|覆盖|一下|如果|生产"
    "|多久|多[长宽大高粗]|集中|主要|[两二三四五六七八九十][个条处]|什么|多少|为何|怎|如何|原因|因为|何时|时候|可以"
    "|能够|颜色|价格|时间|天气|名字|意思|温度|重量|深度|距离|平均|总和|修|避免|导致|造成|产生|工艺|方法|办法|标准"
    "|人员|工人|机器|设备|供应商|客户|今天|明天|昨天|除了|以外|之外|其他|其它|第[一二三]|数量|面积|位置|长度|宽度"
    "|等级|结果|程度|形状|类型|种类|角度|方向|左|右|旁边|附近|之间|介绍"
)
_NO_HEADS = tuple("材料 钱 人 品牌 型号 厂家 日期 用途 产地 含义 作用 产品 零件 图片 图像 照片".split())
_ALONE = frozenset("个 条 处 道 颗 块 只 根 片 粒 枚 项 次 对".split())  # which count things, or ask whether it is so
_LATIN = re.compile("[a-z]+")
_MOST = 12  # characters; words of Latin letters count once each


class ChineseNouns:
    """Reads noun phrases of one sentence, whose `marks` stand for what is known."""

    def __init__(self, marks: Marks, names: KnownNames) -> None:
        self.marks, self.names = marks, names

    def subjects(self, words: str, before: Subject, one: bool = False) -> tuple[Subject, ...] | None:
        """What `words` look for; see `combine`. None: they are no noun phrase."""
        chunks = _JOINS.split(words)
        pieces: list[Piece] = []
        for join, chunk in zip(["", *chunks[1::2]], chunks[::2], strict=True):
            piece = self._piece(chunk) if chunk.strip("的 ") else None
            if piece is None:
                return None
            pieces.append(replace(piece, joined="or" if join in _OR else "and"))
        if any(piece.joined == "or" for piece in pieces):  # A、B或C
            commas = [join in ("、", ",") for join in ["", *chunks[1::2]]]
            pieces = [
                replace(piece, joined="or") if comma else piece for piece, comma in zip(pieces, commas, strict=True)
            ]
        return combine(pieces, before, one)

    def _piece(self, words: str) -> Piece | None:
        reading = Reading()
        words = self._after_adjectives(words.strip(), reading)
        noun = re.sub(f"(?:{FILTER}|的)+$", lambda match: self._later(match.group(), reading), words)
        words = noun.strip("的 ")
        if len(reading.ranks) > 1 or re.search(FILTER, words):  # 孔左边的裂纹
            return None
        pronoun = words in _PRONOUNS
        phrase = None if pronoun or not words else self._phrase(words)
        if words and not pronoun and phrase is None:
            return None
        return reading.piece(phrase, pronoun)

    def _after_adjectives(self, words: str, reading: Reading) -> str:
        while words and not self._is_name(words) and (match := _ADJECTIVE.match(words)):
            found = self.marks.filter(match["filter"]) if match["filter"] else None
            if found is not None:
                reading.limits += found.limits
                reading.places += [found.place] if found.place else []
            elif match["rank"]:
                rank = RANKS[match["rank"]]
                reading.ranks.append(replace(rank, measure=_BY.get(match["by"] or "", rank.measure)))
            elif match["trait"]:
                reading.traits.append(TRAITS[match["trait"]])
            else:
                reading.own |= match.group() in _ONE.split("|")
            words = words[match.end() :].lstrip()
        return words

    def _is_name(self, words: str) -> bool:
        return not re.match(FILTER, words) and self.names.find(words) is not None

    def _later(self, marks: str, reading: Reading) -> str:
        for found in filter(None, map(self.marks.filter, marks)):
            reading.later_limits += found.limits
            reading.later_places += [found.place] if found.place else []
        return ""

    def _phrase(self, words: str) -> str | None:
        """The name, or the user's words; ANY for any defect; None for what no thing is called."""
        name = self.marks.name(words)
        if name is not None:
            return name.name
        words = re.sub("[\ue000-\ue3ff]", lambda match: self._written(match.group()), words)
        if words in GENERIC or words.removeprefix("的") in GENERIC:
            return ANY
        found = self.names.find(words)
        if found is not None:
            return found
        scene = _SCENE.match(words)
        rest = words[scene.end() :] if scene else ""
        if rest and (rest in GENERIC or self.names.find(rest)):
            return self._phrase(rest)
        stem = _SUFFIX.sub("", words)
        if stem and stem != words:
            return self._phrase(stem)
        return words if _is_thing(words) else None

    def _written(self, mark: str) -> str:
        name = self.marks.name(mark)
        return name.written.lower() if name else mark


def _is_thing(words: str) -> bool:
    """Whether somebody may call a thing so that can be seen in a picture."""
    latin = _LATIN.findall(words)
    length = len(re.findall(f"[{CHINESE_SIGNS}]", words)) + len(latin)
    return not (
        words.endswith(_NO_HEADS)
        or words in _ALONE
        or _STOP.search(words)
        or STOP.intersection(latin)
        or re.search(r"\d|[<>%=]", words)
        or length > _MOST
    )
