"""Several questions in one text, and words of one that stand for what the one before it was about."""

import pytest

from tests.utils.asking.forms import NAMES, form, forms, subject
from utils.asking.parser import parse
from utils.questions.question import Kind, Measure, Rank

CRACK, BUBBLES = form(Kind.PRESENCE, "crack"), form(Kind.COUNT, "bubble")


@pytest.mark.parametrize(
    "text",
    [
        "is there a crack? how many bubbles are there?",
        "Is there a crack and how many bubbles are there?",
        "Is there a crack, and how many bubbles are there?",
        "is there a crack; how many bubbles",
        "is there a crack\nhow many bubbles",
        "Is there a crack. How many bubbles are there.",
        "有没有crack？how many bubbles？".replace("有没有crack", "is there a crack"),
        "1. Is there a crack? 2. How many bubbles are there?",
        "- is there a crack\n- how many bubbles",
        "Hello, is there a crack? Also, how many bubbles are there? Thanks!",
        "is there a crack, how many bubbles do you see?",
    ],
)
def test_two_questions(text):
    assert forms(text) == [CRACK, BUBBLES]


def test_each_has_its_own_text():
    read = parse("Is there a crack and how many bubbles are there? Why?", NAMES)
    assert [one.text for one in read] == ["Is there a crack", "how many bubbles are there", "Why"]


@pytest.mark.parametrize(
    "text",
    [
        "In this picture, is there a crack?",
        "Please, is there a crack?",
        "ok, is there a crack?",
        "Well, is there a crack?",
        "On the part, is there a crack?",
    ],
)
def test_a_comma_need_not_end_a_question(text):
    assert forms(text) == [CRACK]


def test_a_point_in_a_number_ends_nothing():
    (question,) = forms("is there a crack longer than 2.5 mm?")
    assert question.subjects[0].limits[0].value == 2.5
    (question,) = forms("is there a crack longer than approx. 2 mm?")
    assert question.subjects[0].limits[0].value == 2


def test_and_of_two_nouns_is_two_questions_of_one_form():
    assert forms("is there a crack and a hole?") == [CRACK, form(Kind.PRESENCE, "hole")]
    assert forms("is there a crack or a hole?") == [form(Kind.PRESENCE, subject("crack", "hole"))]


def test_one_noun_asked_in_two_ways():
    assert forms("how long and wide is the scratch?") == [
        form(Kind.SIZE, "scratch"),
        form(Kind.SIZE, "scratch", measure=Measure.WIDTH),
    ]
    assert forms("What is the length and width of the scratch?") == [
        form(Kind.SIZE, "scratch"),
        form(Kind.SIZE, "scratch", measure=Measure.WIDTH),
    ]
    assert forms("how many and where are the holes?") == [form(Kind.COUNT, "hole"), form(Kind.LOCATION, "hole")]
    assert forms("number and position of the holes") == [form(Kind.COUNT, "hole"), form(Kind.LOCATION, "hole")]


def test_pronouns_stand_for_what_was_asked_before():
    assert forms("Is there a crack? If so, where is it and how long is it?") == [
        CRACK,
        form(Kind.LOCATION, "crack"),
        form(Kind.SIZE, "crack"),
    ]
    assert forms("are there holes on the left? how many?") == [
        form(Kind.PRESENCE, subject("hole", places=["left"])),
        form(Kind.COUNT, subject("hole", places=["left"])),
    ]
    assert forms("how many holes are there and where is the largest?") == [
        form(Kind.COUNT, "hole"),
        form(Kind.LOCATION, subject("hole", rank=Rank(Measure.AREA))),
    ]


def test_a_pronoun_alone_is_any_defect():
    assert forms("where is it?") == [form(Kind.LOCATION)]
    assert forms("how big is it?") == [form(Kind.SIZE)]
