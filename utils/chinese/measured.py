"""Chinese questions for numbers: how many, how large, how much of the picture. See `phrasing` for the signs."""

from __future__ import annotations

from utils.questions.phrasing import Rule
from utils.questions.question import Kind, Measure

EXTENTS = (
    Rule(
        Kind.EXTENT,
        (
            "{a}[总共|一共|共|大约]<cover>[了]<of>[的]<share>",
            "{a}[总共|一共|共|大约]<cover>[了]<share>",
            "{a}[总共|一共|共|大约]<cover>[了](百分之几|百分之多少|多大比例)的<of>",
            "{a}[的]<ratio>[<is>][<share>|多少|多大|什么]",
            "{a}<cover><of>的<ratio>[<is>][<share>|多少|多大|什么]",
            "<of>[有]<share>[的][面积|表面|图像|画面|区域](被|有|是|都是){a}[<cover>|污染|影响|遮挡]",
            "<share>[的][<of>|面积|表面|图像|画面|区域](被|有|是|都是){a}[<cover>|污染|影响|遮挡]",
        ),
        measure=Measure.AREA,
        unit="%",
        one=True,
    ),
    Rule(
        Kind.EXTENT,
        ("<p>[的](缺陷|瑕疵|损伤)(覆盖率|面积占比|占比)[<is>][多少|多大]",),
        measure=Measure.AREA,
        unit="%",
    ),
    Rule(
        Kind.EXTENT,
        (
            "{a}[总共|一共|共|大约]<cover>[了|<of>](多少|多大)[的](面积|区域|地方|空间)",
            "<p>(受损|破损|损坏|缺陷总)[的]面积[<is>][多大|多少][{unit}]",
            "{a}[的]<allarea>[<is>][多少|多大|几][{unit}]",
            "{a}[总共|一共|共|大约]<cover>[了](多少|几){unit}",
            "[有](多大|多少)[的]面积(被|有|是){a}[<cover>|污染|影响]",
        ),
        measure=Measure.AREA,
        one=True,
    ),
)
SIZES = (
    Rule(
        Kind.SIZE,
        (
            "<measure>{a}[的]{size}",
            "<measure>{a}[的尺寸|的大小]",
            "{a}[有]{big}(几|多少){unit}",
            "[到底|究竟|具体|大概|大约][有]多{big}",
            "{a}[到底|究竟|具体|大概|大约|约][有|是]多{big}",
            "[{a}[的]]{max}[的]{size}[<is>][<howmuch>][{unit}]",
            "{a}[的]{size}[值][<is>][<howmuch>][{unit}]",
            "{a}[的]{size}[<is>](几|多少){unit}",
            "{a}[<is>|长度有|直径有](几|多少){unit}",
            "{a}[<is>](几|多少){unit}[那么]{big}",
            "{size}[<is>](多少|多大|几)[{unit}]",
        ),
    ),
)
COUNTS = (
    Rule(
        Kind.COUNT,
        (
            "<count>[{f}][有|共有][<many>]{a}[的][<number>]",
            "<count>{a}[有]<many>",
            "<p>[{f}]<total>[<has>|有][了]<many>{a}",
            "{a}<total>[各|分别|都|各自][<has>|有][了](几|多少)[<mw>]",
            "{a}<at>{m}[<total>][<has>|有](几|多少)[<mw>]",
            "{a}[的]<number>[<is>|共有|共][多少|几|什么][<mw>]",
            "<many>{a}",
            "[<total>]有(几|多少)[<mw>]",
            "(几|多少)<mw>",
        ),
    ),
)
