import pytest

from tests.utils.answers.answer_cases import ask, calibrated, found, known, question
from utils.questions.question import Kind, Limit, Measure, Place, Rank, Relation, Subject
from utils.values.answer import EQUAL, NO, NONE, YES

LEFT, RIGHT = Place("left", (0, 0, 0.5, 1)), Place("right", (0.5, 0, 1, 1))


def counted(scratches, holes, score=0.9):
    """So many of each, scratches of 8 x 2 px on the left, holes of 3 x 3 px on the right."""
    rows = [([5 * k, 0, 5 * k + 8, 2], score, 0) for k in range(scratches)]
    return found(*rows, *(([80, 5 * k, 83, 5 * k + 3], score, 1) for k in range(holes)))


def compare(relation, one="scratch", other="holes", **of):
    two = Subject((one,)), Subject((other,))
    return question(Kind.COMPARISON, subjects=two, relation=relation, **({"measure": Measure.AREA} | of))


@pytest.mark.parametrize("numbers", [(3, 1), (1, 3), (2, 2), (0, 2), (2, 0), (0, 0)])
def test_by_number(numbers):
    one, other = numbers
    for relation, true in ((Relation.MORE, one > other), (Relation.FEWER, one < other), (Relation.EQUAL, one == other)):
        answer = ask(compare(relation), counted(*numbers))
        assert answer.kind == "comparison" and answer.answer == (YES if true else NO)
        assert len(answer.evidence) == one + other
        assert answer.sentence == f"{answer.answer.capitalize()}: scratch {one}, hole {other}."


def test_which_there_are_more_or_fewer_of():
    for relation, named in ((Relation.MORE, "scratch"), (Relation.FEWER, "hole")):
        assert ask(compare(relation, choose=True), counted(3, 1)).answer == named
        assert ask(compare(relation, choose=True), counted(2, 2)).answer == EQUAL
    assert ask(compare(Relation.MORE, choose=True), counted(0, 1)).answer == "hole"
    assert ask(compare(Relation.MORE, choose=True), counted(0, 0)).answer == EQUAL


def test_how_many_more():
    for relation, gap in ((Relation.MORE, 2), (Relation.FEWER, -2)):
        answer = ask(compare(relation, difference=True), counted(3, 1))
        assert (answer.answer, answer.number, answer.unit) == (str(gap), gap, "")
        assert answer.sentence == f"{gap}: scratch 3, hole 1."
    assert ask(compare(Relation.MORE, difference=True), counted(2, 2)).number == 0


def test_in_chinese_a_comparison_is_right_or_not():
    """And not `there is one`."""
    yes, no = (ask(compare(Relation.MORE, language="zh"), counted(*n)) for n in ((3, 1), (1, 3)))
    assert (yes.answer, yes.sentence) == (YES, "是: scratch 3, hole 1。")
    assert (no.answer, no.sentence) == (NO, "否: scratch 1, hole 3。")
    assert ask(compare(Relation.MORE, choose=True, language="zh"), counted(1, 1)).sentence.startswith("一样: ")


def test_chance_of_an_order():
    """A scratch of 0.9 and a hole of 0.6: one and one. Both or neither are there in 0.54 + 0.04 of the cases; more
    scratches in 0.9 * 0.4.
    """
    both = found(([0, 0, 5, 5], 0.9, 0), ([50, 0, 55, 5], 0.6, 1))
    answer = ask(compare(Relation.EQUAL), both, known(reading=calibrated()))
    assert answer.answer == YES and answer.calibrated and answer.confidence == pytest.approx(0.58)
    answer = ask(compare(Relation.MORE), both, known(reading=calibrated(0.7)))
    assert answer.answer == YES and answer.confidence == pytest.approx(0.36), "the hole does not count"
    assert not ask(compare(Relation.MORE), both).calibrated and ask(compare(Relation.MORE), found()).confidence is None


# the largest scratch covers 100 px2, the largest hole 64 px2; there are smaller ones of both, a larger faint one
SIZES = found(
    ([0, 0, 50, 2], 0.9, 0),
    ([0, 9, 3, 12], 0.95, 0),
    ([60, 0, 68, 8], 0.8, 1),
    ([60, 20, 62, 22], 0.8, 1),
    ([0, 50, 40, 90], 0.3, 1),
)


def test_whose_largest_is_larger():
    for one, other, larger in (("scratch", "hole", True), ("hole", "scratch", False)):
        for relation, true in ((Relation.LARGER, larger), (Relation.SMALLER, not larger)):
            answer = ask(compare(relation, one, other), SIZES)
            assert answer.answer == (YES if true else NO)
            assert [one.box for one in answer.evidence] == (
                [(0, 0, 50, 2), (60, 0, 68, 8)] if larger else [(60, 0, 68, 8), (0, 0, 50, 2)]
            )
    assert ask(compare(Relation.LARGER, choose=True), SIZES).answer == "scratch"
    assert ask(compare(Relation.SMALLER, choose=True), SIZES).answer == "hole"
    answer = ask(compare(Relation.LARGER, choose=True), SIZES, known(reading=calibrated()))
    assert answer.calibrated and answer.confidence == pytest.approx(0.72), "both are there"
    assert answer.sentence == "Scratch: scratch 50 x 2 px, upper left (0.90); hole 8 x 8 px, top (0.80)."


def test_longer_is_not_larger():
    """30 x 2 px against 9 x 9 px."""
    things = found(([0, 0, 30, 2], 0.9, 0), ([50, 0, 59, 9], 0.9, 1))
    assert ask(compare(Relation.LARGER), things).answer == NO
    assert ask(compare(Relation.LARGER, measure=Measure.LENGTH), things).answer == YES
    assert ask(compare(Relation.SMALLER, measure=Measure.WIDTH, choose=True), things).answer == "scratch"


def test_as_large_as_each_other():
    things = found(([0, 0, 4, 9], 0.9, 0), ([50, 0, 56, 6], 0.9, 1))
    for relation in (Relation.LARGER, Relation.SMALLER):
        assert ask(compare(relation), things).answer == NO
        assert ask(compare(relation, choose=True), things).answer == EQUAL


def test_larger_than_what_is_not_there():
    """There is no answer, not a yes; the one that is there is shown."""
    for one, other in (("scratch", "bubbles"), ("bubbles", "scratch")):
        answer = ask(compare(Relation.LARGER, one, other), SIZES)
        assert answer.answer == NONE and {one.name for one in answer.evidence} == {"scratch"}
        assert answer.sentence == "None: no bubble."
    assert ask(compare(Relation.LARGER), found()).answer == NONE


def test_one_class_in_two_places():
    """Are there more scratches on the left or on the right?"""
    two = Subject(("scratch",), places=(LEFT,)), Subject(("scratch",), places=(RIGHT,))
    things = found(([0, 0, 9, 9], 0.9, 0), ([0, 20, 9, 29], 0.9, 0), ([80, 0, 99, 9], 0.9, 0))
    asked = question(Kind.COMPARISON, subjects=two, choose=True)
    answer = ask(asked, things)
    assert answer.answer == "left" and answer.sentence == "Left: left 2, right 1."
    larger = question(Kind.COMPARISON, subjects=two, choose=True, relation=Relation.LARGER)
    assert ask(larger, things).answer == "right"
    others = Subject(("scratch",), places=(LEFT,)), Subject(("hole",), places=(RIGHT,))
    assert ask(question(Kind.COMPARISON, subjects=others, choose=True), things).answer == "scratch", "names tell enough"
    anything = tuple(Subject(places=one.places) for one in two)
    assert ask(question(Kind.COMPARISON, subjects=anything, choose=True), things).answer == "left"
    assert ask(question(Kind.COMPARISON, subjects=anything), things).answer == YES


def test_what_is_no_class_of_its_own_is_called_as_it_was_asked():
    """Any defect against holes, and two classes against one."""
    asked = question(Kind.COMPARISON, subjects=(Subject(), Subject(("holes",))), choose=True)
    answer = ask(asked, counted(3, 1))
    assert answer.answer == "defect" and answer.sentence == "Defect: defect 4, hole 1."
    asked = question(Kind.COMPARISON, subjects=(Subject(("holes",)), Subject(("scratch", "bubble"))), choose=True)
    assert ask(asked, counted(3, 1)).answer == "scratch or bubble"


def test_filters_of_each_subject():
    long = Limit(Measure.LENGTH, ">", 5, "px")
    asked = question(Kind.COMPARISON, subjects=(Subject(("scratch",), (long,)), Subject(("hole",), (long,))))
    assert ask(asked, counted(1, 3)).answer == YES, "no hole is that long"
    ranked = Subject(("scratch",), rank=Rank(Measure.AREA)), Subject(("hole",), rank=Rank(Measure.AREA, False))
    answer = ask(question(Kind.COMPARISON, subjects=ranked, relation=Relation.LARGER), SIZES)
    assert answer.answer == YES and answer.evidence[1].box == (60, 20, 62, 22)


@pytest.mark.parametrize("subjects", [(), (Subject(),)])
def test_which_class_there_is_most_or_least_of(subjects):
    """Of those that are there."""
    for numbers, most, least in (((3, 1), "scratch", "hole"), ((0, 2), "hole", "hole"), ((2, 2), EQUAL, EQUAL)):
        for relation, word in ((Relation.MORE, most), (Relation.FEWER, least)):
            asked = question(Kind.COMPARISON, subjects=subjects, relation=relation, choose=True)
            answer = ask(asked, counted(*numbers))
            assert answer.answer == word and len(answer.evidence) == sum(numbers)
    assert answer.sentence == "Equal: scratch 2; hole 2."
    assert ask(question(Kind.COMPARISON, subjects=subjects), found()).answer == NONE
