import math

import numpy as np
import pytest

from tests.utils.answers.answer_cases import CELLS, ask, calibrated, found, known, question
from utils.questions.question import Kind, Limit, Measure, Place, Rank, Trait
from utils.values.answer import NONE

# 100 x 200 px: a scratch of 60 x 6 px in the lower left, a hole of 20 x 20 px in the centre, a bubble of 5 x 10 px at
# the top; a second, faint scratch
THINGS = found(
    ([0, 90, 60, 96], 0.9, 0),
    ([90, 40, 110, 60], 0.8, 1),
    ([100, 0, 105, 10], 0.7, 2),
    ([10, 0, 20, 10], 0.3, 0),
    size=(100, 200),
)
IN_MM = found(([0, 90, 60, 96], 0.9, 0), ([90, 40, 110, 60], 0.8, 1), size=(100, 200), mm=0.05)


def test_how_many():
    for phrases, number in (((), 3), (("scratches",), 1), (("hole", "bubbles"), 2), (("scratch", "scratches"), 1)):
        answer = ask(question(Kind.COUNT, *phrases), THINGS)
        assert (answer.kind, answer.answer, answer.number, answer.unit) == ("count", str(number), number, "")
        assert len(answer.evidence) == number
    assert answer.sentence == "1: scratch 60 x 6 px, lower left (0.90)."
    assert answer.confidence == pytest.approx(0.9) and not answer.calibrated, "of the least sure one"


def test_none_are_a_number_too():
    answer = ask(question(Kind.COUNT, "hole"), found(([0, 0, 5, 5], 0.9, 0)))
    assert (answer.answer, answer.number, answer.evidence, answer.sentence) == ("0", 0, (), "0.")
    assert answer.confidence is None


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"limits": (Limit(Measure.LENGTH, ">", 20, "px"),)}, 1),
        ({"limits": (Limit(Measure.LENGTH, ">=", 20, "px"),)}, 2),
        ({"limits": (Limit(Measure.AREA, ">", 1.9, "%"),)}, 1),
        ({"limits": (Limit(Measure.AREA, ">=", 50, "px2"), Limit(Measure.HEIGHT, "<", 10, "px"))}, 1),
        ({"places": (CELLS["centre"],)}, 1),
        ({"places": (Place("top", (0, 0, 1, 1 / 3)),)}, 1),
        ({"places": (Place("lower half", (0, 0.5, 1, 1)),)}, 2),
        ({"traits": (Trait.ELONGATED,)}, 1),
        ({"traits": (Trait.ROUND,)}, 1),
        ({"traits": (Trait.SMALL,)}, 1),
        ({"rank": Rank(Measure.AREA)}, 1),
        ({"traits": (Trait.TINY,)}, 0),
    ],
)
def test_filters_by_hand(filters, number):
    assert ask(question(Kind.COUNT, **filters), THINGS).number == number


def test_chance_of_a_count():
    """0.9, 0.8 and 0.3: two count. Exactly two of three are there in
    0.9 * 0.8 * 0.7 + 0.9 * 0.2 * 0.3 + 0.1 * 0.8 * 0.3 of the cases.
    """
    things = found(([0, 0, 5, 5], 0.9, 0), ([20, 0, 25, 5], 0.8, 0), ([40, 0, 45, 5], 0.3, 0), ([0, 0, 5, 5], 0.9, 1))
    answer = ask(question(Kind.COUNT, "scratch"), things, known(reading=calibrated()))
    assert answer.answer == "2" and answer.calibrated
    assert answer.confidence == pytest.approx(0.504 + 0.054 + 0.024)
    none = ask(question(Kind.COUNT, "bubble"), things, known(reading=calibrated()))
    assert none.answer == "0" and none.calibrated and none.confidence == 1


def test_where_largest_first_each_place_once():
    """Areas 400 px2, 360 px2 and 50 px2."""
    answer = ask(question(Kind.LOCATION), THINGS)
    assert (answer.kind, answer.answer) == ("location", "centre; lower left; top")
    assert [one.name for one in answer.evidence] == ["hole", "scratch", "bubble"]
    assert answer.sentence.startswith("Centre; lower left; top: hole 20 x 20 px, centre (0.80); ")
    twice = found(([0, 0, 5, 5], 0.9, 0), ([1, 1, 4, 4], 0.8, 0))
    assert ask(question(Kind.LOCATION), twice).answer == "upper left"
    assert ask(question(Kind.LOCATION, rank=Rank(Measure.LENGTH)), THINGS).answer == "lower left"


@pytest.mark.parametrize(
    ("word", "chinese"), [*zip(CELLS, "左上 上方 右上 左侧 中央 右侧 左下 下方 右下".split(), strict=True)]
)
def test_every_place_in_both_languages(word, chinese):
    x1, y1, x2, y2 = CELLS[word].box
    x, y = (x1 + x2) * 50, (y1 + y2) * 50
    things = found(([x - 1, y - 1, x + 1, y + 1], 0.9, 0))
    assert ask(question(Kind.LOCATION), things).answer == word
    answer = ask(question(Kind.LOCATION, language="zh"), things)
    assert answer.answer == word and answer.sentence.startswith(f"{chinese}: scratch")


@pytest.mark.parametrize(
    ("measure", "unit", "answer", "number", "of"),
    [
        (Measure.LENGTH, "", "60 px", 60, "scratch"),
        (Measure.WIDTH, "px", "20 px", 20, "hole"),
        (Measure.HEIGHT, "", "20 px", 20, "hole"),
        (Measure.AREA, "", "400 px2", 400, "hole"),
        (Measure.AREA, "px", "400 px2", 400, "hole"),
        (Measure.AREA, "%", "2 %", 2, "hole"),
        (Measure.LENGTH, "%", "60 px", 60, "scratch"),
    ],
)
def test_how_large_by_what_is_asked(measure, unit, answer, number, of):
    told = ask(question(Kind.SIZE, measure=measure, unit=unit), THINGS)
    assert (told.kind, told.answer, told.number) == ("size", answer, number)
    assert told.answer.endswith(told.unit) and [one.name for one in told.evidence] == [of]
    assert told.sentence.startswith(f"{answer}: largest of 3; {of} ")


@pytest.mark.parametrize(
    ("measure", "unit", "answer", "number"),
    [
        (Measure.LENGTH, "", "3 mm", 3),
        (Measure.LENGTH, "px", "60 px", 60),
        (Measure.AREA, "", "1 mm2", 1),
        (Measure.AREA, "mm2", "1 mm2", 1),
        (Measure.AREA, "px2", "400 px2", 400),
        (Measure.WIDTH, "mm", "1 mm", 1),
    ],
)
def test_sizes_in_mm_where_the_scale_is_known(measure, unit, answer, number):
    """0.05 mm per px: 60 px are 3 mm, 400 px2 are 1 mm2."""
    told = ask(question(Kind.SIZE, measure=measure, unit=unit), IN_MM)
    assert (told.answer, told.number, told.unit) == (answer, pytest.approx(number), answer.split()[1])


def test_size_of_the_one_by_rank():
    """How long is the smallest one? It is the smallest by area, and 10 px long."""
    asked = question(Kind.SIZE, rank=Rank(Measure.AREA, False))
    answer = ask(asked, THINGS)
    assert answer.answer == "10 px" and answer.sentence == "10 px: bubble 5 x 10 px, top (0.70)."
    leftmost = question(Kind.SIZE, rank=Rank(Measure.LEFT, False), measure=Measure.AREA)
    assert ask(leftmost, THINGS).answer == "360 px2"


def test_size_of_nothing():
    answer = ask(question(Kind.SIZE, "hole"), found(([0, 0, 5, 5], 0.9, 0)))
    assert (answer.answer, answer.number, answer.sentence, answer.evidence) == (NONE, None, "None.", ())


def test_how_much_of_the_picture():
    """Of 10,000 px2 two boxes of 40 x 10 and 10 x 40 px cover 700 together: they share 10 x 10."""
    things = found(([0, 0, 40, 10], 0.9, 0), ([0, 0, 10, 40], 0.8, 0), ([0, 50, 40, 60], 0.7, 1))
    answer = ask(question(Kind.EXTENT, "scratch", unit="%"), things)
    assert (answer.kind, answer.answer, answer.number, answer.unit) == ("extent", "7 %", 7, "%")
    assert len(answer.evidence) == 2 and answer.confidence == pytest.approx(0.8) and not answer.calibrated
    assert ask(question(Kind.EXTENT, unit="%"), things).answer == "11 %"
    assert ask(question(Kind.EXTENT, unit="px2"), things).answer == "1100 px2"
    assert ask(question(Kind.EXTENT), things).answer == "1100 px2"
    assert ask(question(Kind.EXTENT, "scratch", places=(CELLS["left"],), unit="%"), things).answer == NONE


def test_extent_by_masks_and_in_mm2():
    mask = np.zeros((100, 100), bool)
    mask[:5, :40] = True
    things = found(([0, 0, 40, 10], 0.9, 0), masks=(mask,), mm=0.1)
    assert ask(question(Kind.EXTENT, unit="%"), things).answer == "2 %"
    assert ask(question(Kind.EXTENT), things).answer == "2 mm2"


def test_nothing_covers_nothing():
    answer = ask(question(Kind.EXTENT, "hole", unit="%"), found(([0, 0, 5, 5], 0.9, 0)))
    assert (answer.answer, answer.number, answer.unit, answer.evidence) == (NONE, 0, "%", ())


def test_little_is_not_nothing():
    """2 x 2 px of 100,000 x 1,000: 0.000004 %."""
    things = found(([0, 0, 2, 2], 0.9, 0), size=(100_000, 1000))
    answer = ask(question(Kind.EXTENT, unit="%"), things)
    assert answer.answer == "0.000004 %" and math.isclose(answer.number, 4e-6)


def test_one_defect_described():
    answer = ask(question(Kind.DESCRIPTION, "hole"), THINGS)
    assert answer.kind == "description" and answer.answer == answer.sentence
    assert answer.answer == "One hole: medium (20 x 20 px), round, in the centre."
    assert len(answer.evidence) == 1


def test_several_defects_described_by_the_largest():
    answer = ask(question(Kind.DESCRIPTION), THINGS)
    assert answer.answer == (
        "scratch 1; hole 1; bubble 1; the largest, hole, is medium (20 x 20 px), round, in the centre."
    )
    assert [one.name for one in answer.evidence] == ["hole", "scratch", "bubble"]


def test_descriptions_in_chinese_and_of_nothing():
    answer = ask(question(Kind.DESCRIPTION, "scratch", language="zh"), THINGS)
    assert answer.answer == "scratch: 大 (60 x 6 px), 细长, 位于左下。"
    several = ask(question(Kind.DESCRIPTION, language="zh"), THINGS)
    assert several.answer == "scratch 1; hole 1; bubble 1; 最大的hole: 中等 (20 x 20 px), 圆形, 位于中央。"
    for language, sentence in (("en", "None."), ("zh", "无。")):
        nothing = ask(question(Kind.DESCRIPTION, language=language), found())
        assert (nothing.answer, nothing.sentence) == (NONE, sentence)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ([0, 0, 40, 5], "large (40 x 5 px), elongated, in the upper left"),
        ([40, 0, 60, 20], "medium (20 x 20 px), round, at the top"),
        ([90, 45, 99, 54], "small (9 x 9 px), round, at the right"),
        ([50, 95, 51, 96], "tiny (1 x 1 px), round, at the bottom"),
        ([80, 80, 96, 88], "medium (16 x 8 px), irregular, in the lower right"),
    ],
)
def test_size_shape_and_place_in_words(box, words):
    assert ask(question(Kind.DESCRIPTION), found((box, 0.9, 0))).answer == f"One scratch: {words}."
