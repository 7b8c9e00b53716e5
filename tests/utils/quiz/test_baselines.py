import pytest

from tests.utils.quiz.quiz_cases import GOOD, NAMES, PLATE, said
from utils.questions.question import Kind
from utils.quiz.baselines import blind, majority
from utils.quiz.item import QuizItem
from utils.quiz.judging import choose, right
from utils.quiz.made import make_questions
from utils.quiz.score import score


def presence(subject, expected, template="Is there a {}?"):
    return QuizItem(0, template.format(subject), Kind.PRESENCE, expected, subject, answerable=bool(expected))


def size(number, unit="px", subject="hole"):
    expected = "none" if number is None else f"{number} {unit}"
    return QuizItem(0, f"How long is the {subject}?", Kind.SIZE, expected, subject, number, unit)


def test_majority_is_the_most_frequent_answer_of_the_kind():
    fit = [presence("crack", "yes")] * 2 + [presence("hole", "no")] * 3 + [QuizItem(0, "Good?", Kind.VERDICT, "OK")]
    asked = [presence("crack", "yes"), QuizItem(1, "Good?", Kind.VERDICT, "NG")]
    assert [one.answer for one in majority(fit, asked)] == ["no", "OK"]


def test_blind_knows_the_words_then_the_class_then_the_kind():
    """Cracks: yes 4 of 6, but asked as `Any crack?` no 3 times of 3. Holes: two questions, too few to tell."""
    fit = [*[presence("crack", "yes")] * 4, *[presence("crack", "no", "Any {}?")] * 3]
    fit += [*[presence("hole", "yes")] * 2, *[presence("dent", "no")] * 6]
    asked = [
        presence("crack", "yes"),
        presence("crack", "yes", "Any {}?"),
        presence("crack", "yes", "See a {}?"),
        presence("hole", "yes"),
        presence("dent", "yes", "Any {}?"),
    ]
    assert [one.answer for one in blind(fit, asked)] == ["yes", "no", "yes", "no", "no"]
    assert [one.answer for one in majority(fit, asked)] == ["no"] * 5


def test_of_sizes_the_median_in_the_unit_that_is_asked_for():
    fit = [size(number) for number in (10, 20, 30, 90)] + [size(2.0, "mm"), size(3.0, "mm"), size(None, "mm")]
    in_px, in_mm = majority(fit, [size(1), size(1, "mm")])
    assert (in_px.answer, in_px.number, in_px.unit) == ("25 px", 25, "px")
    assert (in_mm.answer, in_mm.number, in_mm.unit) == ("2.5 mm", 2.5, "mm")
    assert right(size(25.4), in_px) and not right(size(27), in_px) and not right(size(25, "mm"), in_px)


def test_where_there_is_mostly_nothing_nothing_is_said():
    (answer,) = majority([size(10), size(None), size(None)], [size(10)])
    assert (answer.answer, answer.number) == ("none", None) and right(size(None), answer)


def test_of_counts_the_most_frequent():
    fit = [QuizItem(0, "How many?", Kind.COUNT, str(n), number=float(n)) for n in (0, 1, 1, 5, 9)]
    (answer,) = majority(fit, fit[:1])
    assert (answer.answer, answer.number, answer.unit) == ("1", 1, "") and right(fit[1], answer)


def test_what_is_never_answered_is_refused_without_a_look():
    fit = [*[presence("rainbow", "")] * 3, *[presence("crack", "yes")] * 9]
    fit += [QuizItem(0, "Why?", None, "", answerable=False)]
    asked = [presence("rainbow", ""), QuizItem(0, "Who?", None, "", answerable=False), presence("crack", "yes")]
    assert [bool(one.refusal) for one in blind(fit, asked)] == [True, True, False]
    assert [bool(one.refusal) for one in majority(fit, asked)] == [False, True, False]
    assert [right(*pair) for pair in zip(asked, blind(fit, asked), strict=True)] == [True] * 3


def test_without_a_question_to_learn_from_nothing_is_known():
    (answer,) = blind([], [presence("crack", "yes")])
    assert answer.refusal and answer.kind == "presence" and answer.question == "Is there a crack?"


def test_options_by_their_text_and_else_by_their_letter():
    """No is right twice as B, yes once: where no is A, it is A that is chosen."""
    yes_no, no_yes = (("A", "Yes."), ("B", "No.")), (("A", "No."), ("B", "Yes."))
    fit = [QuizItem(0, "Any?", None, letter, options=yes_no) for letter in "BBA"]
    turned = QuizItem(1, "Any?", None, "A", options=no_yes)
    (answer,) = majority(fit, [turned])
    assert choose(turned, answer) == "A" and right(turned, answer)
    other = QuizItem(1, "What?", None, "B", options=(("A", "Hole."), ("B", "Crack.")))
    (answer,) = majority(fit, [other])
    assert choose(other, answer) == "B", "the letter that is right most often"


@pytest.mark.parametrize("mm_per_px", [None, 0.05])
def test_blind_knows_more_than_the_majority(mm_per_px):
    """Of the same two pictures again and again blind learns what their questions have in common."""
    items = make_questions([PLATE, GOOD] * 150, NAMES, 0, mm_per_px)
    fit, asked = items[: len(items) // 2], items[len(items) // 2 :]
    result = score(
        asked, [said(item) for item in asked], {"majority": majority(fit, asked), "blind": blind(fit, asked)}
    )
    shares = {name: one.value for name, one in result.all.baselines.items()}
    assert 0.2 < shares["majority"] < shares["blind"] < result.all.right.value == 1
    impossible = next(one for one in result.kinds if one.kind == "unanswerable")
    assert impossible.baselines["blind"].value > 0.8
