"""Chinese questions of every kind, each in many words that must be read as the same; and both languages in one."""

import pytest

from tests.utils.asking.forms import cases, form, forms, subject
from utils.questions.question import Amount, Kind, Limit, Measure, Rank, Relation, Trait

LARGEST, LONGEST = Rank(Measure.AREA), Rank(Measure.LENGTH)
OIL = subject("油污")


def zh(kind, *subjects, **fields):
    return form(kind, *subjects, language="zh", **fields)


PRESENCES = [
    (
        zh(Kind.PRESENCE, "裂纹"),
        [
            "有没有裂纹?",
            "有裂纹吗？",
            "图中有没有裂纹",
            "请问这张图片里有裂纹吗？",
            "是否有裂纹",
            "是否存在裂纹？",
            "图中存在裂纹吗",
            "看得到裂纹吗",
            "能看到裂纹吗？",
            "表面有裂纹吗",
            "有裂纹没有",
            "有任何裂纹吗",
            "是不是有裂纹",
            "这是裂纹吗？",
            "裂纹？",
            "检查一下有没有裂纹",
            "有 裂 纹 吗 ？",
        ],
    ),
    (zh(Kind.PRESENCE), ["有缺陷吗", "有没有问题？", "有什么异常吗", "是否存在瑕疵", "表面有没有不良"]),
    (zh(Kind.PRESENCE, "划痕", negated=True), ["没有划痕吗？", "无划痕吗", "是不是没有划痕", "表面没有划痕吧"]),
    (
        zh(Kind.PRESENCE, subject("裂纹", places=["upper left"])),
        ["左上角有没有裂纹", "图像左上角有裂纹吗", "有没有左上角的裂纹"],
    ),
]
CLASSES = [
    (
        zh(Kind.CLASS),
        [
            "有哪些缺陷",
            "有什么缺陷？",
            "图中有哪些缺陷?",
            "是什么缺陷",
            "这是什么缺陷？",
            "缺陷类型是什么",
            "缺陷有哪些",
            "存在哪些类型的缺陷",
            "列出所有缺陷",
            "零件上存在什么缺陷",
            "看到了什么缺陷",
            "你看到了什么",
            "有几种缺陷",
            "缺陷种类",
        ],
    ),
    (zh(Kind.CLASS, subject(places=["lower left"])), ["左下角有哪些缺陷", "左下角是什么缺陷？", "哪些缺陷在左下角"]),
    (zh(Kind.CLASS, subject(rank=LARGEST)), ["最大的缺陷是什么", "面积最大的缺陷是什么？"]),
]
COUNTS = [
    (
        zh(Kind.COUNT, "气泡"),
        [
            "有几个气泡?",
            "有多少个气泡",
            "图中有多少气泡",
            "气泡有几个？",
            "气泡有多少个",
            "气泡的数量是多少",
            "气泡的数量",
            "数一下气泡",
            "请数一下图中的气泡",
            "统计一下气泡的数量",
            "总共有多少个气泡",
            "气泡数量",
            "多少个气泡",
        ],
    ),
    (
        zh(Kind.COUNT, subject("划痕", limits=(Limit(Measure.LENGTH, ">", 2, "mm"),))),
        [
            "长度大于2毫米的划痕有几条",
            "有几条大于2mm的划痕？",
            "有多少条长度超过 2 毫米的划痕",
            "比2毫米长的划痕有几条",
        ],
    ),
    (zh(Kind.COUNT, subject("气泡", places=["right half"])), ["右半部分有几个气泡", "右半边的气泡有多少个"]),
]
LOCATIONS = [
    (
        zh(Kind.LOCATION, subject("划痕", rank=LARGEST)),
        [
            "最大的划痕在哪里?",
            "最大的划痕在哪儿",
            "最大的划痕在什么位置",
            "最大的划痕位于哪里？",
            "最大划痕的位置",
            "最大的划痕的位置在哪里",
            "最大的划痕在图像的哪个位置",
            "请指出最大的划痕",
            "找出最大的划痕",
            "定位最大的划痕",
            "最大的划痕在哪个角",
            "最大的划痕在左边还是右边",
        ],
    ),
    (zh(Kind.LOCATION, "裂纹"), ["哪里有裂纹", "裂纹在哪"]),
]
SIZES = [
    (
        zh(Kind.SIZE, subject("裂纹", rank=LARGEST)),
        [
            "最大的裂纹有多大",
            "最大的裂纹多长？",
            "最大裂纹的尺寸",
            "最大裂纹的大小是多少",
            "测量最大裂纹的长度",
            "最大的裂纹有多长",
        ],
    ),
    (zh(Kind.SIZE, "划痕", measure=Measure.WIDTH), ["划痕有多宽", "划痕的宽度", "划痕的宽度是多少？"]),
    (zh(Kind.SIZE, "划痕", measure=Measure.HEIGHT), ["划痕有多高", "划痕的高度是多少"]),
    (zh(Kind.SIZE, "划痕", unit="mm"), ["划痕的长度是多少毫米", "划痕长多少毫米？", "划痕有几毫米长"]),
    (zh(Kind.SIZE, "划痕", measure=Measure.AREA), ["划痕的面积有多大", "划痕面积是多少"]),
]
EXTENTS = [
    (
        zh(Kind.EXTENT, OIL, measure=Measure.AREA, unit="%"),
        [
            "油污占图像的百分之几",
            "油污的覆盖率",
            "油污的面积占比是多少",
            "油污占整个图像的比例是多少",
            "油污占了多大比例？",
            "表面有多少被油污覆盖",
            "油污覆盖率是多少",
            "油污占百分之多少",
        ],
    ),
    (
        zh(Kind.EXTENT, OIL, measure=Measure.AREA),
        ["油污占多少面积", "油污的总面积", "油污覆盖了多少面积？", "有多少面积被油污覆盖"],
    ),
    (zh(Kind.EXTENT, OIL, measure=Measure.AREA, unit="mm2"), ["油污的总面积是多少平方毫米"]),
]
COMPARISONS = [
    (zh(Kind.COMPARISON, "裂纹", "划痕"), ["裂纹比划痕多吗", "裂纹是否比划痕多", "裂纹的数量比划痕多吗？"]),
    (zh(Kind.COMPARISON, "裂纹", "划痕", relation=Relation.FEWER), ["裂纹比划痕少吗"]),
    (zh(Kind.COMPARISON, "裂纹", "划痕", relation=Relation.LARGER, measure=Measure.AREA), ["裂纹比划痕大吗"]),
    (zh(Kind.COMPARISON, "裂纹", "划痕", relation=Relation.LARGER), ["裂纹比划痕长吗？"]),
    (zh(Kind.COMPARISON, "裂纹", "划痕", relation=Relation.SMALLER, measure=Measure.AREA), ["裂纹比划痕小吗"]),
    (
        zh(Kind.COMPARISON, "裂纹", "划痕", choose=True),
        ["裂纹和划痕哪个多", "裂纹和划痕哪个更多？", "裂纹多还是划痕多"],
    ),
    (
        zh(Kind.COMPARISON, "裂纹", "划痕", relation=Relation.LARGER, choose=True, measure=Measure.AREA),
        ["裂纹和划痕哪个大", "裂纹和划痕哪个更大"],
    ),
    (zh(Kind.COMPARISON, "裂纹", "划痕", relation=Relation.EQUAL), ["裂纹和划痕一样多吗", "裂纹与划痕的数量相同吗"]),
    (zh(Kind.COMPARISON, choose=True), ["哪种缺陷最多", "最常见的缺陷是什么", "什么缺陷最多？"]),
    (zh(Kind.COMPARISON, choose=True, relation=Relation.FEWER), ["哪种缺陷最少"]),
    (zh(Kind.COMPARISON, "裂纹", "划痕", difference=True), ["裂纹比划痕多几个", "裂纹比划痕多多少条"]),
]
DESCRIPTIONS = [
    (
        zh(Kind.DESCRIPTION, "裂纹"),
        [
            "描述裂纹",
            "描述一下裂纹",
            "请描述一下裂纹",
            "裂纹是什么样的",
            "裂纹长什么样？",
            "裂纹是什么形状",
            "裂纹的形状是什么",
            "介绍一下裂纹",
            "裂纹的外观",
            "说说裂纹",
        ],
    ),
    (zh(Kind.DESCRIPTION), ["描述缺陷", "描述你看到的缺陷", "请描述图像中的缺陷"]),
]
VERDICTS = [
    (
        zh(Kind.VERDICT),
        [
            "合格吗",
            "是否合格",
            "这个零件合格吗？",
            "是良品吗",
            "好的吗",
            "产品是好的吗",
            "OK还是NG",
            "能用吗",
            "判定结果是什么",
            "合不合格",
            "可以放行吗",
            "良品还是不良品",
            "产品OK吗",
        ],
    ),
    (zh(Kind.VERDICT, negated=True), ["是不良品吗", "不合格吗", "是次品吗？", "需要报废吗", "这件是NG吗"]),
]
SEVERITIES = [
    (
        zh(Kind.SEVERITY),
        [
            "严重吗",
            "有多严重？",
            "严重程度",
            "等级",
            "严重程度如何",
            "缺陷严重吗",
            "缺陷等级是多少",
            "是几级缺陷",
            "缺陷有多严重",
        ],
    ),
    (zh(Kind.SEVERITY, "裂纹"), ["裂纹严重吗", "裂纹的严重程度是多少", "裂纹有多严重"]),
]
TABLES = (
    [PRESENCES, CLASSES, COUNTS, LOCATIONS, SIZES, EXTENTS, COMPARISONS, DESCRIPTIONS, VERDICTS, SEVERITIES]
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case for table in TABLES for case in cases(table)])
def test_a_question_is_read_as_its_form(text, expected):
    assert forms(text) == [expected]


def test_every_kind_has_a_dozen_paraphrases_at_least():
    for table in TABLES:
        assert len(cases(table)) >= 12
    assert {expected.kind for table in TABLES for expected, _ in table} == set(Kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("有没有crack?", zh(Kind.PRESENCE, "crack")),
        ("有没有 black spots？", zh(Kind.PRESENCE, "black spot")),
        ("LiveKnot有几个", zh(Kind.COUNT, "LiveKnot")),
        ("最大的 knot with crack 在哪里", zh(Kind.LOCATION, subject("knot with crack", rank=LARGEST))),
        ("有没有 fine dust", zh(Kind.PRESENCE, "fine dust")),
        ("is there a 裂纹?", form(Kind.PRESENCE, "裂纹")),
        ("how many 气泡 are in the left half?", form(Kind.COUNT, subject("气泡", places=["left half"]))),
    ],
)
def test_words_of_one_language_in_a_question_of_the_other(text, expected):
    assert forms(text) == [expected]


def test_filters():
    assert forms("有几个小的气泡") == [zh(Kind.COUNT, subject("气泡", traits=(Trait.SMALL,)))]
    assert forms("有没有细长的划痕") == [zh(Kind.PRESENCE, subject("划痕", traits=(Trait.ELONGATED,)))]
    assert forms("有没有微小的圆形气泡") == [zh(Kind.PRESENCE, subject("气泡", traits=(Trait.TINY, Trait.ROUND)))]
    assert forms("最左边的裂纹在哪里") == [zh(Kind.LOCATION, subject("裂纹", rank=Rank(Measure.LEFT, False)))]
    wide = Limit(Measure.WIDTH, ">=", 0.5, "mm")
    assert forms("有没有宽度不小于0.5毫米的划痕") == [zh(Kind.PRESENCE, subject("划痕", limits=(wide,)))]
    between = (Limit(Measure.LENGTH, ">=", 2, "mm"), Limit(Measure.LENGTH, "<=", 5, "mm"))
    assert forms("有没有2到5毫米之间的裂纹") == [zh(Kind.PRESENCE, subject("裂纹", limits=between))]
    large = Limit(Measure.AREA, ">", 5, "mm2")
    assert forms("面积大于5平方毫米的油污有几处") == [zh(Kind.COUNT, subject("油污", limits=(large,)))]
    assert forms("20像素以上的气泡有几个") == [
        zh(Kind.COUNT, subject("气泡", limits=(Limit(Measure.LENGTH, ">=", 20, "px"),)))
    ]


def test_lists():
    assert forms("有没有裂纹和气泡") == [zh(Kind.PRESENCE, "裂纹"), zh(Kind.PRESENCE, "气泡")]
    assert forms("有没有裂纹或气泡") == [zh(Kind.PRESENCE, subject("裂纹", "气泡"))]
    assert forms("有没有裂纹、划痕或者气泡") == [zh(Kind.PRESENCE, subject("裂纹", "划痕", "气泡"))]
    assert forms("裂纹和气泡各有几个") == [zh(Kind.COUNT, "裂纹"), zh(Kind.COUNT, "气泡")]


def test_several_questions():
    assert forms("有裂纹吗，有几个气泡？") == [zh(Kind.PRESENCE, "裂纹"), zh(Kind.COUNT, "气泡")]
    assert forms("有没有裂纹？在哪里？有多长？") == [
        zh(Kind.PRESENCE, "裂纹"),
        zh(Kind.LOCATION, "裂纹"),
        zh(Kind.SIZE, "裂纹"),
    ]
    assert forms("有几个气泡；为什么会开裂。产品合格吗") == [zh(Kind.COUNT, "气泡"), None, zh(Kind.VERDICT)]


@pytest.mark.parametrize("text", ["有没有左上角的crack?", "左上角有没有crack?", "左上角有crack吗?"])
def test_a_known_latin_name_behind_a_place(text):
    assert forms(text) == [zh(Kind.PRESENCE, subject("crack", places=["upper left"]))]


@pytest.mark.parametrize("text", ["有几个长于1.2 mm的crack?", "有几个长于1.2mm的crack?", "长于1.2 毫米的crack有几个?"])
def test_a_blank_before_the_unit(text):
    limit = Limit(Measure.LENGTH, ">", 1.2, "mm")
    assert forms(text) == [zh(Kind.COUNT, subject("crack", limits=(limit,)))]


@pytest.mark.parametrize(
    ("text", "asked", "amount"),
    [
        ("有超过3个划痕吗?", subject("划痕"), (">", 3)),
        ("有没有超过三条划痕", subject("划痕"), (">", 3)),
        ("至少有两个气泡吗", subject("气泡"), (">=", 2)),
        ("划痕的数量超过3个吗", subject("划痕"), (">", 3)),
        ("划痕是否不到5条", subject("划痕"), ("<", 5)),
        ("左上角有3个以上的气泡吗", subject("气泡", places=["upper left"]), (">=", 3)),
        ("只有一个气泡吗", subject("气泡"), ("=", 1)),
        ("有两个气泡吗", subject("气泡"), ("=", 2)),
        ("气泡是4个吗", subject("气泡"), ("=", 4)),
        ("缺陷最多10个吗", subject(), ("<=", 10)),
    ],
)
def test_so_many(text, asked, amount):
    assert forms(text) == [zh(Kind.PRESENCE, asked, amount=Amount(*amount))]


def test_pixels_are_no_number_of_things():
    limit = Limit(Measure.LENGTH, ">", 3, "px")
    assert forms("有超过3个像素的划痕吗") == [zh(Kind.PRESENCE, subject("划痕", limits=(limit,)))]


@pytest.mark.parametrize("text", ["哪个缺陷最大?", "哪种缺陷最大", "哪个缺陷的面积最大", "哪一个瑕疵是最大的"])
def test_which_defect_is_the_largest(text):
    assert forms(text) == [zh(Kind.CLASS, subject(rank=LARGEST))]


def test_which_of_a_class_is_the_longest():
    assert forms("哪条划痕最长") == [zh(Kind.LOCATION, subject("划痕", rank=LONGEST))]
    assert forms("哪种缺陷最多")[0].kind is Kind.COMPARISON


def test_a_filter_behind_its_noun():
    limit = Limit(Measure.LENGTH, ">", 5, "mm")
    assert forms("裂纹有没有超过5毫米？") == [zh(Kind.PRESENCE, subject("裂纹", limits=(limit,)))]
    assert forms("裂纹是不是在右上角") == [zh(Kind.PRESENCE, subject("裂纹", places=["upper right"]))]


def test_whether_it_is_so_asks_for_nothing_else():
    assert forms("没有裂纹，对吗?") == [zh(Kind.PRESENCE, "裂纹", negated=True)]
    assert forms("有裂纹, 对吧?") == [zh(Kind.PRESENCE, "裂纹")]


def test_a_word_that_counts_things_is_none_of_them():
    assert forms("左半边有几条划痕，右半边有几条?") == [
        zh(Kind.COUNT, subject("划痕", places=[side])) for side in ("left half", "right half")
    ]
