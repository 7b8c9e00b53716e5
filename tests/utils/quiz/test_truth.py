import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.glass_cases import record
from tests.utils.quiz.quiz_cases import PLATE, records
from utils.quiz.answer_words import PLACES
from utils.quiz.truth import Truth, differ, union_area
from utils.values.record import EVERY_CLASS


def around(x, y):
    """A picture with one box of 4 px around a point, in % of its sides."""
    return Truth.of(record([[x - 2, y - 2, x + 2, y + 2]], [0]))


def place(x, y):
    truth = around(x, y)
    return truth.place(truth.boxes[0])


def test_the_plate():
    truth = Truth.of(PLATE)
    assert [truth.count(label) for label in (0, 1, 2, None)] == [2, 0, 1, 3]
    assert truth.largest(0).tolist() == [10, 10, 50, 20] and truth.largest(1) is None
    assert [truth.place(box) for box in truth.boxes] == ["upper left", "lower right", "centre"]
    assert [truth.share(label) for label in (0, 1, 2, None)] == pytest.approx([0.06, 0, 0.048, 0.108])
    assert truth.complete() and all(truth.complete(label) for label in range(4))


def test_nine_places():
    middles = (16, 50, 84)
    assert [place(x, y) for y in middles for x in middles] == list(PLACES)


def test_near_a_line_there_is_no_place():
    """The lines are at 33.3 and 66.7 %; 2 % on both sides of them are nobody's."""
    assert [place(x, 50) for x in (31, 32, 34, 35, 36)] == ["left", "", "", "", "centre"]
    assert [place(50, y) for y in (64, 65, 68, 69)] == ["centre", "", "", "bottom"]
    assert place(0, 0) == "upper left" and place(100, 100) == "lower right", "the picture's edges are no lines"


def test_a_side_may_be_a_cell_a_third_or_a_half():
    """What lies in the lower left is on the left for some and not for others."""

    def on(word, x, y):
        truth = around(x, y)
        within = truth.within(truth.boxes).get(word)
        return None if within is None else bool(within[0])

    assert on("left", 16, 50) is True and on("left", 16, 84) is None and on("left", 40, 50) is None
    assert on("left", 84, 50) is False and on("left", 53, 50) is False and on("left", 51, 50) is None
    assert on("top", 50, 16) is True and on("top", 84, 16) is None and on("top", 50, 84) is False
    assert on("lower left", 16, 84) is True and on("lower left", 16, 67) is None and on("lower left", 50, 84) is False
    assert list(Truth.of(record([], [])).within(np.zeros((0, 4)))) == list(PLACES), "nothing is nowhere"


def test_ties_have_no_largest():
    """100 x 10 and 10 x 99 px2 differ by 1 %; 97 by 3 %."""
    tie = Truth.of(record([[0, 0, 100, 10], [0, 0, 10, 99]], [0, 0]))
    assert tie.largest(0) is None
    assert Truth.of(record([[0, 0, 10, 97], [0, 0, 100, 10]], [0, 0])).largest(0).tolist() == [0, 0, 100, 10]
    assert Truth.of(record([[5, 5, 5, 50]], [0])).largest(0) is None, "a line has no area"
    assert differ(100, 97) and differ(97, 100) and not differ(100, 99) and not differ(0, 0)


def test_regions_to_ignore_leave_their_class_open():
    truth = Truth.of(record([[0, 0, 9, 9], [20, 20, 30, 30]], [0, 1], [False, True]))
    assert truth.count() == 1 and truth.count(1) == 0
    assert truth.complete(0) and not truth.complete(1) and not truth.complete()
    everywhere = Truth.of(record([[0, 0, 9, 9], [20, 20, 30, 30]], [0, EVERY_CLASS], [False, True]))
    assert not everywhere.complete(0) and not everywhere.complete(1) and not everywhere.complete()


def test_boxes_end_with_the_picture():
    truth = Truth.of(record([[-10, 50, 20, 130]], [0]))
    assert truth.boxes.tolist() == [[0, 50, 20, 100]] and truth.share(0) == pytest.approx(0.1)


def test_union_by_hand():
    """Two of 10 x 10 px that share 5 x 5, one of them twice, and one apart of 2 x 3."""
    boxes = [[0, 0, 10, 10], [5, 5, 15, 15], [0, 0, 10, 10], [30, 30, 32, 33]]
    assert union_area(np.array(boxes, float)) == 100 + 100 - 25 + 6
    assert union_area(np.zeros((0, 4))) == 0 and union_area(np.array([[3.0, 3, 3, 9]])) == 0


@given(st.lists(st.tuples(*[st.integers(0, 24)] * 4), max_size=8))
def test_union_against_a_raster(corners):
    boxes = np.array([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners], float).reshape(-1, 4)
    raster = np.zeros((24, 24), bool)
    for x1, y1, x2, y2 in boxes.astype(int):
        raster[y1:y2, x1:x2] = True
    assert union_area(boxes) == raster.sum()
    assert union_area(boxes / 8) == pytest.approx(raster.sum() / 64)


@given(records())
def test_places_agree(one):
    """A box has at most one place, and is within it by every reading or by some."""
    truth = Truth.of(one)
    for box in truth.boxes:
        within = truth.within(box[None])
        surely = [word for word, flags in within.items() if flags[0]]
        assert len(surely) <= 1 and all(word == truth.place(box) for word in surely)
        if found := truth.place(box):
            assert within[found][0]
