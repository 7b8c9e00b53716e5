from dataclasses import replace

import pytest

from utils.questions.question import Kind
from utils.quiz.item import QuizItem
from utils.quiz.judging import abstained, choose, refused, right
from utils.values.answer import Answer


def answer(word="", number=None, unit="", refusal="", kind="presence"):
    return Answer("?", kind, word, number, unit, refusal=refusal)


def item(expected, kind=None, **more):
    return QuizItem(0, "?", kind, expected, **more)


def measured(number, unit, tolerance=None):
    return item("?", Kind.SIZE, number=number, unit=unit, tolerance=tolerance)


@pytest.mark.parametrize(
    ("expected", "word", "is_right"),
    [
        ("yes", "yes", True),
        ("yes", "no", False),
        ("yes", "cannot tell", False),
        ("no", "no", True),
        ("NG", "NG", True),
        ("NG", "OK", False),
        ("upper left", "upper left", True),
        ("upper left", "top left", True),
        ("upper left", "upper left; bottom", False),
        ("centre", "CENTER", True),
        ("none", "none", True),
        ("none", "scratch 1", False),
        ("scratch 2; hole 1", "scratch 2; hole 1", True),
        ("scratch 2; hole 1", "hole 1;  Scratch 2", True),
        ("scratch 2; hole 1", "scratch 1; hole 1", False),
        ("scratch 2; hole 1", "scratch 2", False),
        ("scratch 2; hole 1", "none", False),
        ("hole; Scratch", "scratch 2; hole 1", True),
        ("scratch, holes", "scratch 2; hole 1", True),
        ("scratch", "scratch 2; hole 1", False),
        ("live knot", "LiveKnot", True),
        ("live knot", "DeadKnot", False),
        ("LiveKnot 1", "live knot 1", True),
        ("-- 1", "++ 1", False),
        ("equal", "equal", True),
        ("type 2", "type 2", True),
        ("--", "-", False),
    ],
)
def test_words(expected, word, is_right):
    assert right(item(expected), answer(word)) is is_right


@pytest.mark.parametrize(
    ("expected", "options", "is_right"),
    [
        ("yes", (), True),
        ("no", (), False),
        ("cannot tell", (), True),
        ("A", (("A", "Yes."), ("B", "No.")), True),
        ("B", (("A", "Yes."), ("B", "No.")), False),
        ("A", (("A", "Yes."), ("B", "No."), ("C", "Cannot tell.")), False),
        ("C", (("A", "Yes."), ("B", "No."), ("C", "Cannot tell.")), True),
    ],
)
def test_cannot_tell_is_judged_by_what_is_likelier(expected, options, is_right):
    """Unless it is itself an answer that may be given."""
    unsure = replace(answer("cannot tell"), likelier="yes")
    assert right(item(expected, options=options), unsure) is is_right


@pytest.mark.parametrize(
    ("truth", "unit", "said", "said_unit", "is_right"),
    [
        (20, "px", 21, "px", True),
        (20, "px", 21.1, "px", False),
        (20, "px", 19, "px", True),
        (200, "px", 204, "px", True),
        (200, "px", 204.5, "px", False),
        (20, "px", 20, "mm", False),
        (20, "px", 20, "px2", False),
        (20, "px", 20, "", False),
        (2.0, "mm", 2.04, "mm", True),
        (2.0, "mm", 2.05, "mm", False),
        (2.0, "mm", 2.0, "px", False),
        (12.0, "%", 13.0, "%", True),
        (12.0, "%", 13.1, "%", False),
        (80.0, "%", 81.6, "%", True),
        (80.0, "%", 81.7, "%", False),
        (0.5, "%", 1.4, "%", True),
        (0.5, "%", 0.0, "%", False),
        (3, "", 3, "", True),
        (3, "", 4, "", False),
        (100, "", 101, "", False),
        (0, "", 0, "", True),
    ],
)
def test_numbers(truth, unit, said, said_unit, is_right):
    one = measured(truth, unit)
    assert right(one, answer(f"{said} {said_unit}", said, said_unit)) is is_right
    assert right(one, answer(f"{said} {said_unit}")) is is_right, "from its words"


def test_an_items_own_tolerance():
    """A pixel of 0.05 mm more on a scratch of 0.2 mm; of a fixed number none."""
    assert right(measured(0.2, "mm", 0.05), answer("0.25 mm", 0.25, "mm"))
    assert not right(measured(0.2, "mm", 0.05), answer("0.251 mm", 0.251, "mm"))
    assert right(measured(480, "px2", 45), answer("525 px2", 525, "px2"))
    assert not right(measured(480, "px2"), answer("525 px2", 525, "px2"))


def test_nothing_is_not_a_little():
    nothing, little = item("none", Kind.EXTENT, unit="%"), measured(0.4, "%")
    assert right(nothing, answer("none")) and right(nothing, answer("0 %", 0.0, "%"))
    assert not right(nothing, answer("0.4 %", 0.4, "%")) and not right(little, answer("none"))
    assert right(item("0", Kind.COUNT, number=0.0), answer("none"))


def test_refusals_are_right_where_nothing_can_be_said():
    impossible, possible = item("", answerable=False), item("yes")
    no_answer = answer(refusal="I cannot say why")
    assert right(impossible, no_answer) and not right(impossible, answer("yes"))
    assert not right(possible, no_answer) and not right(impossible, answer("cannot tell"))
    assert refused(no_answer) and refused(answer()) and not refused(answer("no"))
    assert abstained(answer("cannot tell")) and not abstained(no_answer) and not abstained(answer("no"))


def test_a_word_with_a_refusal_is_refused():
    assert not right(item("yes"), answer("yes", refusal="no"))


YES_NO = (("A", "Yes."), ("B", "No."))
PLACES = (("A", "Top left"), ("B", "In the center."), ("C", "the lower right corner"), ("D", "On the right side"))
NAMES = (("A", "Broken large."), ("B", "Scratches"), ("C", "live-knot"), ("D", "No defect."))
COUNTS = (("A", "1"), ("B", "two"), ("C", "30"))
SIZES = (("A", "20 px"), ("B", "40 px"), ("C", "20 mm"), ("D", "none"))


@pytest.mark.parametrize(
    ("options", "said", "letter"),
    [
        (YES_NO, answer("yes"), "A"),
        (YES_NO, answer("no"), "B"),
        (YES_NO, answer("cannot tell"), ""),
        (YES_NO, answer(refusal="no"), ""),
        (YES_NO, answer("B"), "B"),
        (YES_NO, answer("c"), ""),
        ((("A", "No, it is not."), ("B", "Yes, there is one.")), answer("yes"), "B"),
        ((("A", "yes"), ("B", "Yes.")), answer("yes"), ""),
        ((("A", "是"), ("B", "否")), answer("no"), "B"),
        (PLACES, answer("upper left"), "A"),
        (PLACES, answer("centre"), "B"),
        (PLACES, answer("lower right"), "C"),
        (PLACES, answer("right"), "D"),
        (PLACES, answer("bottom"), ""),
        (PLACES, answer("upper left; bottom"), "A"),
        (PLACES, answer("upper left; right"), ""),
        (NAMES, answer("broken_large 1"), "A"),
        (NAMES, answer("scratch 2; hole 1"), "B"),
        (NAMES, answer("LiveKnot"), "C"),
        (NAMES, answer("scratch 2; LiveKnot 1"), ""),
        (NAMES, answer("none"), "D"),
        (COUNTS, answer("1", 1.0), "A"),
        (COUNTS, answer("2", 2.0), "B"),
        (COUNTS, answer("3", 3.0), ""),
        (SIZES, answer("20.4 px", 20.4, "px"), "A"),
        (SIZES, answer("20 mm", 20.0, "mm"), "C"),
        (SIZES, answer("30 px", 30.0, "px"), ""),
        (SIZES, answer("none"), "D"),
    ],
)
def test_options(options, said, letter):
    one = item(letter or options[0][0], options=options)
    assert choose(one, said) == letter and right(one, said) is bool(letter)
