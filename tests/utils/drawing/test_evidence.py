"""What questions are answered by, on the picture."""

import numpy as np

from utils.drawing import evidence
from utils.drawing.box_drawing import BoxStyle, Marks
from utils.drawing.colours import class_colour
from utils.drawing.evidence import ASKED, draw_answered
from utils.values.answer import Answer, Evidence

FOUND = Marks(np.array([[10.0, 20, 40, 50], [60, 20, 90, 50]]), np.array([1, 0]), np.array([0.9, 0.5]))
NAMES = ("hole", "scratch")
SCRATCH = Evidence("scratch", 0.9, (10.0, 20.0, 40.0, 50.0))
FAINT = Evidence("hole", 0.1, (10.0, 70.0, 40.0, 90.0))


def drawn(answers, monkeypatch):
    """Boxes, captions and colours that are drawn."""
    calls = []
    monkeypatch.setattr(evidence, "draw_boxes", lambda image, *rest: calls.append(rest) or image)
    draw_answered(np.zeros((100, 100, 3), np.uint8), FOUND, NAMES, answers, BoxStyle())
    ((boxes, captions, colours, _),) = calls
    return boxes.tolist(), captions, colours


def test_a_box_says_which_questions_it_answers(monkeypatch):
    answers = [Answer("a?", "presence", "yes", evidence=(SCRATCH,)), Answer("b?", ""), Answer("c?", "count", "1")]
    answers += [Answer("d?", "class", "scratch 1", evidence=(SCRATCH, SCRATCH))]
    boxes, captions, colours = drawn(answers, monkeypatch)
    assert boxes == FOUND.boxes.tolist() and captions == ["scratch 0.90 Q1 Q4", "hole 0.50"]
    assert colours == [class_colour(1), class_colour(0)]


def test_what_was_only_asked_about_is_drawn_apart(monkeypatch):
    boxes, captions, colours = drawn([Answer("a?", "presence", "cannot tell", evidence=(FAINT,))], monkeypatch)
    assert boxes[2] == [10, 70, 40, 90] and captions == ["scratch 0.90", "hole 0.50", "hole 0.10 Q1"]
    assert colours[2] == ASKED


def test_another_class_at_the_same_place_is_another_box(monkeypatch):
    twin = Evidence("hole", 0.3, SCRATCH.box)
    assert drawn([Answer("a?", "presence", "yes", evidence=(twin,))], monkeypatch)[1][2] == "hole 0.30 Q1"


def test_the_picture_stays_and_gets_lines():
    image = np.zeros((100, 100, 3), np.uint8)
    picture = draw_answered(image, FOUND, NAMES, [Answer("a?", "presence", "yes", evidence=(FAINT,))], BoxStyle())
    assert not image.any() and picture.shape == image.shape
    assert (picture[69, 25] == ASKED).all(), "the line runs just outside the box"
