from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.answers.answer_cases import NAMES, SAME, ask, found, known, question
from utils.answers.odds import Odds
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.deciding.thresholds import NEVER
from utils.questions.question import Kind
from utils.values.answer import NO, NONE, UNSURE, YES

limits = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0])
readings = st.builds(
    lambda a, b, c: ClassReading(min(a, b), max(a, b), c), limits, limits.filter(bool) | st.just(NEVER), limits
)
three = st.tuples(readings, readings, readings)
scores = st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5, 0.69, 0.7, 1.0])
detected = st.lists(st.tuples(scores, st.integers(0, 2)), max_size=7)
subsets = st.sets(st.integers(0, 2), min_size=1)


def arrays(rows):
    return np.array([score for score, _ in rows], float), np.array([label for _, label in rows], int)


def reading_of(classes, some=None):
    return ScoreReading(classes, some, (0.5,) * len(classes))


def test_one_class_by_hand():
    one = ClassReading(0.2, 0.6, 0.4)
    assert [one.shows(best) for best in (0, 0.19, 0.2, 0.59, 0.6, 1)] == [False, False, None, None, True, True]
    assert one.counted(np.array([0.7, 0.4, 0.39])).tolist() == [True, True, False]
    assert one.counted(np.array([0.5, 0.4, 0.3])).tolist() == [True, True, False], "perhaps there, then two"
    assert one.counted(np.zeros(0)).tolist() == []


def test_counts_agree_with_presence():
    """From 0.3 on it is there, counted from 0.5 on: 0.35 and 0.32 are one, the best. Below 0.6 it is not there: 0.55
    does not count, whatever the other limit says.
    """
    late = ClassReading(0.3, 0.3, 0.5)
    assert late.counted(np.array([0.32, 0.35])).tolist() == [False, True]
    early = ClassReading(0.6, 0.6, 0.5)
    assert not early.counted(np.array([0.55, 0.52])).any() and early.counted(np.array([0.6, 0.52])).all()


@given(three, detected, st.integers(0, 2))
def test_there_is_one_exactly_where_some_are_counted(classes, rows, label):
    """Of one class. Where nobody can tell, there may be some or none."""
    (values, of), reading = arrays(rows), reading_of(classes)
    shows, many = reading.shows({label}, values, of), int(reading.counted({label}, values, of).sum())
    assert shows is None or shows == (many >= 1)
    if not (of == label).any():
        assert shows is not True and many == 0


@given(three, detected, subsets)
def test_several_classes_show_one_where_one_of_them_does(classes, rows, labels):
    (values, of), reading = arrays(rows), reading_of(classes)
    told = [reading.shows({k}, values, of) for k in labels]
    shows = reading.shows(labels, values, of)
    assert shows == (True if True in told else None if None in told else False)
    counted = reading.counted(labels, values, of)
    assert counted.sum() == sum(reading.counted({k}, values, of).sum() for k in labels)
    assert set(of[counted]) <= labels and (shows is None or shows == counted.any())


@given(three, detected, subsets)
def test_the_classes_that_are_named_are_those_that_count_by_their_score(classes, rows, labels):
    """Of what is there for a question about one class only, because a false yes may be as frequent as that, none is
    named; but the best one where nothing else would be.
    """
    (values, of), reading = arrays(rows), reading_of(classes)
    named, counted = reading.named(labels, values, of), reading.counted(labels, values, of)
    surely = counted & (values >= np.array([classes[k].counts_from for k in of]))
    if surely.any() or not counted.any():
        assert np.array_equal(named, surely)
    else:
        assert np.array_equal(named, (values == values.max()) & named) and named.any()
    for k in labels:
        if reading.shows({k}, values, of) is False:
            assert not (of[named] == k).any()


@given(three, readings, detected)
def test_of_some_defect_whatever_its_own_reading_tells(classes, some, rows):
    (values, of), reading = arrays(rows), reading_of(classes, some)
    every = {0, 1, 2}
    assert reading.shows(every, values, of) == some.shows(values.max(initial=0))
    assert np.array_equal(reading.counted(every, values, of), some.counted(values))
    if reading.shows(every, values, of):
        assert reading.counted(every, values, of).any() and reading.named(every, values, of).any()
    without = reading_of(classes)
    for few in ({0}, {0, 1}):
        assert reading.shows(few, values, of) == without.shows(few, values, of), "not all of them"
        assert np.array_equal(reading.counted(few, values, of), without.counted(few, values, of))


@given(three, st.none() | readings, detected, st.randoms(use_true_random=False))
def test_no_order_matters(classes, some, rows, random):
    order = random.sample(range(len(rows)), len(rows))
    (values, of), reading = arrays(rows), reading_of(classes, some)
    for labels in ({0}, {1, 2}, {0, 1, 2}):
        assert reading.shows(labels, values[order], of[order]) == reading.shows(labels, values, of)
        for judge in (reading.counted, reading.named):
            assert np.array_equal(judge(labels, values[order], of[order]), judge(labels, values, of)[order])


@settings(max_examples=30)
@given(three, detected)
def test_answers_about_one_class_agree(classes, rows):
    """No: none is counted, it is nowhere, and not among the classes. Yes: at least one, at a place."""
    things = found(*(([10 * k, 0, 10 * k + 5, 5], score, label) for k, (score, label) in enumerate(rows)))
    knows = known(reading=reading_of(classes))
    named = ask(question(Kind.CLASS), things, knows).answer
    for name in NAMES:
        answer, number, place, size, seen = (
            ask(question(kind, name), things, knows).answer
            for kind in (Kind.PRESENCE, Kind.COUNT, Kind.LOCATION, Kind.SIZE, Kind.CLASS)
        )
        counted = int(number)
        assert answer == UNSURE or answer == (YES if counted else NO)
        assert (place == NONE) == (size == NONE) == (counted == 0)
        assert seen == (f"{name} {counted}" if counted else NONE)
        assert counted == 0 or seen in named.split("; ")
        assert counted or name not in named
    total = int(ask(question(Kind.COUNT), things, knows).answer)
    assert total == sum(int(part.rsplit(" ", 1)[1]) for part in named.split("; ") if part != NONE)


@pytest.mark.parametrize("threshold", [0.0, 1e-9])
def test_a_picture_without_detections_shows_nothing_even_from_0_on(threshold):
    reading = ScoreReading.uncalibrated((threshold,) * 3)
    nothing = np.zeros(0), np.zeros(0, int)
    assert reading.shows({0}, *nothing) is False and reading.shows({0, 1, 2}, *nothing) is False
    assert reading.named({0, 1, 2}, *nothing).tolist() == []
    assert reading.counted({0}, np.array([0.001]), np.array([0])).all()


def test_the_best_one_is_named_where_some_defect_is_there_and_no_class():
    """Any defect from 0.3 on, each class from 0.6 on: 0.4 and 0.35 of different classes; somebody has to be it."""
    reading = reading_of((ClassReading.at(0.6),) * 3, ClassReading.at(0.3))
    values, of = np.array([0.35, 0.4]), np.array([0, 2])
    assert reading.shows({0, 1, 2}, values, of) and reading.named({0, 1, 2}, values, of).tolist() == [False, True]
    assert not reading.named({0, 1}, np.array([0.35]), np.array([0])).any(), "asked of these two, none is there"


def test_chances_by_hand():
    """Of two classes as likely as their best scores, 0.9 and 0.5: 1 - 0.1 * 0.5."""
    one = replace(ClassReading.at(0.5), odds=SAME)
    reading = ScoreReading((one, one, ClassReading.at(0.5)), replace(one, odds=Odds(0.0, 0.0)), (0.5,) * 3)
    values, of = np.array([0.9, 0.3, 0.5]), np.array([0, 0, 1])
    assert reading.chance({0}, values, of) == pytest.approx(0.9)
    assert reading.chance({0, 1}, values, of) == pytest.approx(0.95)
    assert reading.chance({0, 2}, values, of) is None, "of class 2 nothing is fitted"
    assert reading.chance({0, 1, 2}, values, of) == pytest.approx(0.5), "of any by its own odds"


def test_prompts_of_a_question_are_no_defects():
    """The third class was asked for once: any defect means the first two, and it never decides."""
    reading = ScoreReading.uncalibrated((0.25, 0.25, 0.25), own=2)
    assert reading.thresholds == (0.25, 0.25, NEVER) and reading.classes[2] == ClassReading.at(0.25)
    with_any = replace(reading, some=ClassReading.at(0.6))
    values, of = np.array([0.5]), np.array([0])
    assert with_any.shows({0, 1}, values, of) is False and with_any.shows({0, 1, 2}, values, of) is True


def test_everything_that_a_reading_asks_for_is_gathered():
    """The least of all limits, those of any defect among them."""
    classes = (ClassReading(0.3, 0.5, 0.2), ClassReading(0.4, 0.4, 0.4))
    assert ScoreReading(classes, None, (0.6, 0.25)).lowest == 0.2
    assert ScoreReading(classes, None, (0.6, 0.1)).lowest == 0.1
    assert ScoreReading(classes, ClassReading(0.05, 0.5, 0.3), (0.6, 0.25)).lowest == 0.05
    assert ScoreReading(classes, ClassReading(0.3, 0.5, 0.15), (0.6, 0.25)).lowest == 0.15
    assert ScoreReading.uncalibrated((0.25,)).lowest == 0.25


def test_limits_out_of_order_are_a_mistake_of_ours():
    with pytest.raises(AssertionError):
        ClassReading(0.5, 0.4, 0.5)
    with pytest.raises(AssertionError):
        ClassReading(0.0, 0.0, 0.5)
