"""Chinese questions for what there is, where it lies and how it looks. See `phrasing` for the signs."""

from __future__ import annotations

from utils.questions.phrasing import Only, Rule
from utils.questions.question import Kind

LOCATIONS = (
    Rule(
        Kind.LOCATION,
        (
            "<find>{a}[的][位置|坐标|所在位置][在哪里|在哪]",
            "{a}[都|分别|主要|具体|大概|大致|各]<at><where>",
            "{a}[的][具体|大概|大致](位置|坐标|所在位置|方位|分布|分布位置|中心位置|所在)[<is>|在][<where>|什么|多少"
            "|怎样|<how>]",
            "<p>[在]<where>[上|里]<has>{a}",
            "<p>在<where>[能|可以](找到|看到|发现|看见){a}",
            "<where>[的]是{a}",
            "{a}[是][<at>]{side}",
            "[具体](位置|坐标)[<is>|在][<where>|什么|多少]",
            "[都]<at><where>",
        ),
    ),
    Rule(Kind.LOCATION, ("<p><where>{a}",), only=Only.COMMON),
)
CLASSES = (
    Rule(
        Kind.CLASS,
        (
            "{a}[的](类型|种类|类别|名称|名字|种类名称)[<is>|都有|包括][什么|哪些|哪种|哪几种|哪个|哪一种]",
            "{a}(都有|都是|分别是|包括|有|是|属于|叫)[<kinds>][什么|哪些|哪种|哪几种|啥][类型|种类|类别|缺陷|名字]",
            "[这|那]是<kinds>{a}",
            "<kinds>{a}",
            "{a}<kinds>",
            "<p>[{f}]是<kinds>{a}",
        ),
        only=Only.ANY,
    ),
    Rule(
        Kind.CLASS,
        (
            "<p>[{f}]<total>[都|一共|总共][<has>|有|是|属于][了]<kinds>{a}",
            "<kinds>{a}[都]<at>{m}",
            "<list><p>[{f}][<has>]{a}[的](种类|类型|名称|类别)",
            "<list><p>[{f}][所有|全部|<kinds>]{a}",
            "<p>[{f}]<total>[<has>|有](几种|多少种|哪几种|几类|多少类){a}",
        ),
    ),
    Rule(
        Kind.CLASS,
        (
            "<p>[{f}][都|能|可以|你|出]<has>[了]<kinds>",
            "<p>[你|您][都]<has>[了](什么|啥|哪些)",
            "(这|它|那)是(什么|啥)",
            "<p>出[了]<kinds>{a}",
            "<p>(怎么了|哪里不对|有什么不对|有什么不对劲|哪里不正常)",
            "(识别|分类|鉴别)[一下]<p>",
        ),
    ),
)
DESCRIPTIONS = (
    Rule(
        Kind.DESCRIPTION,
        (
            "<describe>[{thing}]",
            "<describe><p>[{f}][你|您][<has>的]<look>",
            "<describe>[你|您](看到|看见|检测到|发现)的(东西|内容|情况|一切)",
            "<describe>(图像|图片|画面|内容|情况)[内容]",
        ),
    ),
    Rule(
        Kind.DESCRIPTION,
        (
            "<describe>{a}[的](形状|<look>)",
            "<describe>{a}(是什么样[的|子]|长什么样[子])",
            "<describe><p>[{f}][你|您][看到|看见|检测到|发现]的{a}",
            "<describe><p>[{f}]{a}",
            "{a}(是|长|看起来|看上去|长得|呈)(什么样|啥样|怎么样|怎样|咋样)[子][的]",
            "{a}(什么样|啥样|什么样子)[的|子]",
            "{a}[的]形状[<is>|呈][什么|<how>|哪种][形状][的|样]",
            "{a}(是|呈|为|呈现)(什么|哪种|何种|怎样的|啥)(形状|形态)[的]",
            "{a}(什么|啥)形状",
            "{a}[的]<look>[<is>][什么|<how>|哪种][的|样的]",
            "{a}是(圆形|圆|长条形|细长|条形)[的]还是(圆形|圆|长条形|细长|条形)[的]",
        ),
    ),
)
PRESENCES = (
    Rule(
        Kind.PRESENCE,
        (
            "<p>[{f}][上|里]<hasno>{a}吗",
            "<p>[{f}](是否|是不是|确定|确认)<hasno>{a}[吗]",
            "{a}(不存在|没有|没有出现|看不到)吗",
            "<p>[{f}]<hasno>吗",
        ),
        negated=True,
    ),
    Rule(
        Kind.PRESENCE,
        (
            "<p>[{f}][上|里]<exists>{a}[吗|存在|出现|可见]",
            "<p>[{f}][上|里]<has>[什么|任何|哪些|啥]{a}吗",
            "<p>[{f}](是否|能否|能不能|可否|是不是)<has>{a}[吗]",
            "{a}[是否|是不是](存在|可见|出现|看得到|看得见|有|能看到|可以看到)[了]吗",
            "{a}(是否|是不是)(存在|可见|出现|有)[吗]",
            "{a}(是否|是不是|有没有)[在|有]{f}[吗]",
            "{a}(有没有|存不存在|有无|能看到吗|在不在)",
            "<p><exists>",
        ),
    ),
    Rule(
        Kind.PRESENCE,
        (
            "[这|它|那|这个|这处|这里]是{a}吗",
            "[这|它|那|这个|这处](是不是|是否是|是否为|是否){a}[吗]",
            "[任何]{a}[了]吗",
            "<p>[被]{a}了吗",
        ),
        only=Only.COMMON,
    ),
)
