import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.studies.study_cases import scores, shifted
from utils.inspection.bootstrap import picture_weights
from utils.studies.estimate import Part, estimate, holm, interval, pooled

PICTURES, DRAWS, STUDIES = 60, 200, 2000


def pairs_of(differences, spread=0.0, pictures=60):
    """Pairs whose whole difference is given; over the draws it is by `spread` more in one half, less in the other."""
    wave = np.tile([spread, -spread], 50)
    zero = scores(0.3, np.full(100, 0.3), pictures)
    return [(zero, scores(0.3 + d, 0.3 + d + wave, pictures)) for d in differences]


def test_of_three_seeds_by_hand():
    """Differences 0.01, 0.02, 0.06: mean 0.03, sd 0.026458, so 0.015275 by the seeds; t(2, 0.975) = 4.302653."""
    one = estimate("AP", pairs_of([0.01, 0.02, 0.06], spread=1e-7))
    assert (one.seeds, one.first, one.second) == (3, pytest.approx(0.3), pytest.approx(0.33))
    assert one.seed_sd == pytest.approx(0.0264575) and one.picture_sd == pytest.approx(1e-7, rel=0.01)
    assert (one.low, one.high) == pytest.approx((0.03 - 4.302653 * 0.0152753, 0.03 + 4.302653 * 0.0152753), abs=1e-6)
    # t = 1.963961 with 2 degrees of freedom: p = 1 - t / sqrt(2 + t^2)
    assert one.p == pytest.approx(1 - 1.963961 / np.sqrt(2 + 1.963961**2), abs=1e-5)


def test_of_one_seed_the_pictures_alone():
    """The spread of 0.02 over the draws, of 60 pictures: 0.02 sqrt(60 / 59), times t(59, 0.975) = 2.000995."""
    one = estimate("AP", pairs_of([0.03], spread=0.02))
    assert one.pictures_only and one.seed_sd is None and one.picture_sd == pytest.approx(0.02)
    reach = 2.000995 * 0.02 * np.sqrt(60 / 59)
    assert (one.low, one.high) == pytest.approx((0.03 - reach, 0.03 + reach), abs=1e-6)


def test_both_parts_by_hand():
    """Seeds: variance 0.0152753^2, t 4.302653; pictures: 0.02^2 60/59, t 2.000995; the error times their mean t."""
    one = estimate("AP", pairs_of([0.01, 0.02, 0.06], spread=0.02))
    seeds, pictures = 0.0152753**2, 0.02**2 * 60 / 59
    t = (4.302653 * seeds + 2.000995 * pictures) / (seeds + pictures)
    assert one.high - 0.03 == pytest.approx(t * np.sqrt(seeds + pictures), abs=1e-6)
    assert (one.by_seeds, one.by_pictures) == (
        Part(pytest.approx(seeds, rel=1e-5), 2),
        Part(pytest.approx(pictures), 59),
    )


def test_nothing_is_made_of_nothing():
    assert estimate("AP", []) is None
    assert estimate("AP", pairs_of([float("nan")])) is None
    alone = estimate("AP", pairs_of([0.1, 0.2], pictures=1))
    assert (alone.low, alone.high, alone.p) == (None, None, None), "one picture tells nothing about others"
    assert pooled([]) is None and pooled([alone, estimate("AP", pairs_of([0.1, 0.2]))]).p is None
    alike = estimate("AP", pairs_of([0.1, 0.2]))
    assert (alike.low, alike.p) == (None, None), "nor do draws that are all alike"


def test_draws_without_truth_are_left_out():
    zero, more = scores(0, [0, 0, np.nan, 0]), scores(0.1, [0.0, 0.2, np.nan, 0.1])
    assert estimate("AP", [(zero, more)]).picture_sd == pytest.approx(np.std([0.0, 0.2, 0.1]))


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_run_compared_with_itself(seeds):
    one = [scores(0.3, np.random.default_rng(seed).random(50)) for seed in range(seeds)]
    same = estimate("AP", [(a, a) for a in one])
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)


drawn_pairs = st.tuples(st.integers(0, 10**6), st.integers(1, 5))


def random_pairs(seed, seeds):
    g = np.random.default_rng(seed)
    return [tuple(scores(g.random(), g.random(40)) for _ in range(2)) for _ in range(seeds)]


@given(drawn_pairs)
def test_arms_swapped_negate(case):
    pairs = random_pairs(*case)
    one, back = estimate("AP", pairs), estimate("AP", [(b, a) for a, b in pairs])
    assert (back.difference, back.p) == pytest.approx((-one.difference, one.p))
    assert (back.low, back.high) == pytest.approx((-one.high, -one.low))


@given(drawn_pairs, st.floats(-0.5, 0.5))
def test_a_constant_added_moves_the_interval(case, by):
    pairs = random_pairs(*case)
    one, more = estimate("AP", pairs), estimate("AP", [(a, shifted(b, by)) for a, b in pairs])
    moved = (one.low + by, one.high + by, one.difference + by)
    assert (more.low, more.high, more.difference) == pytest.approx(moved, abs=1e-9)
    both = estimate("AP", [(shifted(a, by), shifted(b, by)) for a, b in pairs])
    assert (both.low, both.high) == pytest.approx((one.low, one.high), abs=1e-9)


@given(st.floats(-5, 5), st.floats(1e-4, 1), st.floats(1e-4, 1), st.integers(1, 9))
def test_p_and_the_interval_agree(difference, seeds, pictures, freedom):
    low, high, p = interval(difference, [Part(seeds, freedom), Part(pictures, 59)])
    assert 0 <= p <= 1 and (p < 0.05) == (not low <= 0 <= high)


def test_a_difference_beyond_doubt_has_a_small_p():
    assert interval(1, [Part(1e-8, 59)])[2] < 1e-50 and interval(1, [Part(0, 59)]) == (1, 1, 0)


def test_over_data_sets():
    """Two alike: the mean, half the variance, and twice the degrees of freedom of each part."""
    one = estimate("AP", pairs_of([0.01, 0.02, 0.06], spread=0.02))
    both = pooled([one, one])
    assert (both.seeds, both.difference, both.first) == (6, pytest.approx(0.03), pytest.approx(0.3))
    assert both.by_seeds == Part(pytest.approx(one.by_seeds.variance / 2), pytest.approx(4))
    assert both.by_pictures == Part(pytest.approx(one.by_pictures.variance / 2), pytest.approx(118))
    assert both.seed_sd == pytest.approx(one.seed_sd) and both.picture_sd == pytest.approx(0.02 / np.sqrt(2))
    alone = pooled([one])
    assert (alone.low, alone.high, alone.p) == pytest.approx((one.low, one.high, one.p))
    mixed = pooled([one, estimate("AP", pairs_of([0.01], spread=0.02))])
    assert mixed.pictures_only, "one of them knows one seed only"
    assert mixed.by_seeds == Part(pytest.approx(one.by_seeds.variance / 4), pytest.approx(2)), (
        "which the other's vary by"
    )


def test_holm_by_a_worked_example():
    """0.01 x 4; 0.02 x 3; 0.03 x 2 = 0.06, not below the one before; 0.04 x 1, raised to 0.06."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([0.03]) == [0.03] and holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lies_between_nothing_and_bonferroni(ps):
    for p, adjusted in zip(ps, holm(ps), strict=True):
        assert p <= adjusted <= min(1, len(ps) * p) + 1e-12


# standard deviations of the effects of a picture, a seed, and a seed on a picture
MIXES = {"pictures": (1.0, 0.05, 0.3), "seeds": (0.2, 1.0, 0.3), "both, and their residual": (1.0, 0.15, 1.0)}


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("mix", MIXES)
def test_the_interval_holds_the_truth(mix, seeds):
    """2,000 studies in which the arms differ by 0.1; a score is the mean over pictures, each with its effect, each seed
    with its own, and each seed on each picture.
    """
    g = np.random.default_rng(7)
    by_picture, by_seed, by_both = MIXES[mix]
    effects = 0.1 + by_picture * g.normal(size=(STUDIES, 1, PICTURES)) + by_seed * g.normal(size=(STUDIES, seeds, 1))
    effects = (effects + by_both * g.normal(size=(STUDIES, seeds, PICTURES))).astype(np.float32)
    drawn = effects @ (picture_weights(PICTURES, range(DRAWS), 0) / PICTURES)
    zero, held = scores(0, np.zeros(DRAWS), PICTURES), 0
    for one, some in zip(effects.mean(2).tolist(), drawn, strict=True):
        found = estimate("AP", [(zero, scores(d, draws, PICTURES)) for d, draws in zip(one, some, strict=True)])
        held += found.low <= 0.1 <= found.high
    assert 0.94 <= held / STUDIES <= 0.995


@pytest.mark.parametrize("telling", [3, 10])
def test_the_interval_holds_the_truth_where_few_pictures_tell(telling):
    """600 studies of two equal arms, three seeds, 60 pictures; a score is the mean over those that have a defect."""
    g, held = np.random.default_rng(1), 0
    weights = picture_weights(PICTURES, range(DRAWS), 0)[:telling].astype(float)
    total = np.where(weights.sum(0) > 0, weights.sum(0), np.nan)  # a draw may have none of them
    for _ in range(600):
        effects = g.normal(0, 0.1, telling) + g.normal(0, 0.03, (3, 1)) + g.normal(0, 0.05, (3, telling))
        drawn = effects @ weights / total
        zero = scores(0, total * 0, telling)
        found = estimate(
            "AP", [(zero, scores(one.mean(), some, telling)) for one, some in zip(effects, drawn, strict=True)]
        )
        held += found.low <= 0 <= found.high
    assert 0.94 <= held / 600 <= 0.995
