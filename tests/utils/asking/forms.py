"""Typed forms as tests write them, and what a text is read as."""

from dataclasses import replace

from utils.asking.parser import parse
from utils.questions.question import Kind, NotUnderstood, Place, Question, Subject

NAMES = (
    "crack",
    "scratch",
    "hole",
    "bubble",
    "oil",
    "black spot",
    "LiveKnot",
    "knot with crack",
    "裂纹",
    "划痕",
    "气泡",
)
THIRD = 1 / 3
PLACES = {
    place.name: place
    for place in (
        Place("upper left", (0, 0, THIRD, THIRD)),
        Place("top", (0, 0, 1, THIRD)),
        Place("upper right", (2 / 3, 0, 1, THIRD)),
        Place("left", (0, 0, THIRD, 1)),
        Place("centre", (THIRD, THIRD, 2 / 3, 2 / 3)),
        Place("right", (2 / 3, 0, 1, 1)),
        Place("lower left", (0, 2 / 3, THIRD, 1)),
        Place("bottom", (0, 2 / 3, 1, 1)),
        Place("lower right", (2 / 3, 2 / 3, 1, 1)),
        Place("left half", (0, 0, 0.5, 1)),
        Place("right half", (0.5, 0, 1, 1)),
        Place("upper half", (0, 0, 1, 0.5)),
        Place("lower half", (0, 0.5, 1, 1)),
        Place("upper left quarter", (0, 0, 0.5, 0.5)),
        Place("upper right quarter", (0.5, 0, 1, 0.5)),
        Place("lower right quarter", (0.5, 0.5, 1, 1)),
    )
}


def subject(*phrases, places=(), **filters):
    """A subject whose places are given by their names."""
    return Subject(phrases, places=tuple(PLACES[place] for place in places), **filters)


def form(kind, *subjects, **fields):
    """A question without its text; a subject may be its one phrase, none is any defect."""
    made = tuple(Subject((one,)) if isinstance(one, str) else one for one in subjects)
    if kind is not Kind.COMPARISON:
        made = made or (Subject(),)
    return Question("", kind, made, **fields)


def forms(text, names=NAMES):
    """What is asked in `text`, without its text; None in the place of what is not understood."""
    read = parse(text, names)
    return [None if isinstance(one, NotUnderstood) else replace(one, text="") for one in read]


def cases(groups):
    """(form, [texts]) -> (text, form), so that a failure names the text."""
    return [(text, expected) for expected, texts in groups for text in texts]
