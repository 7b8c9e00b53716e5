import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from utils.deciding.thresholds import LOWEST, NEVER, settled, sweep

scores = st.lists(st.floats(float(np.float32(0.002)), 1, width=32), max_size=12).map(lambda v: np.array(v, float))


def test_ties_stand_and_fall_together():
    values, hits = np.array([0.5, 0.9, 0.5, 0.7]), np.array([True, True, False, False])
    thresholds, found = sweep(values, hits)
    assert thresholds.tolist() == [NEVER, 0.9, 0.7, 0.5] and found.tolist() == [0, 1, 1, 2]
    assert [part.tolist() for part in sweep(np.zeros(0), np.zeros(0, bool))] == [[NEVER], [0]]


@given(scores)
def test_counts_are_those_of_comparing(values):
    flags = np.arange(len(values)) % 2 == 0
    thresholds, found = sweep(values, flags)
    assert found.tolist() == [int((flags & (values >= t)).sum()) for t in thresholds]


@given(scores, st.floats(0, 2))
def test_settled_parts_scores_alike_in_both_precisions(values, threshold):
    t = settled(values, threshold)
    assert np.array_equal(values >= t, values >= threshold)
    assert np.array_equal(values.astype(np.float32) >= np.float32(t), values >= threshold)
    assert t == NEVER or LOWEST <= t <= 1 or not len(values)


def test_settled_by_hand():
    assert settled(np.array([0.2, 0.8]), 0.8) == 0.5, "halfway"
    assert settled(np.array([0.61, 0.62]), 0.62) == 0.615, "no more digits than it takes"
    assert settled(np.array([0.2, 0.8]), 0.2) == 0.1, "below the worst nothing is known: halfway to where it begins"
    assert settled(np.array([0.8]), NEVER) == 0.9 and settled(np.array([1.0]), NEVER) == NEVER
    assert settled(np.zeros(0), 0.5) == 0.5


@given(scores, st.floats(0, 1))
def test_settled_keeps_its_distance_from_both_sides(values, threshold):
    """A quarter of the gap, where the gap is wide enough for single precision."""
    above, below = values[values >= threshold], values[values < threshold]
    if len(above) and len(below) and (gap := above.min() - below.max()) > 1e-5:
        t = settled(values, threshold)
        assert below.max() + gap / 4 <= t <= above.min() - gap / 4
