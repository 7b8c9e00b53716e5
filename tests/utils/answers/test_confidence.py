from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.answers.confidence import count_odds, more_odds

chances = st.lists(st.floats(0, 1), max_size=6).map(np.array)


def enumerated(p):
    """Of all subsets that may be there, how likely those of each size are."""
    odds = np.zeros(len(p) + 1)
    for there in product((0, 1), repeat=len(p)):
        odds[sum(there)] += np.prod([one if is_there else 1 - one for one, is_there in zip(p, there, strict=True)])
    return odds


def test_by_hand():
    assert count_odds(np.array([0.9, 0.5])) == pytest.approx([0.05, 0.5, 0.45])
    assert count_odds(np.zeros(0)).tolist() == [1]
    assert more_odds(np.array([0.2, 0.8]), np.array([0.5, 0.5])) == pytest.approx((0.4, 0.1, 0.5))


@given(chances)
def test_counts_are_those_of_all_subsets(p):
    assert count_odds(p) == pytest.approx(enumerated(p), abs=1e-12)


@given(chances, chances)
def test_comparisons_are_those_of_all_pairs_of_counts(one, other):
    first, second = enumerated(one), enumerated(other)
    pairs = [(i, j, a * b) for i, a in enumerate(first) for j, b in enumerate(second)]
    more, fewer, equal = more_odds(count_odds(one), count_odds(other))
    assert more == pytest.approx(sum(p for i, j, p in pairs if i > j), abs=1e-12)
    assert fewer == pytest.approx(sum(p for i, j, p in pairs if i < j), abs=1e-12)
    assert more + fewer + equal == pytest.approx(1)


def test_hundreds_of_detections_stay_chances():
    odds = count_odds(np.random.default_rng(0).random(1000))
    assert odds.min() >= 0 and odds.sum() == pytest.approx(1)
