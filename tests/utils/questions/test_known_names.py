"""Names of classes are kept whole and come back as they were given, whatever else their words mean."""

import pytest

from tests.utils.asking.forms import form, forms, subject
from utils.questions.known_names import KnownNames
from utils.questions.marks import Marks, Name
from utils.questions.question import Kind, Trait

AWKWARD = (
    "rolled-in scale",
    "knot with crack",
    "small hole",
    "live knot",
    "long crack",
    "upper left chip",
    "dent, deep",
    "Cloth dotted with holes",
    "Paint and peel",
    "Length Short",
    "裂纹",
    "小孔",
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("rolled-in scale", "rolled-in scale"),
        ("rolled in scales", "rolled-in scale"),
        ("Rolled-In_Scale", "rolled-in scale"),
        ("knot with crack", "knot with crack"),
        ("knots with cracks", "knot with crack"),
        ("knot_with_crack", "knot with crack"),
        ("small holes", "small hole"),
        ("small-hole", "small hole"),
        ("LiveKnot", "live knot"),
        ("live_knots", "live knot"),
        ("LIVE KNOTS", "live knot"),
        ("long cracks", "long crack"),
        ("upper left chips", "upper left chip"),
        ("dent, deep", "dent, deep"),
        ("cloth dotted with holes", "Cloth dotted with holes"),
        ("paint and peel", "Paint and peel"),
        ("length shorts", "Length Short"),
        ("裂纹", "裂纹"),
        ("小孔", "小孔"),
    ],
)
def test_a_name_is_kept_whole(written, name):
    assert forms(f"how many {written} are there?", AWKWARD) == [form(Kind.COUNT, name)]
    assert forms(f"is there a {written} on the left?", AWKWARD) == [form(Kind.PRESENCE, subject(name, places=["left"]))]


def test_a_name_in_chinese_words():
    assert forms("有几个小孔", AWKWARD) == [form(Kind.COUNT, "小孔", language="zh")]
    assert forms("有几个小孔", ()) == [form(Kind.COUNT, subject("孔", traits=(Trait.SMALL,)), language="zh")]


def test_what_stands_before_a_name_is_still_a_filter():
    assert forms("how many tiny small holes are there?", AWKWARD) == [
        form(Kind.COUNT, subject("small hole", traits=(Trait.TINY,)))
    ]
    assert forms("is there a dark live knot?", AWKWARD) == [form(Kind.PRESENCE, "dark live knot")]


def test_names_that_are_words_of_the_grammar():
    names = ("good", "defect", "area", "left", "open", "short", "round", "no defect", "缺陷", "良品")
    assert forms("is the part good?", names) == [form(Kind.VERDICT)]
    assert forms("how many defects are there?", names) == [form(Kind.COUNT)]
    assert forms("what is the area of the open?", names)[0].subjects == (subject("open"),)
    assert forms("how many holes are on the left?", names)[0].subjects[0].places
    assert forms("is there a short?", names) == [form(Kind.PRESENCE, "short")]
    assert forms("is the open larger than the short?", names)[0].subjects == (subject("open"), subject("short"))
    assert forms("where is the round?", names) == [form(Kind.LOCATION, "round")]
    assert forms("how many good are there?", names) == [form(Kind.COUNT, "good")]
    assert forms("有几个缺陷", names) == [form(Kind.COUNT, language="zh")]
    assert forms("是良品吗", names) == [form(Kind.VERDICT, language="zh")]


def test_a_participle_is_a_known_name_by_its_stem():
    for word, name in (
        ("cracked", "crack"),
        ("pitted", "pits"),
        ("dented", "Dent"),
        ("rusty", "rust"),
        ("crazed", "crazing"),
    ):
        assert forms(f"is the surface {word}?", (name,)) == [form(Kind.PRESENCE, name)]
        assert forms(f"is the surface {word}?", ("hole",)) == [None]


def test_marks():
    marks, names = Marks(), KnownNames(("live knot", "knot", "knot with crack"))
    marked = names.mark("a Live-Knot, knots with cracks and a knot", marks)
    assert marked.split() == ["a", "\ue000", ",", "\ue001", "and", "a", "knot"]
    assert marks.names == [Name("Live-Knot", "live knot"), Name("knots with cracks", "knot with crack")]
    assert names.find("Knots") == "knot" and names.find("hole") is None


def test_characters_that_marks_are_made_of_say_nothing():
    assert forms("is there a \ue000 crack \ue400?") == [form(Kind.PRESENCE, "crack")]
    assert forms("is there a \ue000?") == [None]


def test_strange_names_do_no_harm():
    names = ("", "--", "?", "a" * 500, "crack", "CRACK ", "İ")
    assert forms("is there a crack?", names) == [form(Kind.PRESENCE, "crack")]
    assert forms("how many cracks are there?", names) == [form(Kind.COUNT, "crack")]
