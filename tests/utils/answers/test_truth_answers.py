"""Truth put in place of detections has to be answered as plain arithmetic says; and what holds of every answer."""

import json
from collections import Counter
from itertools import product

import numpy as np
import pytest

from tests.utils.answers.answer_cases import (
    BY_KIND,
    CELLS,
    NAMES,
    ask,
    calibrated,
    found,
    known,
    question,
    random_things,
    shuffled,
)
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.answers.severity import Severity, SeverityRule
from utils.questions.question import Kind, Limit, Measure, Rank, Relation, Subject, Trait
from utils.values.answer import EQUAL, NO, NONE, YES

GRID = [*CELLS]
SUBJECTS = [(), ("scratch",), ("holes", "bubble")]
MEASURES = (Measure.LENGTH, Measure.WIDTH, Measure.HEIGHT, Measure.AREA)


class Plain:
    """A picture's things as lists of numbers."""

    def __init__(self, things):
        self.height, self.width = things.size
        boxes = things.boxes.tolist()
        self.rows = [(NAMES[k], *box) for k, box in zip(things.labels.tolist(), boxes, strict=True)]

    def of(self, phrases, cell=None):
        names = {phrase.removesuffix("s") for phrase in phrases} or set(NAMES)
        return [row for row in self.rows if row[0] in names and cell in (None, self.place(row))]

    def place(self, row):
        _, x1, y1, x2, y2 = row
        column, line = int(3 * (x1 + x2) // (2 * self.width)), int(3 * (y1 + y2) // (2 * self.height))
        return GRID[3 * min(line, 2) + min(column, 2)]

    def covered(self, rows):
        canvas = np.zeros((self.height, self.width), bool)
        for _, x1, y1, x2, y2 in rows:
            canvas[int(y1) : int(y2), int(x1) : int(x2)] = True
        return int(canvas.sum())


def area(row):
    return (row[3] - row[1]) * (row[4] - row[2])


def measured(row, measure):
    sides = row[3] - row[1], row[4] - row[2]
    return {"length": max(sides), "width": min(sides), "height": sides[1], "area": sides[0] * sides[1]}[measure]


def listed(rows):
    counts = sorted(Counter(row[0] for row in rows).items(), key=lambda row: (-row[1], NAMES.index(row[0])))
    return "; ".join(f"{name} {count}" for name, count in counts) or NONE


PICTURES = [random_things(np.random.default_rng(seed)) for seed in range(40)]
PAIRS = [(things, Plain(things)) for things in PICTURES]


def test_the_pictures_are_worth_asking_about():
    assert {len(things) for things in PICTURES} == set(range(9))
    assert {plain.place(row) for _, plain in PAIRS for row in plain.rows} == set(GRID)


@pytest.mark.parametrize("phrases", SUBJECTS)
def test_presence_count_and_classes(phrases):
    for things, plain in PAIRS:
        rows = plain.of(phrases)
        assert ask(question(Kind.PRESENCE, *phrases), things).answer == (YES if rows else NO)
        assert ask(question(Kind.PRESENCE, *phrases, negated=True), things).answer == (NO if rows else YES)
        assert ask(question(Kind.COUNT, *phrases), things).number == len(rows)
        assert ask(question(Kind.CLASS, *phrases), things).answer == listed(rows)
        assert ask(question(Kind.VERDICT), things).answer == ("NG" if plain.rows else "OK")
        for word, place in CELLS.items():
            there = plain.of(phrases, word)
            assert ask(question(Kind.COUNT, *phrases, places=(place,)), things).number == len(there)
            assert ask(question(Kind.CLASS, *phrases, places=(place,)), things).answer == listed(there)
        for limit, measure in product((9, 30, 400), MEASURES):
            unit = "px2" if measure is Measure.AREA else "px"
            for sign, holds in ((">", lambda a, b: a > b), ("<=", lambda a, b: a <= b)):
                asked = question(Kind.COUNT, *phrases, limits=(Limit(measure, sign, limit, unit),))
                assert ask(asked, things).number == sum(holds(measured(row, measure), limit) for row in rows)


@pytest.mark.parametrize("phrases", SUBJECTS)
def test_places_sizes_and_shares(phrases):
    for things, plain in PAIRS:
        rows = plain.of(phrases)
        places = ask(question(Kind.LOCATION, *phrases), things).answer
        assert set(places.split("; ")) == ({plain.place(row) for row in rows} or {NONE})
        largest = [row for row in rows if area(row) == max(map(area, rows))]
        if rows:
            assert places.split("; ")[0] in {plain.place(row) for row in largest}
            only = ask(question(Kind.LOCATION, *phrases, rank=Rank(Measure.AREA)), things).answer
            assert only in {plain.place(row) for row in largest}
            leftmost = ask(question(Kind.SIZE, *phrases, rank=Rank(Measure.LEFT, False)), things).number
            first = min(row[1] for row in rows)
            assert leftmost in {measured(row, "length") for row in rows if row[1] == first}
        for measure in MEASURES:
            number = ask(question(Kind.SIZE, *phrases, measure=measure), things).number
            assert number == max((measured(row, measure) for row in rows), default=None)
        share = 100 * plain.covered(rows) / (plain.width * plain.height)
        assert ask(question(Kind.EXTENT, *phrases, unit="%"), things).number == pytest.approx(share)
        assert ask(question(Kind.EXTENT, *phrases), things).number == plain.covered(rows)


@pytest.mark.parametrize(("one", "other"), [("scratch", "holes"), ("bubble", "scratch")])
def test_comparisons(one, other):
    subjects = Subject((one,)), Subject((other,))
    names = one.removesuffix("s"), other.removesuffix("s")
    for things, plain in PAIRS:
        first, second = plain.of((one,)), plain.of((other,))
        gap = len(first) - len(second)

        def told(relation, things=things, **of):
            of |= {"measure": Measure.AREA}
            return ask(question(Kind.COMPARISON, subjects=subjects, relation=relation, **of), things).answer

        assert told(Relation.MORE) == (YES if gap > 0 else NO) and told(Relation.FEWER) == (YES if gap < 0 else NO)
        assert told(Relation.EQUAL) == (YES if gap == 0 else NO) and told(Relation.MORE, difference=True) == str(gap)
        assert told(Relation.MORE, choose=True) == (EQUAL if gap == 0 else names[gap < 0])
        assert told(Relation.FEWER, choose=True) == (EQUAL if gap == 0 else names[gap > 0])
        if not first or not second:
            assert told(Relation.LARGER) == told(Relation.SMALLER, choose=True) == NONE
            continue
        larger, smaller = (
            compare(max(map(area, first)), max(map(area, second))) for compare in (float.__gt__, float.__lt__)
        )
        assert told(Relation.LARGER) == (YES if larger else NO) and told(Relation.SMALLER) == (YES if smaller else NO)
        assert told(Relation.LARGER, choose=True) == (names[not larger] if larger or smaller else EQUAL)


def test_the_class_of_which_there_is_most():
    for things, plain in PAIRS:
        counts = Counter(row[0] for row in plain.rows)
        for relation, end in ((Relation.MORE, max), (Relation.FEWER, min)):
            ends = [name for name in counts if counts[name] == end(counts.values())]
            wanted = NONE if not ends else ends[0] if len(ends) == 1 else EQUAL
            assert ask(question(Kind.COMPARISON, subjects=(), relation=relation), things).answer == wanted


RULES = Severity(
    (
        SeverityRule("critical", frozenset({1}), (Limit(Measure.LENGTH, ">", 20, "px"),), 1, "long holes"),
        SeverityRule("major", frozenset({0, 1, 2}), (), 3, "three of whatever"),
    ),
    "minor",
)
MIXED = ScoreReading((ClassReading(0.2, 0.6, 0.4),) * 3, ClassReading(0.3, 0.5, 0.4), (0.5,) * 3)
FILTERS = (
    {},
    {"places": (CELLS["left"], CELLS["left"])},
    {"limits": (Limit(Measure.AREA, ">", 5, "%"),)},
    {"traits": (Trait.LARGE,)},
    {"rank": Rank(Measure.LENGTH)},
    {"rank": Rank(Measure.TOP, False)},
)


def every_question():
    for kind, phrases, filters in product(BY_KIND, SUBJECTS, FILTERS):
        if kind is not Kind.COMPARISON:
            yield question(kind, *phrases, language="zh" if len(phrases) == 1 else "en", **filters)
    for relation, choose, difference in product(Relation, (False, True), (False, True)):
        if not choose or not difference:
            two = Subject(("scratch",)), Subject(("hole", "bubble"))
            for subjects in (two, ()):
                yield question(
                    Kind.COMPARISON, subjects=subjects, relation=relation, choose=choose, difference=difference
                )


QUESTIONS = [*every_question()]
FOUND = [random_things(np.random.default_rng((7, seed)), scores=[0.1, 0.3, 0.45, 0.55, 0.9, 1.0]) for seed in range(5)]


@pytest.mark.parametrize("reading", [None, MIXED, calibrated()], ids=["plain", "mixed", "calibrated"])
def test_what_holds_of_every_answer(reading):
    """It is a word; it is sure to 0..1; its boxes lie in the picture; a person can read it; JSON can hold it."""
    knows = known(reading=reading, severity=RULES)
    for things, asked in product((*FOUND, found()), QUESTIONS):
        answer = ask(asked, things, knows)
        assert answer.answer and not answer.refusal and answer.sentence[-1] in ".。"
        assert answer.confidence is None or 0 <= answer.confidence <= 1
        assert not answer.calibrated or (reading is not None and answer.confidence is not None)
        assert answer.number is None or answer.unit or answer.answer == str(int(answer.number))
        for one in answer.evidence:
            x1, y1, x2, y2 = one.box
            assert 0 <= x1 <= x2 <= 120 and 0 <= y1 <= y2 <= 90 and one.name in NAMES
        plain = json.loads(json.dumps(answer.plain(), allow_nan=False))
        assert plain["answer"] == answer.answer and plain["kind"] == answer.kind
        assert len(plain["evidence"]) == len(answer.evidence)
        assert plain["confidence"] == (None if answer.confidence is None else round(answer.confidence, 4))


@pytest.mark.parametrize("reading", [None, MIXED, calibrated()], ids=["plain", "mixed", "calibrated"])
def test_the_order_of_detections_changes_no_answer(reading):
    knows, rng = known(reading=reading, severity=RULES), np.random.default_rng(1)
    for things in FOUND:
        other = shuffled(things, rng)
        for asked in QUESTIONS:
            assert ask(asked, things, knows) == ask(asked, other, knows)
