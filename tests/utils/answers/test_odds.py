import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.answers.odds import LEAST, Odds, fit_odds


def log_loss(scores, right, slope, offset):
    """Of Platt's targets, written out."""
    p, n = right.sum(), (~right).sum()
    clipped = np.clip(scores, 0.001, 1 - 1e-6)
    x = slope * np.log(clipped / (1 - clipped)) + offset
    likely = 1 / (1 + np.exp(-x))
    target = np.where(right, (p + 1) / (p + 2), 1 / (n + 2))
    return -(target * np.log(likely) + (1 - target) * np.log(1 - likely)).mean()


def drawn(seed, number=80):
    """Scores that tell something, more or less of it."""
    rng = np.random.default_rng(seed)
    right = np.arange(number) % 3 == 0
    logits = rng.normal(0, 1.5, number) + right * rng.uniform(0.5, 3) - 1
    return 1 / (1 + np.exp(-logits)), right


def test_by_hand():
    same = Odds(1.0, 0.0)
    assert same(np.array([0.1, 0.5, 0.9])) == pytest.approx([0.1, 0.5, 0.9])
    assert Odds(0.0, np.log(3))(0.2) == pytest.approx(0.75), "three to one, whatever the score"
    assert Odds(2.0, 0.0)(0.8) == pytest.approx(16 / 17), "odds of 4 to 1, squared"
    assert same(np.array([[0.3], [0.4]])).shape == (2, 1)


@pytest.mark.parametrize("seed", range(6))
def test_no_point_of_a_fine_grid_fits_better(seed):
    scores, right = drawn(seed)
    odds = fit_odds(scores, right)
    best = min(log_loss(scores, right, a, b) for a in np.linspace(0, 4, 81) for b in np.linspace(-4, 4, 81))
    fitted = log_loss(scores, right, odds.slope, odds.offset)
    assert fitted <= best + 1e-7
    for a, b in ((1e-2, 0), (-1e-2, 0), (0, 1e-2), (0, -1e-2)):
        assert fitted <= log_loss(scores, right, odds.slope + a, odds.offset + b)


def test_the_mean_chance_is_the_share_of_right_ones():
    scores, right = drawn(1, 3000)
    assert fit_odds(scores, right)(scores).mean() == pytest.approx(right.mean(), abs=0.002)


def test_too_few_of_either_tell_nothing():
    scores = np.linspace(0.1, 0.9, 40)
    for few in (0, LEAST - 1):
        assert fit_odds(scores, np.arange(40) < few) is None
        assert fit_odds(scores, np.arange(40) >= few) is None
    assert fit_odds(scores, np.arange(40) >= LEAST) is not None
    assert fit_odds(np.zeros(0), np.zeros(0, bool)) is None


def test_what_is_parted_without_a_fault_is_not_certain():
    """20 of each: the targets are 21/22 and 1/22, and two scores can take them exactly."""
    scores = np.repeat([0.2, 0.8], 20)
    odds = fit_odds(scores, scores > 0.5)
    assert odds(np.array([0.2, 0.8])) == pytest.approx([1 / 22, 21 / 22], abs=1e-3)


def test_scores_that_say_the_opposite_are_not_believed():
    """15 right ones of low score, 30 wrong ones of high: 16 to 31, whatever the score."""
    scores = np.repeat([0.2, 0.8], [15, 30])
    odds = fit_odds(scores, scores < 0.5)
    assert odds(np.array([0.01, 0.99])) == pytest.approx([16 / 47] * 2, abs=1e-5)


@pytest.mark.parametrize("score", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_equal_scores_give_the_share_of_right_ones(score):
    scores = np.full(400, score)
    assert fit_odds(scores, np.arange(400) < 100)(score) == pytest.approx(0.25, abs=0.01)


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1e-6, 0.2, 0.49, 0.5, 0.51, 0.9, 1.0]), st.booleans()), min_size=30),
    st.floats(0, 1),
)
def test_a_surer_thing_is_never_less_likely(rows, score):
    scores, right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        odds = fit_odds(scores, right)
        if odds is None:
            return
        chances = odds(np.append(np.linspace(0, 1, 50), score))
    assert np.isfinite([odds.slope, odds.offset]).all() and ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances[:50]) >= 0).all()


def test_nothing_found_is_as_likely_as_the_faintest_thing():
    """Detections are gathered from 0.001 on: a picture without any may hold one below that."""
    assert Odds(1.0, 0.0)(np.array([0.0, 0.0005])) == pytest.approx([0.001, 0.001])


def test_steep_odds_do_not_overflow():
    """Scores hardly apart, and parted: the odds at 0 are e to the power of hundreds."""
    scores = np.repeat([0.499, 0.501], 20)
    odds = fit_odds(scores, scores > 0.5)
    with np.errstate(over="raise"):
        assert odds(np.array([0.0, 1.0])).tolist() == [0, 1]


def test_a_file_can_hold_what_was_fitted():
    odds = fit_odds(*drawn(3))
    assert Odds(float(f"{odds.slope:.6g}"), float(f"{odds.offset:.6g}")) == odds
