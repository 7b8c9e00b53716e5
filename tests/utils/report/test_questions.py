"""The section on questions of a detection report."""

import numpy as np

from utils.report.questions import CROPS, AskedQuestions
from utils.values.answer import Answer, Evidence
from utils.values.frame import Frame


def frame(name):
    return Frame(name, name, np.zeros((50, 60, 3), np.uint8))


def answer(word, score=None, question="is there a <b>?"):
    evidence = () if score is None else (Evidence("b", score, (10.0, 10.0, 20.0, 20.0)),)
    return Answer(question, "presence", word, evidence=evidence, sentence=f"{word} {score}")


def test_counts_and_the_surest_evidence():
    asked = AskedQuestions()
    for k in range(10):
        asked.show(frame(f"{k}.png"), [answer("yes", k / 10) if k % 2 else answer("no")])
    asked.show(frame("x.png"), [Answer("is there a <b>?", "", refusal="no such class")])
    assert asked.plain() == [
        {
            "question": "is there a <b>?",
            "type": "presence",
            "answers": {"no": 5, "yes": 5},
            "refusals": {"no such class": 1},
        }
    ]
    assert sorted(crop.file for *_, crop in asked.asked["is there a <b>?"].crops) == [
        "3.png",
        "5.png",
        "7.png",
        "9.png",
    ]
    page = asked.html()
    assert "is there a &lt;b&gt;?" in page and "<b>?" not in page, "a question is text, not markup"
    assert 'class="words"' in page, "long answers are broken, not scrolled to"
    assert page.count("<figure") == CROPS and page.index("9.png") < page.index("3.png")


def test_processes_are_joined():
    parts = [AskedQuestions(), AskedQuestions()]
    for k in range(6):
        parts[k % 2].show(frame(f"{k}.png"), [answer("yes", k / 10), answer("no", question="else?")])
    whole = AskedQuestions()
    whole.join(parts)
    assert [(row["question"], row["answers"]) for row in whole.plain()] == [
        ("is there a <b>?", {"yes": 6}),
        ("else?", {"no": 6}),
    ]
    best = sorted(whole.asked["is there a <b>?"].crops, reverse=True, key=lambda row: row[:2])
    assert [crop.file for *_, crop in best] == ["5.png", "4.png", "3.png", "2.png"]


def test_different_answers_have_an_end():
    asked = AskedQuestions()
    for k in range(1500):
        asked.show(frame("x.png"), [answer(f"{k} px"), answer("none")])
    (row,) = asked.plain()
    assert row["answers"]["none"] == 1500 and row["answers"]["other answers"] == 501 and len(row["answers"]) == 1001
