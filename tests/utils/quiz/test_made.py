from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.glass_cases import record
from tests.utils.quiz.quiz_cases import GOOD, NAMES, PLATE, asked, records, said
from utils.questions.question import Kind
from utils.quiz.judging import right
from utils.quiz.made import make_questions
from utils.values.record import EVERY_CLASS

OF_THE_PLATE = {
    "Is there a scratch?": "yes",
    "Is there an oil stain?": "no",
    "Are there any live knots?": "no",
    "图中有hole吗?": "yes",
    "Is there a defect?": "yes",
    "有没有缺陷?": "yes",
    "Is there a scratch in the upper left?": "yes",
    "Is there a scratch in the centre?": "no",
    "Are there any holes in the centre?": "yes",
    "右下角有没有scratch?": "yes",
    "Is there a scratch longer than 24 px?": "yes",
    "Is there a scratch longer than 60 px?": "no",
    "有没有长于14 px的hole?": "yes",
    "Are there at least 2 scratches?": "yes",
    "Can you see at least 3 scratches?": "no",
    "至少有1个hole吗?": "yes",
    "至少有2个hole吗?": "no",
    "Which defects are there?": "scratch 2; hole 1",
    "有哪些缺陷?": "scratch 2; hole 1",
    "How many scratches are there?": "2",
    "How many live knots are there?": "0",
    "有几个缺陷?": "3",
    "How many scratches are in the lower right?": "1",
    "How many holes are there in the lower left?": "0",
    "How many scratches are longer than 14 px?": "2",
    "How many scratches longer than 28 px are there?": "1",
    "有几个长于57 px的scratch?": "0",
    "Where is the largest scratch?": "upper left",
    "Where is the hole?": "centre",
    "hole在哪里?": "centre",
    "Where is the largest live knot?": "none",
    "Which defects are in the lower right?": "scratch 1",
    "Which defects are in the lower left?": "none",
    "中间有哪些缺陷?": "hole 1",
    "How long is the largest scratch?": "40 px",
    "How wide is the largest scratch?": "10 px",
    "How long is the hole in px?": "24 px",
    "How tall is the hole?": "20 px",
    "What is the area of the hole?": "480 px2",
    "最大的scratch的面积是多少平方像素?": "400 px2",
    "How wide is the largest oil stain?": "none",
    "How much of the picture do scratches cover?": "6 %",
    "What share of the picture is covered by defects?": "10.8 %",
    "hole占图片的百分之几?": "4.8 %",
    "What percentage of the picture do oil stains cover?": "none",
    "Are there more scratches than holes?": "yes",
    "Are there more holes than scratches?": "no",
    "hole比scratch少吗?": "yes",
    "Are there as many scratches as holes?": "no",
    "Which are there more of, holes or scratches?": "scratch",
    "How many more scratches than holes are there?": "1",
    "How many more scratches than live knots are there?": "2",
    "Is the largest scratch larger than the largest hole?": "no",
    "Which is larger, the scratch or the hole?": "hole",
    "hole和scratch哪个大?": "hole",
    "Is the part good?": "NG",
    "这个零件合格吗?": "NG",
    "Why did it crack?": "",
    "Is there a rainbow?": "",
    "How many giraffes are there?": "",
    "How long is the largest hole in mm?": "",
}
IN_MM = {
    "How long is the largest scratch?": "2 mm",
    "How long is the largest scratch in px?": "40 px",
    "How wide is the hole in mm?": "1 mm",
    "What is the area of the hole?": "1.2 mm2",
    "What is the area of the hole in square pixels?": "480 px2",
    "Is there a scratch longer than 1.2 mm?": "yes",
    "Is there a scratch longer than 60 px?": "no",
    "How many scratches are longer than 1.4 mm?": "1",
    "How much of the picture do scratches cover?": "6 %",
}


@pytest.fixture(scope="module")
def of_the_plate():
    return asked(PLATE, 900)


def test_the_plate_by_hand(of_the_plate):
    assert {question: of_the_plate[question].expected for question in OF_THE_PLATE} == OF_THE_PLATE


def test_the_plate_in_mm():
    items = asked(PLATE, 600, mm_per_px=0.05)
    assert {question: items[question].expected for question in IN_MM} == IN_MM
    area = items["What is the area of the hole?"]
    assert (area.number, area.unit) == (pytest.approx(1.2), "mm2")
    assert area.tolerance == pytest.approx((24 + 20 + 1) * 0.05**2), "a pixel more to both sides"
    assert items["How long is the largest scratch?"].tolerance == pytest.approx(0.05)
    assert not [item for item in items.values() if item.kind is Kind.SIZE and not item.answerable]


def test_what_comes_with_an_answer(of_the_plate):
    count = of_the_plate["How many scratches are there?"]
    assert (count.kind, count.number, count.unit, count.subject) == (Kind.COUNT, 2, "", "scratch")
    length = of_the_plate["How long is the largest scratch?"]
    assert (length.number, length.unit, length.tolerance) == (40, "px", 1)
    absent = of_the_plate["How wide is the largest oil stain?"]
    assert (absent.number, absent.unit, absent.subject) == (None, "px", "oil_stain")
    assert of_the_plate["Are there more scratches than holes?"].subject == "scratch; hole"
    assert of_the_plate["Which is larger, the scratch or the hole?"].kind is Kind.COMPARISON
    why, long = of_the_plate["Why did it crack?"], of_the_plate["How long is the largest hole in mm?"]
    assert (why.kind, why.answerable, why.group) == (None, False, "unanswerable")
    assert (long.kind, long.answerable, long.group, long.unit) == (Kind.SIZE, False, "unanswerable", "mm")


def test_every_kind_is_asked_but_those_without_truth(of_the_plate):
    groups = {item.group for item in of_the_plate.values()}
    assert groups == {str(kind) for kind in Kind} - {"description", "severity"} | {"unanswerable"}


def test_a_good_picture():
    items = asked(GOOD, 300)
    assert {item.expected for item in items.values()} == {"no", "none", "0", "OK", ""}
    assert {item.expected for item in items.values() if item.kind is Kind.VERDICT} == {"OK"}
    assert not [item for item in items.values() if item.kind is Kind.COMPARISON]


def test_as_many_yes_as_no():
    """Where half of the pictures are good, a third of the presence questions are about any defect, or in a place or of
    a size.
    """
    items = make_questions([PLATE, GOOD] * 300, NAMES, 0, None)
    answers = Counter(item.expected for item in items if item.kind is Kind.PRESENCE and item.answerable)
    assert answers["yes"] > 450 and 0.9 < answers["yes"] / answers["no"] < 1.1
    about_scratches = [item for item in items if item.kind is Kind.PRESENCE and " longer " in item.question]
    assert Counter(item.expected for item in about_scratches)["yes"] == pytest.approx(len(about_scratches) / 2, rel=0.1)


def test_ties_are_not_asked_about():
    """Two scratches of 300 px2 and a hole of 297 px2: no largest one, and no larger class."""
    items = asked(record([[0, 0, 30, 10], [50, 50, 60, 80], [70, 10, 97, 21]], [0, 0, 2]), 300).values()
    assert not [item for item in items if item.answerable and "larg" in item.question and item.subject == "scratch"]
    assert not [item for item in items if item.kind is Kind.COMPARISON and "larger" in item.question]
    assert [item for item in items if item.question == "Are there more scratches than holes?"]


def test_things_on_a_line_have_no_place():
    """The centre of the scratch is at a third of the width."""
    items = asked(record([[30, 10, 36, 20]], [0]), 300).values()
    places = {item.question for item in items if "左" in item.question or "upper" in item.question}
    assert not [item for item in items if item.kind is Kind.LOCATION and item.subject == "scratch"]
    assert not [question for question in places if "upper left" in question or "左上" in question]
    assert [item for item in items if "lower right" in item.question], "there is surely nothing"


def test_regions_to_ignore_are_not_asked_about():
    """One scratch is boxed and a region of scratches to ignore; whether there are holes is known, defects are."""
    items = asked(record([[0, 0, 30, 10], [50, 50, 60, 80]], [0, 0], [False, True]), 300).values()
    about = [item for item in items if item.answerable and "scratch" in item.subject]
    assert about and {(item.kind, item.expected) for item in about} == {(Kind.PRESENCE, "yes")}
    assert {item.expected for item in items if item.kind is Kind.PRESENCE and item.subject == "hole"} == {"no"}
    assert not [item for item in items if item.kind in (Kind.CLASS, Kind.COMPARISON)]
    assert {item.expected for item in items if item.kind is Kind.VERDICT} == {"NG"}


def test_nothing_but_a_region_to_ignore_is_neither_good_nor_bad():
    items = asked(record([[50, 50, 60, 80]], [EVERY_CLASS], [True]), 100).values()
    assert items and not [item for item in items if item.answerable]


@pytest.mark.parametrize(
    ("names", "subjects"),
    [
        (("scratch", "Scratches", "hole", "oil"), {"hole", "oil"}),
        (("defect", "dent", "hole", "oil"), {"dent", "hole", "oil"}),
        (("--", "dent", "hole", "oil"), {"dent", "hole", "oil"}),
    ],
)
def test_names_that_mean_two_things_are_not_asked_for(names, subjects):
    items = asked(PLATE, 60, names=names).values()
    asked_for = {one for item in items if item.answerable for one in item.subject.split("; ")}
    assert asked_for - {""} == subjects
    assert f"{names[0]} 2; hole 1" in {item.expected for item in items}


def test_one_class_alone_may_be_called_defect():
    items = asked(record([[0, 0, 30, 10]], [0]), 60, names=("defect",))
    assert items["How many defects are there?"].expected == "1" and items["Is there a defect?"].expected == "yes"


def test_pictures_do_not_change_each_other():
    first = make_questions([PLATE, GOOD], NAMES, 7, None)
    more = make_questions([PLATE, GOOD, PLATE, GOOD], NAMES, 7, None)
    assert [item for item in more if item.picture < 2] == first
    assert make_questions([GOOD, GOOD, PLATE], NAMES, 7, None)[-3:] == [item for item in more if item.picture == 2][-3:]
    assert make_questions([PLATE, GOOD], NAMES, 8, None) != first
    texts = [[item.question for item in more if item.picture == picture] for picture in (0, 2)]
    assert texts[0] != texts[1], "the same picture twice is not asked the same"


def test_as_many_good_pictures_as_bad_ones_are_asked_for_the_verdict():
    """Which ones: the seed says. All else that is asked is asked as without."""
    pictures = [PLATE] * 40 + [GOOD] * 10
    items = make_questions(pictures, NAMES, 0, None)
    verdicts = [item for item in items if item.kind is Kind.VERDICT]
    assert Counter(item.expected for item in verdicts) == {"OK": 10, "NG": 10}
    other = {item.picture for item in make_questions(pictures, NAMES, 1, None) if item.kind is Kind.VERDICT}
    assert other != {item.picture for item in verdicts}
    bad = make_questions(pictures[:40], NAMES, 0, None)
    assert not [item for item in bad if item.kind is Kind.VERDICT], "none is good"
    assert bad == [item for item in items if item.picture < 40 and item.kind is not Kind.VERDICT]


@settings(max_examples=60)
@given(records(), st.integers(0, 2**32), st.sampled_from([None, 0.05]))
def test_expected_answers_are_right_and_others_not(one, seed, mm_per_px):
    for item in make_questions([one], NAMES, seed, mm_per_px):
        assert right(item, said(item)), item
        assert not right(item, said(item, "cannot tell")) and (item.expected == "") != item.answerable
        if item.number is not None and item.kind is not Kind.EXTENT:
            assert not right(item, replace(said(item), number=item.number + 1000)), item
