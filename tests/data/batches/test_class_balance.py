"""Repeat factors against numbers worked out by hand; copies that keep their sum and their mean."""

from pathlib import Path

import numpy as np
import pytest

from data.batches.class_balance import Balance
from utils.values.record import EVERY_CLASS, Record


def record(*labels, crowd=()):
    every = np.array([*labels, *crowd], np.int64)
    boxes = np.tile(np.array([0.1, 0.1, 0.2, 0.2], np.float32), (len(every), 1))
    return Record(Path("x"), 1, (10, 10), boxes, every, np.arange(len(every)) >= len(labels))


def test_factors_by_hand():
    """Ten pictures: class 0 in five of them (f = 0.5), class 1 in one (0.1), class 2 in none, class 3 in two (0.2)."""
    records = [record(0), record(0, 0), record(0, 1), record(0, 3), record(0), record(3, 3, 3)]
    records += [record(), record(crowd=(1,)), record(crowd=(EVERY_CLASS,)), record()]
    balance = Balance.of(records, threshold=0.4)
    assert balance.classes == pytest.approx([1, 2, 1, 2**0.5])  # sqrt(0.4 / 0.1), sqrt(0.4 / 0.2)
    assert balance.pictures == pytest.approx([1, 1, 2, 2**0.5, 1, 2**0.5, 1, 1, 1, 1])
    assert balance.samples == 12  # 11.83 rounded up
    by_mean = Balance.of(records, threshold=0)  # (0.5 + 0.1 + 0.2) / 3
    assert by_mean.classes == pytest.approx([1, (8 / 3) ** 0.5, 1, (4 / 3) ** 0.5])


def test_good_pictures_alone():
    balance = Balance.of([record(), record()], 0.5)
    assert balance.pictures.tolist() == [1, 1] and balance.classes.tolist() == [] and balance.samples == 2
    assert balance.copies(np.random.default_rng(0)).tolist() == [1, 1]


@pytest.mark.parametrize("factors", [[1.0, 1.25, 2.5, 1.0, 3.75], [1.1] * 7, [1.5, 2.5], [2.0, 3.0, 1.0], [1.999] * 3])
def test_copies(factors):
    """Each factor rounded down or up, the sum always the same, the mean the factor and a share of what that lacks."""
    balance = Balance(np.array(factors), np.ones(1))
    lacking = balance.samples - sum(factors)
    draws = np.array([balance.copies(np.random.default_rng((0, epoch))) for epoch in range(4000)])
    assert (draws.sum(1) == balance.samples).all() and 0 <= lacking < 1
    assert (draws >= np.floor(factors)).all() and (draws <= np.ceil(factors)).all()
    gap = np.array([np.ceil(f) - f for f in factors])
    want = np.array(factors) + (gap * lacking / gap.sum() if gap.any() else 0)
    assert np.abs(draws.mean(0) - want).max() < 0.04
