import json
from dataclasses import replace

import pytest

from tests.utils.quiz.quiz_cases import said
from utils.deciding.intervals import Rate
from utils.questions.question import Kind
from utils.quiz.item import QuizItem
from utils.quiz.score import score

YES_NO = (("A", "Yes."), ("B", "No."))


def presence(picture, expected, **more):
    return QuizItem(picture, f"Is there a crack in {picture}?", Kind.PRESENCE, expected, "crack", **more)


# Presence: truth no, no, no, yes, yes; answered no, yes, cannot tell, no, yes: 2 of 5 right, overkill 1 of 3, miss
# 1 of 2. Verdict: OK, NG answered NG, NG. A count, right. Two that cannot be answered, one refused.
ITEMS = [
    *(presence(picture, expected) for picture, expected in enumerate(["no", "no", "no", "yes", "yes"])),
    QuizItem(5, "Is the part good?", Kind.VERDICT, "OK"),
    QuizItem(6, "Is the part good?", Kind.VERDICT, "NG"),
    QuizItem(7, "How many?", Kind.COUNT, "2", number=2.0),
    QuizItem(8, "Why?", None, "", answerable=False),
    QuizItem(9, "Is there a rainbow?", Kind.PRESENCE, "", "rainbow", answerable=False),
]
WORDS = ["no", "yes", "cannot tell", "no", "yes", "NG", "NG", "2", None, "no"]
ANSWERS = [said(item, word) for item, word in zip(ITEMS, WORDS, strict=True)]


def of_kind(result, kind):
    (row,) = (one for one in result.kinds if one.kind == kind)
    return row


def test_by_hand():
    result = score(ITEMS, ANSWERS)
    assert [one.kind for one in result.kinds] == ["presence", "count", "verdict", "unanswerable"]
    first = of_kind(result, "presence")
    assert (first.right, first.total, first.abstained, first.refused) == (Rate(2, 5), 5, 1, 0)
    assert first.told == Rate(2, 4)
    assert (first.overkill, first.miss) == (Rate(1, 3), Rate(1, 2))
    verdict = of_kind(result, "verdict")
    assert (verdict.right, verdict.overkill, verdict.miss) == (Rate(1, 2), Rate(1, 1), Rate(0, 1))
    count, impossible = of_kind(result, "count"), of_kind(result, "unanswerable")
    assert (count.right, count.overkill, count.miss) == (Rate(1, 1), None, None)
    assert (impossible.right, impossible.refused) == (Rate(1, 2), 1)
    assert (result.all.right, result.all.abstained, result.all.refused) == (Rate(5, 10), 1, 1)
    assert (result.all.overkill, result.all.miss) == (None, None)


def test_wilson():
    """2 of 5: Wilson's interval is 11.8 to 76.9 %."""
    right = of_kind(score(ITEMS, ANSWERS), "presence").right
    assert (right.low, right.high) == (pytest.approx(0.1176, abs=5e-5), pytest.approx(0.7693, abs=5e-5))


def test_neither_cannot_tell_nor_a_refusal_decides():
    items = [presence(0, "no"), presence(1, "yes")]
    row = score(items, [said(items[0], "cannot tell"), said(replace(items[1], answerable=False), None)]).kinds[0]
    assert (row.overkill, row.miss, row.abstained) == (Rate(0, 1), Rate(0, 1), 1)
    refusing = [replace(said(item, "x"), answer="", refusal="no such class") for item in items]
    row = score(items, refusing).kinds[0]
    assert (row.right, row.overkill, row.miss, row.refused) == (Rate(0, 2), Rate(0, 1), Rate(0, 1), 2)


def test_only_one_truth_leaves_the_other_rate_open():
    row = score([presence(0, "no")], [said(presence(0, "no"))]).kinds[0]
    assert (row.overkill, row.miss) == (Rate(0, 1), None)


def test_multiple_choice_is_decided_by_the_options_texts():
    """Truth no (B), yes (A), yes (A); answered yes, no, yes."""
    items = [presence(k, letter, options=YES_NO) for k, letter in enumerate("BAA")]
    row = score(items, [said(item, word) for item, word in zip(items, ("yes", "no", "yes"), strict=True)]).kinds[0]
    assert (row.right, row.overkill, row.miss) == (Rate(1, 3), Rate(1, 1), Rate(1, 2))


def test_questions_about_one_picture_say_less():
    """40 questions about 10 pictures, all right or all wrong in a picture, are worth 10."""
    items = [replace(presence(k // 4, "no"), question=str(k)) for k in range(40)]
    answers = [said(item, "no" if item.picture % 2 else "yes") for item in items]
    right = score(items, answers).all.right
    assert (right.events, right.total) == (20, 40) and right.worth == pytest.approx(10)
    assert (right.low, right.high) == pytest.approx((Rate(5, 10).low, Rate(5, 10).high))


def test_one_picture_is_worth_one_question():
    items = [replace(presence(0, "no"), question=str(k)) for k in range(20)]
    right = score(items, [said(item, "no") for item in items]).all.right
    assert str(right) == "20 of 20 (at least 20.7 %)"


def test_lines():
    no = [said(item, "no") for item in ITEMS]
    assert score(ITEMS, ANSWERS, {"majority": no, "blind": [said(item) for item in ITEMS]}).lines() == [
        "questions    right                              cannot tell refused majority   blind",
        "all          5 of 10 (50.0 %, 23.7 % to 76.3 %)           1       1   30.0 % 100.0 %",
        "presence     2 of 5 (40.0 %, 11.8 % to 76.9 %)            1       0   60.0 % 100.0 %",
        "count        1 of 1 (at least 20.7 %)                     0       0    0.0 % 100.0 %",
        "verdict      1 of 2 (50.0 %, 9.5 % to 90.5 %)             0       0    0.0 % 100.0 %",
        "unanswerable 1 of 2 (50.0 %, 9.5 % to 90.5 %)             0       1    0.0 % 100.0 %",
        "presence: right where it can tell 2 of 4 (50.0 %, 15.0 % to 85.0 %) "
        "(others there: majority 50.0 %, blind 100.0 %); "
        "overkill 1 of 3 (33.3 %, 6.1 % to 79.2 %); miss 1 of 2 (50.0 %, 9.5 % to 90.5 %)",
        "verdict: overkill 1 of 1 (at least 20.7 %); miss 0 of 1 (at most 79.3 %)",
    ]
    good = [QuizItem(0, "Is the part good?", Kind.VERDICT, "OK")]
    assert score(good, [said(good[0])]).lines() == [
        "questions    right                    cannot tell refused",
        "all          1 of 1 (at least 20.7 %)           0       0",
        "verdict      1 of 1 (at least 20.7 %)           0       0",
        "verdict: overkill 0 of 1 (at most 79.3 %); miss not measurable: no such question",
    ]


def test_plain():
    result = score(ITEMS, ANSWERS, {"blind": ANSWERS})
    plain = json.loads(json.dumps(result.plain()))
    assert plain["all"]["right"]["events"] == 5 and plain["all"]["total"] == 10 and plain["all"]["overkill"] is None
    assert [one["kind"] for one in plain["kinds"]] == ["presence", "count", "verdict", "unanswerable"]
    assert plain["kinds"][0]["overkill"] == json.loads(json.dumps(Rate(1, 3).plain()))
    assert plain["kinds"][0]["baselines"]["blind"] == plain["kinds"][0]["right"]
