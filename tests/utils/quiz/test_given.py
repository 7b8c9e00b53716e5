"""Files of questions that others wrote."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.questions.question import Kind
from utils.quiz.given import read_questions
from utils.quiz.item import QuizItem
from utils.words.errors import ConfigError

FILES = ["/data/bottle/good/000.png", "/data/bottle/broken_large/000.png", "/data/x.jpg"]
YES_NO = {"A": "Yes.", "B": "No."}
MMAD = {
    "MVTec/bottle/broken_large/000.png": {
        "image_path": "MVTec/bottle/broken_large/000.png",
        "conversation": [
            {
                "Question": "Is there any defect in the object?",
                "Answer": "A",
                "Options": YES_NO,
                "type": "Anomaly Detection",
                "annotation": True,
            },
            {
                "Question": "What is the type of the defect?",
                "Answer": "C",
                "Options": {"A": "Hole.", "B": "Scratch.", "C": "Broken large.", "D": "Stain."},
                "type": "Defect Classification",
            },
            {"Question": "What is it for?", "Answer": "B", "Options": YES_NO, "type": "Object Analysis"},
        ],
        "similar_templates": [],
    },
    "MVTec/bottle/good/000.png": {
        "conversation": [{"Question": "Is there any defect?", "Answer": "B", "Options": YES_NO}],
    },
}


@pytest.fixture
def read(tmp_path):
    """Read what is written into a file: text, or what becomes JSON."""

    def of(content, files=FILES):
        path = tmp_path / "q.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_questions(path, files)

    return of


def ours(**more):
    return {"image": "x.jpg", "question": "Is there a crack?", "answer": "yes", **more}


def test_mmad(read):
    yes_no = (("A", "Yes."), ("B", "No."))
    types = (("A", "Hole."), ("B", "Scratch."), ("C", "Broken large."), ("D", "Stain."))
    assert read(MMAD) == [
        QuizItem(1, "Is there any defect in the object?", Kind.PRESENCE, "A", options=yes_no),
        QuizItem(1, "What is the type of the defect?", Kind.CLASS, "C", options=types),
        QuizItem(1, "What is it for?", None, "B", options=yes_no),
        QuizItem(0, "Is there any defect?", None, "B", options=yes_no),
    ]


def test_ours(read):
    first, *others = read(
        [
            ours(),
            ours(image="good/000.png", question="How many?\n  All.", answer=3, remark="ignored"),
            ours(answer="B", options=["left", "right"]),
            ours(answer="x", options={"x": "left", "y": "right"}),
            ours(answer="34 pixels"),
            ours(answer="12.5 %"),
            ours(answer=2.5),
            ours(answer="In the top left corner."),
            ours(answer="scratch 2; hole 1"),
            ours(answer=None),
            ours(answer=None, options=["left", "right"]),
        ]
    )
    assert first == QuizItem(2, "Is there a crack?", None, "yes") and first.group == "other"
    assert (others[0].picture, others[0].question) == (0, "How many? All.")
    assert [(item.expected, item.number, item.unit, item.answerable) for item in others] == [
        ("3", 3, "", True),
        ("B", None, "", True),
        ("x", None, "", True),
        ("34 px", 34, "px", True),
        ("12.5 %", 12.5, "%", True),
        ("2.5", 2.5, "", True),
        ("upper left", None, "", True),
        ("scratch 2; hole 1", None, "", True),
        ("", None, "", False),
        ("", None, "", False),
    ]
    assert others[1].options == (("A", "left"), ("B", "right")) and others[2].options == (("x", "left"), ("y", "right"))


def test_a_byte_order_mark_is_no_mistake(read):
    assert len(read("\ufeff" + json.dumps([ours()]))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[\n{"image": "x.jpg",}]', "q.json:2: not JSON: "),
        ("", "q.json:1: not JSON: "),
        ("[", "q.json:1: not JSON: "),
        ("[" * 200_000, "q.json: not a JSON file of questions"),
        ('[{"image": NaN}]', "q.json: not a JSON file of questions"),
        ("[]", "q.json: holds no question; write "),
        ("{}", "q.json: holds no question; write "),
        ({"x.jpg": {"conversation": []}}, "q.json: holds no question; write "),
        ('"x.jpg"', "q.json: must be "),
        ("3", "q.json: must be "),
        ('[{"image": "x.jpg", "image": "y.jpg"}]', "q.json: 'image' is there twice"),
        ('{"x.jpg": {"conversation": []}, "x.jpg": {}}', "q.json: 'x.jpg' is there twice"),
        ([ours(), "What?"], 'q.json: question 2: must be {"image": .., "question": .., "answer": ..}, got \'What?\''),
        ([{"image": "x.jpg", "question": "?"}], 'q.json: question 1: has no "answer"; add it'),
        ([{"answer": "no", "question": "?"}], 'q.json: question 1: has no "image"; add it'),
        ([ours(), ours(image="z.jpg")], "q.json: question 2: 'z.jpg' is not among the 3 pictures of the split; take"),
        ([ours(image="000.png")], "q.json: question 1: '000.png' means any of 2 pictures of the split; write more"),
        ([ours(image=3)], "q.json: question 1: image must be a text in quotes, got 3"),
        ([ours(question=" \n")], "q.json: question 1: question is empty; write one"),
        ([ours(question=["?"])], "q.json: question 1: question must be a text in quotes, got ['?']"),
        ([ours(question="x" * 2001)], "q.json: question 1: question has 2,001 characters, at most 2,000"),
        ([ours(question="a\x00b")], "q.json: question 1: question holds control characters: 'a\\x00b'"),
        ('[{"image": "x.jpg", "question": "\\ud800", "answer": "no"}]', "question 1: question holds control"),
        ([ours(answer="")], "q.json: question 1: answer is empty"),
        ([ours(answer=True)], "q.json: question 1: answer must be a text in quotes, got True"),
        ([ours(answer=["yes"])], "q.json: question 1: answer must be a text in quotes, got ['yes']"),
        ([ours(answer=10**20)], "q.json: question 1: the answer 100000000000000000000 is too large"),
        ([ours(answer="9" * 500)], "q.json: question 1: the answer '9999"),
        ('[{"image": "x.jpg", "question": "?", "answer": 1e999}]', "question 1: the answer inf is too large"),
        ([ours(options=["a", "b"])], "q.json: question 1: the answer 'yes' is none of its options; it must be A or B"),
        ([ours(answer="C", options=["a", "b"])], "the answer 'C' is none of its options; it must be A or B"),
        ([ours(answer=1, options=["a", "b"])], "q.json: question 1: answer must be a text in quotes, got 1"),
        ([ours(answer="A", options=["a"])], "q.json: question 1: options must be two or more"),
        ([ours(answer="A", options=[])], "q.json: question 1: options must be two or more"),
        ([ours(answer="A", options="ab")], "q.json: question 1: options must be two or more"),
        ([ours(answer="A", options=["a"] * 27)], "q.json: question 1: options must be two or more"),
        ([ours(answer="A", options=["a", 2])], "q.json: question 1: option must be a text in quotes, got 2"),
        ([ours(answer="A", options={"A": "a", " A": "b"})], "question 1: two options have one letter"),
        ({"x.jpg": []}, "q.json: 'x.jpg': must be {\"conversation\": [..]}"),
        ({"x.jpg": {}}, "q.json: 'x.jpg': must be {\"conversation\": [..]}"),
        ({"x.jpg": {"conversation": ["?"]}}, 'q.json: question 1: must be {"Question": .., '),
        ({"x.jpg": {"conversation": [{"Question": "?"}]}}, 'q.json: question 1: has no "Answer"; add it'),
        (
            {**MMAD, "y.jpg": {"conversation": [{"Question": "?", "Answer": "A", "Options": YES_NO}]}},
            "q.json: question 5: 'y.jpg' is not among the 3 pictures",
        ),
        (
            {"x.jpg": {"conversation": [{"Question": "?", "Answer": "C", "Options": YES_NO}]}},
            "q.json: question 1: the answer 'C' is none of its options",
        ),
        (
            {name: MMAD["MVTec/bottle/good/000.png"] for name in ("bottle/good/000.png", "cable/good/000.png")},
            "q.json: question 2: 'cable/good/000.png' means the same picture as 'bottle/good/000.png'",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(read, content, words):
    with pytest.raises(ConfigError) as caught:
        read(content)
    message = str(caught.value)
    assert words in message and message.isprintable()


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="none.json: cannot be read: .*; give a JSON file of questions"):
        read_questions(tmp_path / "none.json", FILES)
    with pytest.raises(ConfigError, match="is a folder, not a regular file"):
        read_questions(tmp_path, FILES)
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="in UTF-8"):
        read_questions(tmp_path / "x", FILES)
    os.truncate(tmp_path / "x", (64 << 20) + 1)  # a hole: takes no room on the disk
    with pytest.raises(ConfigError, match="has 67,108,865 bytes, more than the 67,108,864 allowed"):
        read_questions(tmp_path / "x", FILES)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ConfigError, match="is a pipe"):
            read_questions(tmp_path / "pipe", FILES)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = ("image", "question", "answer", "options")


@given(
    st.lists(st.fixed_dictionaries({}, optional={key: plain | st.just("x.jpg") for key in keys}), max_size=3) | plain
)
def test_whatever_is_in_the_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("q") / "q.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        items = read_questions(path, FILES)
    except ConfigError as error:
        assert str(error).startswith(str(path)) and str(error).isprintable()
    else:
        assert all(item.picture == 2 and item.question for item in items)
