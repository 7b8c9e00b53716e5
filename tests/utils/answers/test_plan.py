import pytest

from tests.utils.answers.answer_cases import NAMES, question
from utils.answers.lexicon import Lexicon
from utils.answers.plan import NAMES_SHOWN, Plan, names_of, plan, unknown_phrases
from utils.questions.question import Kind, Limit, Measure, NotUnderstood, Subject

LEXICON = Lexicon.of(NAMES, (("bubble", "气泡"),))
WOOD = Lexicon.of(("live knot", "dead knot", "crack"))


def test_classes_of_each_subject():
    asked = question(Kind.COUNT, "bubbles", "hole")
    assert plan(asked, LEXICON, None) == Plan(asked, (frozenset({1, 2}),))
    two = question(Kind.COMPARISON, subjects=(Subject(("knots",)), Subject()))
    assert plan(two, WOOD, None).labels == (frozenset({0, 1}), frozenset({0, 1, 2}))


def test_any_defect_means_the_own_classes_others_their_name():
    lexicon = Lexicon.of(("hole", "dent", "sticker"), own=2)
    assert plan(question(Kind.PRESENCE), lexicon, None).labels == (frozenset({0, 1}),)
    assert plan(question(Kind.PRESENCE, "sticker"), lexicon, None).labels == (frozenset({2}),)


def test_no_subject_means_any_class():
    planned = plan(question(Kind.COMPARISON, subjects=()), LEXICON, None)
    assert planned.question.subjects == (Subject(),) and planned.labels == (frozenset({0, 1, 2}),)


def refused(asked, lexicon=LEXICON, mm=None):
    told = plan(asked, lexicon, mm)
    assert isinstance(told, NotUnderstood) and told.text == asked.text
    return told.reason


def test_a_near_name_is_suggested():
    assert refused(question(Kind.COUNT, "scratchs and", "bubel")) == (
        "there is no class 'scratchs and'; there are: scratch, hole, bubble"
    )
    assert refused(question(Kind.COUNT, "hole", "buble")) == (
        "there is no class 'buble'; did you mean 'bubble'?; there are: scratch, hole, bubble"
    )
    assert refused(question(Kind.COUNT, "")) == "there is no class ''; there are: scratch, hole, bubble"


def test_a_word_that_no_class_has_in_chinese():
    assert refused(question(Kind.COUNT, "彩虹", language="zh")) == "没有名为“彩虹”的类别; 可以问: scratch, hole, bubble"


def test_of_many_classes_the_first_are_told_and_of_long_words_the_beginning():
    lexicon = Lexicon.of(tuple(f"class {k}" for k in range(NAMES_SHOWN + 1)))
    reason = refused(question(Kind.COUNT, "w" * 500), lexicon)
    assert reason.endswith(f"class {NAMES_SHOWN - 1}, ...") and len(reason) < 500


@pytest.mark.parametrize(("language", "word"), [("en", "mm_per_px"), ("zh", "毫米")])
@pytest.mark.parametrize(
    "asked",
    [
        (Kind.SIZE, {"unit": "mm"}),
        (Kind.EXTENT, {"unit": "mm2"}),
        (Kind.COUNT, {"limits": (Limit(Measure.LENGTH, ">", 2, "mm"),)}),
        (Kind.PRESENCE, {"limits": (Limit(Measure.AREA, ">", 2, "px2"), Limit(Measure.AREA, "<", 2, "mm2"))}),
    ],
)
def test_millimetres_need_a_scale(asked, language, word):
    kind, of = asked
    one = question(kind, "hole", language=language, **of)
    assert word in refused(one)
    assert isinstance(plan(one, LEXICON, 0.1), Plan)


def test_a_unit_that_is_not_asked_for_needs_no_scale():
    assert isinstance(plan(question(Kind.COUNT, "hole", unit="mm"), LEXICON, None), Plan)
    assert isinstance(plan(question(Kind.SIZE, "hole", unit="px"), LEXICON, None), Plan)


def test_what_no_class_is_called_is_to_be_looked_for_once():
    asked = [
        question(Kind.COUNT, "hole", "rainbow"),
        NotUnderstood("why?", "nobody knows"),
        question(Kind.COMPARISON, subjects=(Subject(("rainbow",)), Subject(("tears", "气泡")), Subject())),
    ]
    assert unknown_phrases(asked, LEXICON) == ("rainbow", "tears")


def test_what_to_call_a_subject():
    assert names_of(Subject(("holes",)), frozenset({1}), LEXICON) == "hole"
    assert names_of(Subject(("knots",)), frozenset({0, 1}), WOOD) == "knots"
    assert names_of(Subject(("crack", "knots")), frozenset({0, 1, 2}), WOOD) == "crack or knots"
    assert names_of(Subject(), frozenset({0, 1, 2}), LEXICON) == "defect", "an answer is never empty"
