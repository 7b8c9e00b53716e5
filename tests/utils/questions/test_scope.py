"""One of several things, or all of them; what nobody can check; what a pronoun stands for."""

import pytest

from tests.utils.asking.forms import form, forms, subject
from utils.questions.question import Amount, Kind, Limit, Measure, Rank


def hole(sign, language="en"):
    return subject("hole" if language == "en" else "气泡", limits=(Limit(Measure.LENGTH, sign, 4, "mm"),))


@pytest.mark.parametrize(
    "text", ["are the holes smaller than 4 mm?", "is the hole diameter below 4 mm?", "are all holes under 4 mm?"]
)
def test_below_a_limit_is_every_one(text):
    """There is none of 4 mm or more."""
    assert forms(text) == [form(Kind.PRESENCE, hole(">="), negated=True)]


def test_a_pronoun_is_as_definite():
    assert forms("is there a hole? is it smaller than 4 mm?")[1] == form(Kind.PRESENCE, hole(">="), negated=True)


def test_in_chinese_too():
    every = form(Kind.PRESENCE, hole(">=", "zh"), negated=True, language="zh")
    assert forms("气泡小于4毫米吗") == [every]
    assert forms("有小于4毫米的气泡吗") == [form(Kind.PRESENCE, hole("<", "zh"), language="zh")]


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("are the holes larger than 4 mm?", ">"),
        ("is there a hole smaller than 4 mm?", "<"),
        ("is any hole smaller than 4 mm?", "<"),
        ("holes smaller than 4 mm?", "<"),
    ],
)
def test_above_a_limit_or_where_one_is_asked_for_one_decides(text, sign):
    assert forms(text) == [form(Kind.PRESENCE, hole(sign))]


@pytest.mark.parametrize(
    "text",
    [
        "are there many bubbles?",
        "are there too many bubbles?",
        "is there another bubble?",
        "is the crack too long?",
        "are all holes round?",
        "is the hole area over 6 %?",
        "划痕面积超过6%了吗",
        "is the crack longer than 5 mm or wider than 2 mm?",
        "is the scratch at least 15 mm longer than the crack?",
        "划痕比裂纹长多少",
        "what percentage of the scratches are longer than 7 mm?",
        "are there more than 5 kinds of defects?",
        "is there only one type of defect?",
        "缺陷超过5种吗",
    ],
)
def test_what_cannot_be_told_is_refused(text):
    assert forms(text) == [None]


def test_a_share_of_the_picture_may_have_a_limit():
    asked = subject("scratch", limits=(Limit(Measure.LENGTH, ">", 2, "mm"),))
    (read,) = forms("what percentage of the picture is covered by scratches longer than 2 mm?")
    assert (read.kind, read.subjects) == (Kind.EXTENT, (asked,))


def test_at_all_is_not_all():
    assert forms("is there a crack at all?") == [form(Kind.PRESENCE, "crack")]


def test_several_are_two():
    assert forms("are there several bubbles?") == [form(Kind.PRESENCE, "bubble", amount=Amount(">", 1))]


def test_a_pronoun_keeps_place_and_rank():
    corner, smallest = subject(places=["upper right"]), subject(rank=Rank(Measure.AREA, False))
    assert forms("is there a defect in the upper right? what is it?") == [
        form(Kind.PRESENCE, corner),
        form(Kind.CLASS, corner),
    ]
    assert forms("what is the smallest defect and where is it?") == [
        form(Kind.CLASS, smallest),
        form(Kind.LOCATION, smallest),
    ]
    first, last = forms("is there a crack? what is the smallest defect? how long is it?")[::2]
    assert first == form(Kind.PRESENCE, "crack") and last == form(Kind.SIZE, smallest), "not the crack"
    assert forms("is there a crack? is the part good? where is it?")[2] == form(Kind.LOCATION, "crack")


def test_parts_of_a_corner():
    asked = form(Kind.PRESENCE, subject("划痕", places=["upper left"]), language="zh")
    for text in ("左上部分有划痕吗", "左上部位有划痕吗", "左上角有划痕吗"):
        assert forms(text) == [asked]
