"""Which classes a batch is compared with."""

import numpy as np
import pytest

from data.batches.phrases import sample_classes


def sample(positives, count, limit=96, seed=0):
    return sample_classes(np.random.default_rng((seed, 1, 2)), np.array(positives), count, limit)


@pytest.mark.parametrize("count", [1, 94, 128])
def test_few_classes_all_take_part_without_a_draw(count):
    rng = np.random.default_rng(1)
    ids, inverse = sample_classes(rng, np.array([0]), count)
    assert ids.tolist() == inverse.tolist() == list(range(count))
    assert rng.random() == np.random.default_rng(1).random()


@pytest.mark.parametrize("count", [129, 351, 2000])
def test_many_classes_positives_and_negatives(count):
    positives = [5, 100, 5, count - 1, 100]
    ids, inverse = sample(positives, count)
    assert len(ids) == 96 and (np.diff(ids) > 0).all() and {5, 100, count - 1} <= set(ids.tolist())
    assert ids.dtype == inverse.dtype == np.int64 and inverse.shape == (count,)
    assert inverse[ids].tolist() == list(range(96)) and (inverse == -1).sum() == count - 96
    assert ids[inverse[positives]].tolist() == positives


def test_more_positives_than_the_limit_all_stay():
    ids, _ = sample(range(0, 240, 2), 300)
    assert ids.tolist() == list(range(0, 240, 2))


def test_a_limit_above_the_count_takes_all():
    assert sample([3], 200, limit=500)[0].tolist() == list(range(200))


def test_no_positives():
    assert len(sample([], 351)[0]) == 96


def test_keyed_by_the_generator():
    assert sample([7], 351)[0].tolist() == sample([7], 351)[0].tolist() != sample([7], 351, seed=1)[0].tolist()


def test_negatives_are_even():
    counts = np.zeros(200)
    for seed in range(400):
        counts[sample([0], 200, seed=seed)[0]] += 1
    assert counts[0] == 400
    expected, deviation = 400 * 95 / 199, np.sqrt(400 * 95 / 199 * (1 - 95 / 199))
    assert np.abs(counts[1:] - expected).max() < 4.5 * deviation


@pytest.mark.parametrize("positives", [[-1], [351]])
def test_labels_of_no_class_are_our_fault(positives):
    with pytest.raises(AssertionError):
        sample(positives, 351)
