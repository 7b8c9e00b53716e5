"""What the boxes of few pictures are worth: intervals of recall that hold for other pictures of the kind."""

import numpy as np
import pytest

from utils.deciding.intervals import Rate
from utils.deciding.variance import linked, recalls, sway

TRIALS = 2000
SEVERAL, MANY = (1, 1.0), (20, 0.0)  # boxes a picture, at least and more on average: 1 + Poisson(1); 20


def boxes_of(*pictures):
    """`picture` and `found` (T,) of (found, boxes) of each picture."""
    picture = np.repeat(np.arange(len(pictures)), [boxes for _, boxes in pictures])
    return picture, np.concatenate([np.arange(boxes) < found for found, boxes in pictures])


def recall_of(*pictures, others=()):
    picture, found = boxes_of(*pictures)
    return recalls(picture, np.zeros_like(picture), found, others, 1)[0]


def simulated(pictures, boxes, alpha, beta, seed=0):
    """(TRIALS,) recalls of so many pictures each, whose own recall comes from Beta(alpha, beta); without `beta` every
    picture's is `alpha`. `boxes`: (at least, further ones on average).
    """
    rng = np.random.default_rng((seed, pictures))
    count = pictures * TRIALS
    least, further = boxes
    own = np.full(count, alpha) if beta is None else rng.beta(alpha, beta, count)
    number = least + rng.poisson(further, count)
    picture = np.repeat(np.arange(count), number)
    return recalls(picture, picture // pictures, rng.random(len(picture)) < own[picture], [], TRIALS)


def coverage(found, truth):
    return np.mean([one.low <= truth <= one.high for one in found])


@pytest.mark.parametrize(
    ("pictures", "alpha", "beta"),
    [
        *((pictures, 2, 1) for pictures in (1, 2, 3, 5, 10, 50)),
        *((pictures, 0.5, 0.5) for pictures in (2, 3, 5, 10)),  # nearly all or nearly none of a picture are found
        *((pictures, 8, 1) for pictures in (3, 5, 10, 20)),
        *((pictures, 2, 0.1) for pictures in (3, 5, 10, 20)),  # few pictures are missed, those as a whole
    ],
)
def test_intervals_hold_for_few_pictures_with_many_boxes(pictures, alpha, beta):
    """20 boxes a picture, 2000 trials: 94 % is two standard errors below 95 %. Before, 50 to 95 % held."""
    assert coverage(simulated(pictures, MANY, alpha, beta), alpha / (alpha + beta)) >= 0.94


def test_a_few_misses_that_came_alone_say_little(monkeypatch):
    assert coverage(simulated(10, MANY, 2, 0.1), 2 / 2.1) > 0.96
    monkeypatch.setattr("utils.deciding.variance.UNSEEN", 1e-9)
    assert coverage(simulated(10, MANY, 2, 0.1), 2 / 2.1) < 0.90


@pytest.mark.parametrize(("alpha", "beta"), [(2, 1), (8, 1), (0.5, 0.5), (0.7, None), (0.97, None)])
def test_intervals_hold_for_usual_pictures(alpha, beta):
    """1 + Poisson(1) boxes a picture."""
    truth = alpha if beta is None else alpha / (alpha + beta)
    for pictures in (3, 10, 50):
        assert coverage(simulated(pictures, SEVERAL, alpha, beta), truth) >= 0.935


def test_many_pictures_say_what_they_did():
    """Of 200 usual pictures the interval is at most 2 % wider than by the variance that is seen in them."""
    rng = np.random.default_rng(5)
    pictures = [(rng.binomial(n, p), n) for n, p in zip(1 + rng.poisson(1.0, 200), rng.beta(2, 1, 200), strict=True)]
    picture, found = boxes_of(*pictures)
    residual = np.bincount(picture, found - found.mean())
    seen = (residual**2).sum() / (len(found) * found.mean() * (1 - found.mean()))
    one, before = recall_of(*pictures), Rate(int(found.sum()), len(found), len(found) / seen)
    assert seen > 1 and 1 <= (one.high - one.low) / (before.high - before.low) < 1.02


@pytest.mark.parametrize("total", [1, 2, 3, 7, 40])
def test_one_box_a_picture_is_worth_one(total):
    for events in range(total + 1):
        one, plain = recall_of(*[(int(k < events), 1) for k in range(total)]), Rate(events, total)
        assert (one.low, one.high) == (pytest.approx(plain.low, abs=1e-12), pytest.approx(plain.high, abs=1e-12))


def test_one_picture_is_worth_one_box():
    """As its escape is one of one: 20 boxes that are all found promise no more than that they are found together."""
    assert str(recall_of((20, 20))) == "20 of 20 (at least 20.7 %)"
    assert str(recall_of((0, 20))) == "0 of 20 (at most 79.3 %)"
    assert recall_of((13, 20)).worth == pytest.approx(1)


def test_all_or_none_is_worth_its_pictures():
    assert recall_of(*[(4, 4)] * 5).worth == recall_of(*[(0, 4)] * 5).worth == pytest.approx(5)
    # 100 boxes of one picture, 1 of nine: what is said is said of the crowded one, (100 + 9)^2 / (100^2 + 9)
    assert recall_of((100, 100), *[(1, 1)] * 9).worth == pytest.approx(109**2 / 10_009)


def test_pictures_all_found_or_all_missed_are_worth_their_number():
    assert recall_of(*[(8, 8), (0, 8)] * 6).worth == pytest.approx(12)


def test_by_hand():
    """5, 4, 3 and 2 of 5 found: p = 0.7, independent 20 * 0.7 * 0.3 = 4.2, seen 1.5^2 + 0.5^2 + 0.5^2 + 1.5^2 = 5, at
    most 5 times: (5 + 0.5 * 5) / (4.2 + 0.5) = 1.5957; times 4/3 for 4 pictures and 19/20 for 20 boxes, 2.0213; times
    (t(3) / t(19))^2 = (3.18245 / 2.09302)^2 = 2.3119: 4.673, so that 20 boxes are worth 4.28.
    """
    picture, found = boxes_of((5, 5), (4, 5), (3, 5), (2, 5))
    assert linked(picture, np.zeros_like(picture), found, 1) == pytest.approx([4.673], abs=1e-3)
    assert recall_of((5, 5), (4, 5), (3, 5), (2, 5)).worth == pytest.approx(4.28, abs=1e-3)


def test_a_crowded_picture_unlike_the_others():
    """90 single boxes found, 10 of one picture missed: (9^2 + 90 * 0.1^2) / 9 = 9.1 times, though all or none of each
    picture are found.
    """
    assert recall_of((0, 10), *[(1, 1)] * 90).worth == pytest.approx(100 / 9.1)


def test_groups_are_told_apart():
    """Of group 0 five pictures have 4 boxes each, of group 1 one picture has 3, of group 2 none has any."""
    picture, group = np.array([0, 1, 2, 3, 4] * 4 + [0] * 3), np.array([0] * 20 + [1] * 3)
    first, second, third = recalls(picture, group, np.ones(23, bool), [], 3)
    assert (first.worth, second.worth, third) == (pytest.approx(5), pytest.approx(1), None)


def test_other_thresholds_come_on_top():
    """Single boxes, 10 of 20 found, by other thresholds 8 and 12: sway 0.75 * 1 * 4 = 3, beside 5."""
    single, some = [(1, 1)] * 10 + [(0, 1)] * 10, np.arange(20)
    others = [some < 8, some < 12]
    assert sway([np.array([8]), np.array([12])]) == pytest.approx([3])
    assert recall_of(*single, others=others).worth == pytest.approx(20 * 5 / (5 + 3))
