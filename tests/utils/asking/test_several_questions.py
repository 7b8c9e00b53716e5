"""Several questions in one text, and words of one that stand for what the one before it was about."""

import pytest

from tests.utils.asking.forms import NAMES, form, forms, subject
from utils.asking.parser import parse
from utils.questions.question import Kind, Limit, Measure, Rank, Trait

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
    assert forms("where is the largest hole? how many are there?")[1] == form(Kind.COUNT, "hole")
    assert forms("is there a hole on the left? how many in the upper half?")[1] == (
        form(Kind.COUNT, subject("hole", places=["left", "upper half"]))
    )
    assert forms("how many holes are there and where is the largest?") == [
        form(Kind.COUNT, "hole"),
        form(Kind.LOCATION, subject("hole", rank=Rank(Measure.AREA))),
    ]


def test_a_pronoun_alone_is_any_defect():
    assert forms("where is it?") == [form(Kind.LOCATION)]
    assert forms("how big is it?") == [form(Kind.SIZE)]


def limited(kind, *limits):
    return form(kind, subject("scratch", limits=tuple(Limit(Measure.LENGTH, *one) for one in limits)))


def test_what_cannot_be_together_takes_the_place_of_what_was_said_before():
    """Nothing is on the left and on the right: who asks for both asks twice."""
    left, right = (form(Kind.COUNT, subject("hole", places=[side])) for side in ("left half", "right half"))
    for text in (
        "how many holes in the left half and how many in the right half?",
        "how many holes are in the left half? how many are in the right half?",
    ):
        assert forms(text) == [left, right]
    assert forms("is there a crack? is it on the left? is it on the right?")[1:] == [
        form(Kind.PRESENCE, subject("crack", places=[side])) for side in ("left", "right")
    ]
    longer, shorter = (">", 6.0, "mm"), ("<", 6.0, "mm")
    assert forms("how many scratches longer than 6 mm? how many shorter than 6 mm?") == [
        limited(Kind.COUNT, longer),
        limited(Kind.COUNT, shorter),
    ]
    assert forms("how many scratches longer than 6 mm? how many shorter than 9 mm?")[1] == (
        limited(Kind.COUNT, longer, ("<", 9.0, "mm"))
    )
    assert forms("how many small holes? how many large ones?")[1] == (
        form(Kind.COUNT, subject("hole", traits=(Trait.LARGE,)))
    )
