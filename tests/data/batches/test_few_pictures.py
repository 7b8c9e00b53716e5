"""Which pictures are drawn when a run asks for a few of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from data.batches.few_pictures import draw_pictures
from data.index.flat_truth import flatten
from utils.values.record import Record

SHOWN = [{0}] * 30 + [{0, 1}] * 6 + [{2}] * 3 + [set()] * 11  # the classes of each picture


@pytest.fixture
def records():
    def record(number, labels):
        boxes = np.tile(np.array([[0.1, 0.1, 0.4, 0.4]], np.float32), (len(labels) + 1, 1))
        crowd = np.array([False] * len(labels) + [True])  # each has an ignored region too
        return Record(Path(f"{number}.png"), number, (64, 64), boxes, np.array([*labels, 1]), crowd)

    return [record(number, sorted(labels)) for number, labels in enumerate(SHOWN)]


def test_a_picture_counts_for_its_rarest_class(records):
    assert flatten(records).rarest_classes().tolist() == [0] * 30 + [1] * 6 + [2] * 3 + [-1] * 11


def test_classes_come_in_turn(records):
    def kinds(count):
        return Counter(flatten(records).rarest_classes()[draw_pictures(records, count, 0)].tolist())

    assert kinds(1) == {2: 1} and kinds(3) == {0: 1, 1: 1, 2: 1} and kinds(4) == {0: 1, 1: 1, 2: 1, -1: 1}
    assert kinds(18) == {0: 5, 1: 5, 2: 3, -1: 5}, "all that there are of a class"
    assert draw_pictures(records, 50, 3) == draw_pictures(records, 99, 4) == list(range(50))


def test_a_seed_draws_the_same_and_fewer_are_some_of_them(records):
    draws = [set(draw_pictures(records, 12, seed)) for seed in range(99)]
    assert draws == [set(draw_pictures(records, 12, seed)) for seed in range(99)]
    assert all(set(draw_pictures(records, 5, seed)) < draw for seed, draw in enumerate(draws))
    assert set.union(*draws) == set(range(50)), "each has its chance"


def test_pictures_without_boxes(records):
    assert len(draw_pictures(records[39:], 4, 0)) == 4
