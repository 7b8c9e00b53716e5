import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.quiz.answer_words import PLACES, canonical, in_words, quantity


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *[(written, "yes") for written in ("yes", "Yes.", " YES ", "Yes, there is a crack.", "有", "是的。")],
        *[(written, "no") for written in ("no", "No.", "No: it is flawless", "没有", "否")],
        *[(written, "none") for written in ("None.", "nothing", "No defects", "无缺陷")],
        *[(written, "OK") for written in ("ok", "OK.", "Good", "合格")],
        *[(written, "NG") for written in ("ng", "Bad.", "不合格")],
        *[(written, "upper left") for written in ("upper left", "Top-left", "In the top left corner.", "左上角")],
        *[(written, "centre") for written in ("center", "in the middle", "Central area", "the centre", "中间", "中央")],
        *[(written, "bottom") for written in ("bottom", "At the bottom", "the lower part", "下方")],
        *[(written, "right") for written in ("on the right side", "right", "右侧")],
        ("cannot tell", "cannot tell"),
        ("No defect is as bad", "no defect is as bad"),
        ("Nothing else", "nothing else"),
        ("  Live  Knot. ", "live knot"),
        ("upper upper", "upper upper"),
        ("", ""),
    ],
)
def test_one_word_for_each_answer(text, word):
    assert canonical(text) == word


@pytest.mark.parametrize("word", [*PLACES, "yes", "no", "none", "OK", "NG", "cannot tell", "equal"])
def test_words_of_answers_mean_themselves(word):
    assert canonical(word) == word


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", (3, "")),
        ("Three.", (3, "")),
        ("1,207", (1207, "")),
        ("-2", (-2, "")),
        ("34 px", (34, "px")),
        ("34.5 pixels", (34.5, "px")),
        ("0.25mm", (0.25, "mm")),
        ("3 millimetres", (3, "mm")),
        ("12 mm²", (12, "mm2")),
        ("12 square millimeters", (12, "mm2")),
        ("400 px2", (400, "px2")),
        ("12.5 %", (12.5, "%")),
        ("12.5 percent", (12.5, "%")),
        ("5毫米", (5, "mm")),
        ("5平方毫米", (5, "mm2")),
        ("scratch 2", None),
        ("3 scratches", None),
        ("1,2", None),
        ("yes", None),
        ("", None),
        ("px", None),
    ],
)
def test_numbers_with_units(text, number):
    assert quantity(text) == number


@pytest.mark.parametrize(
    ("number", "unit", "words"),
    [
        (3, "", "3"),
        (0, "", "0"),
        (100, "", "100"),
        (-2, "", "-2"),
        (34.0, "px", "34 px"),
        (34.56, "px", "34.6 px"),
        (12345.6, "px2", "12346 px2"),
        (0.01254, "%", "0.0125 %"),
        (0.00001, "mm", "0.00001 mm"),
    ],
)
def test_numbers_in_words(number, unit, words):
    assert in_words(number, unit) == words


@given(st.floats(1e-6, 1e9), st.sampled_from(["", "px", "px2", "mm", "mm2", "%"]))
def test_words_are_read_back_within_half_a_per_cent(number, unit):
    assert quantity(in_words(number, unit)) == (pytest.approx(number, rel=0.0051), unit)
