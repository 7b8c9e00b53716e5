"""Words that the Chinese rules share: what stands for `<x>` and for `{x}` in their patterns."""

from __future__ import annotations

from collections.abc import Iterable

from utils.chinese.filters import ADJECTIVES, NOUNS, THING
from utils.chinese.noun_phrase import TRAITS
from utils.questions.marks import FILTER
from utils.questions.question import Measure, Relation

MEASURES = {**NOUNS, **ADJECTIVES}
LEAST = frozenset({"最小", "最短"})
MEANINGS = {
    **dict.fromkeys(("多", "常见", "频繁"), (Relation.MORE, Measure.LENGTH)),
    **dict.fromkeys(("少", "不常见", "罕见"), (Relation.FEWER, Measure.LENGTH)),
    "大": (Relation.LARGER, Measure.AREA),
    "小": (Relation.SMALLER, Measure.AREA),
    "长": (Relation.LARGER, Measure.LENGTH),
    "短": (Relation.SMALLER, Measure.LENGTH),
    **dict.fromkeys("宽粗厚", (Relation.LARGER, Measure.WIDTH)),
    **dict.fromkeys("窄细", (Relation.SMALLER, Measure.WIDTH)),
    "高": (Relation.LARGER, Measure.HEIGHT),
    "矮": (Relation.SMALLER, Measure.HEIGHT),
}
MACROS = {
    "p": "[{thing}[的]]",
    "exists": (
        "(有没有看到|有没有发现|有没有出现|有没有存在|有没有|有无|有否|是否有|是否存在|是否含有|是否出现|是否能看到"
        "|是否看到|是否可见|是否发现|是不是有|是不是存在|存不存在|存在不存在|能否看到|能不能看到|看不看得到|可有"
        "|是否带有|是否包含)"
    ),
    "has": (
        "(存在|看得到|看得见|能看到|能看见|可以看到|看到|看见|含有|出现|检测到|检测出|发现|带有|包含|能找到"
        "|能发现|还有|都有|出|有)[了]"
    ),
    "hasno": "(没有看到|没有发现|没有任何|没有|没|无|不存在|不含|看不到|没看到|没发现)",
    "kinds": (
        "(哪些|什么样|什么|哪几种|哪几类|哪种|哪类|哪一种|哪一类|何种|啥|几种|多少种|哪几个|多少类|几类|哪一个)[类型"
        "|种类|类别|类|种][的]"
    ),
    "mw": "(个|条|处|道|颗|块|只|点|根|片|粒|枚|项|次)",
    "many": "(几|多少)[<mw>][的]",
    "total": "[一共|总共|共计|总计|合计|共|里]",
    "count": "(数一下|数一数|数数|数出|统计一下|统计|计数|计算|清点一下|清点)",
    "number": "(数量|个数|数目|总数量|总数|条数|总个数|数)",
    "where": (
        "[({thing}|图中)[的|中的|上的|里的|中|上]](哪里|哪儿|何处"
        "|什么位置|什么地方|哪个位置|哪些位置|哪些地方|哪个地方|哪个角落|哪个角|哪个部位|哪些部位|哪个区域|哪些区域"
        "|哪一侧|哪侧|哪边|哪一边|哪个方向|哪个部分|什么区域|什么部位|哪一块|哪)"
    ),
    "at": "[是](主要集中在|集中在|位于|处于|出现在|分布在|存在于|落在|在)",
    "is": "(是|为|有|等于|属于|达到|约为|大约是|大概是|大约有|大概有|大约|大概)",
    "howmuch": "(多少|多大|多长|多宽|多高|多粗|多厚|几|什么|几何)",
    "how": "(如何|怎么样|怎样|咋样|什么样|啥样)",
    "good": (
        "(合格|良好|好|行|正常|可用|没问题|ok|良品|完好|合格品|好件|好品|正品|可以接受|可接受|能用|可以用|达标|符合要求"
        "|符合标准|符合规格|完美|可以使用|能使用|没毛病|过关|完好无损|通过|没有缺点|优质|没坏|io)[的|了]"
    ),
    "bad": (
        "(不合格品|不合格|不良品|不良|次品|废品|坏|ng|残次品|次等品|缺陷品|报废|不能用|损坏|坏件|坏品|不好|不正常"
        "|异常|不可用|瑕疵品|不达标|不ok|不行|不通过|坏掉)[的|了]"
    ),
    "use": "(使用|用|出货|出|放行|通过|接受|发货|交付|过关|通过检验|通过检测|过检|过|卖|接收|装配|收)",
    "drop": "(报废|返工|剔除|拒收|判ng|判为ng|判为不合格|判不合格|丢弃|扔掉|退货|拦截)",
    "cover": "(占据了|占据|占用了|占用|占了|所占|占|覆盖了|覆盖|盖住了|遮住了|遮挡了)",
    "of": "[整个|整张|全部|总]({thing}|面积|区域|图像面积|表面积|表面)[的][总][面积]",
    "share": (
        "(百分之几|百分之多少|几成|[多大|多少|多高]的(比例|百分比)|多大比例|多少比例|多少百分比|多少%|几分之几"
        "|什么比例|多少|多大一部分|多大部分)"
    ),
    "ratio": (
        "(覆盖率|面积占比|占比|面积比例|面积百分比|面积比|占图比例|所占比例|所占百分比|覆盖比例|覆盖百分比"
        "|占图像的比例|占图像比例|占有率|面积率|面积覆盖率|百分比|比例)"
    ),
    "allarea": (
        "(总面积|覆盖面积|面积总和|总的面积|所占面积|占据的面积|面积之和|占用面积|总覆盖面积|所占的面积"
        "|覆盖的面积|占用的面积|所占总面积)"
    ),
    "measure": "(测量|测一下|量一下|计算|测量一下|测算|测|量|计算一下)",
    "find": (
        "(找出|定位|标出|指出|找到|圈出|标记|框出|显示|找一下|定位一下|指一下|指示|标注|检测出|找|检测|指给我看"
        "|标一下|圈一下)"
    ),
    "describe": "(描述|形容|概括|介绍|说说|讲讲|谈谈|说明|总结|描写|说一下|讲一下|详细描述|简单描述|简要描述)[一下|下]",
    "list": "(列出|列举|说出|识别|罗列|给出|报告|列一下|列举一下|列出来)[一下]",
    "look": "(外观|样子|特征|外形|形态|形貌|模样|情况)",
    "defect": "(缺陷|瑕疵|问题|异常|不良|疵点|毛病|类别|类型|种类|类)",
    "which": "(哪个|哪种|哪一个|哪一种|哪类|哪一类|谁|什么|哪边|哪者|哪个的数量|哪种的数量)",
    "level": "(严重程度|严重等级|严重性|严重度|损伤程度|损伤等级|缺陷等级|缺陷级别|损坏程度|危害程度|等级|级别|评级)",
    "grade": "(几级|什么等级|哪个等级|哪一级|多少级|什么级别|哪级|哪个级别|第几级|几等)",
}


def _slot(name: str, words: Iterable[str]) -> str:
    """One of `words`, the longest that fits."""
    return f"(?P<{name}>{'|'.join(sorted(words, key=len, reverse=True))})"


SLOTS = {
    "a": "(?P<a>.+?)",
    "b": "(?P<b>.+?)",
    "f": f"(?P<f>(?:{FILTER}|(?:{'|'.join(TRAITS)})的?)+)",
    "m": f"(?P<f>{FILTER}+)",
    "side": f"(?P<side>{FILTER}还是{FILTER})",
    "thing": THING,
    "big": _slot("dim", ADJECTIVES),
    "size": _slot("dim", NOUNS),
    "than": _slot("than", MEANINGS),
    "most": _slot("than", ("多", "少", "常见", "频繁", "罕见", "不常见")),
    "max": _slot("max", ("最大", "最小")),
    "unit": "(?P<unit>mm2|mm|cm2|cm|um|px2|px|%)",
}
