import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.answers.answer_cases import found
from utils.answers.wording import Wording, counts_by_name, number_words
from utils.values.answer import EQUAL, NO, NONE, UNSURE, YES

ENGLISH, CHINESE = Wording("en"), Wording("zh")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (3, "", "3"),
        (0, "", "0"),
        (-2, "", "-2"),
        (100, "", "100"),
        (34, "px", "34 px"),
        (34.04, "px", "34 px"),
        (34.26, "px", "34.3 px"),
        (1200, "px2", "1200 px2"),
        (3.4, "mm", "3.4 mm"),
        (3.41449, "mm", "3.414 mm"),
        (0.0004, "mm", "0.0004 mm"),
        (0.00004123, "mm", "0.000041 mm"),
        (1234.5, "mm", "1234.5 mm"),
        (0.25, "mm2", "0.25 mm2"),
        (12.5, "%", "12.5 %"),
        (12.345678, "%", "12.35 %"),
        (100, "%", "100 %"),
        (0.0012, "%", "0.0012 %"),
        (0, "%", "0 %"),
        (0.01, "px", "0.01 px"),
    ],
)
def test_as_many_digits_as_mean_something(value, unit, words):
    assert number_words(value, unit) == words


@given(st.floats(1e-6, 1e6), st.sampled_from(["px", "px2", "mm", "mm2", "%"]))
def test_words_are_near_the_number_and_never_in_powers_of_ten(value, unit):
    number, _, said = number_words(value, unit).partition(" ")
    assert said == unit and set(number) <= set("0123456789.")
    assert float(number) == pytest.approx(value, abs=0.05, rel=0.05) and float(number) > 0
    assert not (number.endswith(".") or ("." in number and number.endswith("0")))


def test_counts():
    box = [0, 0, 1, 1]
    assert counts_by_name(found((box, 1, 1), (box, 1, 2), (box, 1, 2))) == "bubble 2; hole 1"
    assert counts_by_name(found((box, 1, 2), (box, 1, 0), (box, 1, 1))) == "scratch 1; hole 1; bubble 1"
    assert counts_by_name(found()) == NONE


def test_sentences():
    assert ENGLISH.sentence(YES) == "Yes." and ENGLISH.sentence(YES, "", "") == "Yes."
    assert ENGLISH.sentence("upper left; top", "", "a", "b") == "Upper left; top: a; b."
    assert CHINESE.sentence("upper left; top", "a") == "左上; 上方: a。"
    assert CHINESE.sentence("scratch 2; hole 1") == "Scratch 2; hole 1。"
    words = {YES: "是", NO: "否", UNSURE: "无法判断", NONE: "无", EQUAL: "一样", "OK": "合格", "NG": "不合格"}
    for word, chinese in words.items():
        assert CHINESE.word(word) == chinese and ENGLISH.word(word) == word


def test_things_one_by_one_and_how_many_more():
    rows = [([0, 0, 10.4, 5.6], 0.956, 0)] + [([90, 90, 95, 95], 0.9 - k / 10, 1) for k in range(4)]
    assert ENGLISH.things(found(*rows[:1])) == "scratch 10 x 6 px, upper left (0.96)"
    told = ENGLISH.things(found(*rows))
    assert told.count("lower right") == 2 and told.endswith("; and 2 more")
    assert CHINESE.things(found(*rows)).endswith("; 另有 2 个")
    assert "more" not in ENGLISH.things(found(*rows[:3])) and ENGLISH.things(found()) == ""


@pytest.mark.parametrize(
    ("mm", "words"),
    [(None, "80 x 8 px"), (0.05, "4 x 0.4 mm"), (25.4, "2032 x 203.2 mm"), (1e-6, "0.00008 x 0.000008 mm")],
)
def test_sides(mm, words):
    """A sheet of metres is not 2.03e+03 mm wide."""
    assert ENGLISH.sides(found(([0, 0, 80, 8], 0.9, 0), mm=mm), 0) == words
