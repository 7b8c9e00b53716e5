from tests.utils.answers.answer_cases import BY_KIND as KINDS
from tests.utils.answers.answer_cases import found, known, question
from utils.answers.answerer import BY_KIND, Answerer
from utils.questions.question import Kind, NotUnderstood
from utils.values.answer import Answer

THINGS = found(([0, 0, 40, 10], 0.9, 0), ([80, 80, 86, 85], 0.7, 1))
ANSWERER = Answerer(known(synonyms=(("scratch", "scuff"),)))


def test_every_kind_has_its_answer():
    assert set(BY_KIND) == set(Kind) and dict(BY_KIND) == KINDS
    for kind in Kind:
        answer = ANSWERER(question(kind, text="what?"), THINGS)
        assert answer.question == "what?" and answer.kind == kind and bool(answer.answer) != bool(answer.refusal)


def test_what_was_not_understood_is_refused_with_the_reason():
    assert ANSWERER(NotUnderstood("why?", "nobody knows"), THINGS) == Answer("why?", "", refusal="nobody knows")


def test_what_cannot_be_answered_here_is_refused_with_the_reason():
    answer = ANSWERER(question(Kind.COUNT, "rainbow", text="how many?"), THINGS)
    assert answer == Answer("how many?", "count", refusal=answer.refusal) and "rainbow" in answer.refusal
    assert ANSWERER(question(Kind.SIZE, "scratch", unit="mm"), THINGS).refusal.startswith("the size of a pixel")


def test_a_typed_question_is_answered_by_the_words_of_the_classes():
    (asked,) = ANSWERER.parse("How many scuffs are there?")
    answer = ANSWERER(asked, THINGS)
    assert (answer.question, answer.kind, answer.answer) == (asked.text, "count", "1")
