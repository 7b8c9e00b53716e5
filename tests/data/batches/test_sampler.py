"""Batches: every picture, equal lengths, sizes that the network takes, pure functions of (seed, epoch)."""

from dataclasses import replace

import numpy as np
import pytest

from data.augment.transforms import eval_shape
from data.batches.class_balance import Balance
from data.batches.sampler import EpochBatches, ShapeBatches, Shapes

SQUARE = Shapes(64, 32)


def epoch(batches, number):
    batches.set_epoch(number)
    return list(batches)


def test_epoch_batches_cover_everything_once():
    batches = EpochBatches(10, 4, 3, SQUARE)
    orders = []
    for number in range(2):
        keys = [key for batch in epoch(batches, number) for key in batch]
        assert sorted(k.index for k in keys) == list(range(10)) and {k.epoch for k in keys} == {number}
        assert {k.shape for k in keys} == {(64, 64)} and {k.copy for k in keys} == {0}
        orders.append([k.index for k in keys])
    assert len(batches) == 3 and orders[0] != orders[1]


def test_a_process_without_a_picture_looks_at_another_s():
    """9 pictures in batches of 4 leave one for the last: two of three processes have none of their own."""
    parts = [epoch(EpochBatches(9, 4, 3, SQUARE, part=lambda keys, rank=rank: keys[rank::3]), 0) for rank in range(3)]
    counting = [key for part in parts for batch in part for key in batch if key.counts]
    assert sorted(key.index for key in counting) == list(range(9))
    first, *others = (part[-1] for part in parts)
    assert others == [[replace(first[0], counts=False)]] * 2


def test_balance_repeats_at_equal_length():
    balance = Balance(np.array([1.0, 1.3, 2.5, 1.0, 1.4]), np.ones(1))
    batches = EpochBatches(5, 3, 0, SQUARE, balance)
    assert batches.samples == 8 and len(batches) == 3
    for number in range(30):
        keys = [key for batch in epoch(batches, number) for key in batch]
        assert len(keys) == 8 == len(set(keys)) and {k.index for k in keys} == set(range(5))
        for index in range(5):
            copies = sorted(k.copy for k in keys if k.index == index)
            assert copies == list(range(len(copies)))
    assert epoch(batches, 3) == epoch(EpochBatches(5, 3, 0, SQUARE, balance), 3)


def test_multi_scale_sizes():
    shapes = Shapes(640, 32, multi_scale=True)
    assert shapes.sizes == list(range(320, 961, 32))
    batches = EpochBatches(400, 2, 0, shapes)
    made = epoch(batches, 1)
    per_batch = [{key.shape for key in batch} for batch in made]
    assert all(len(s) == 1 for s in per_batch)
    sizes = {shape for (shape,) in per_batch}
    assert all(h == w and h % 32 == 0 and 320 <= h <= 960 for h, w in sizes) and len(sizes) > 15
    assert made == epoch(EpochBatches(400, 2, 0, shapes), 1)
    assert [b[0].shape for b in made] != [b[0].shape for b in epoch(batches, 2)]
    one = epoch(EpochBatches(400, 2, 0, Shapes(640, 32)), 1)  # the order does not depend on the sizes
    assert [[k.index for k in b] for b in one] == [[k.index for k in b] for b in made]


@pytest.mark.parametrize(("imgsz", "want"), [(32, [32]), (64, [32, 64, 96]), (96, [64, 96, 128])])
def test_small_multi_scale(imgsz, want):
    assert Shapes(imgsz, 32, multi_scale=True).sizes == want


@pytest.mark.parametrize("multi_scale", [False, True])
def test_rectangles_hold_their_pictures_with_little_padding(multi_scale):
    rng = np.random.default_rng(0)
    pictures = [(int(h), int(w)) for h, w in rng.integers(50, 800, (101, 2))]
    batches = EpochBatches(101, 8, 5, Shapes(320, 32, multi_scale, pictures))
    made = epoch(batches, 0)
    assert len(made) == len(batches) == 13
    assert sorted(k.index for b in made for k in b) == list(range(101))
    area = tight = 0
    for batch in made:
        ((height, width),) = {key.shape for key in batch}
        size = max(height, width)
        assert height % 32 == 0 and width % 32 == 0
        each = [eval_shape(pictures[key.index], size, 32) for key in batch]
        assert (height, width) == (max(h for h, _ in each), max(w for _, w in each))
        area += height * width * len(batch)
        tight += sum(h * w for h, w in each)
    assert tight <= area < 1.25 * tight
    assert [b[0].index for b in made] != sorted(
        (b[0].index for b in made), key=lambda i: pictures[i][0] / pictures[i][1]
    )
    assert {tuple(k.index for k in b) for b in made} == {tuple(k.index for k in b) for b in epoch(batches, 0)}
    assert [b[0].index for b in made] != [b[0].index for b in epoch(batches, 1)]


def test_rectangles_of_one_shape_mix_anew_every_epoch():
    batches = EpochBatches(40, 4, 0, Shapes(320, 32, pictures=[(100, 200)] * 40))
    groups = [{frozenset(k.index for k in b) for b in epoch(batches, number)} for number in range(2)]
    assert groups[0] != groups[1] and {k.shape for b in batches for k in b} == {(160, 320)}


def test_shape_batches_are_uniform():
    shapes = [(32, 64), (64, 64), (32, 64), (32, 64), (64, 64)]
    batches = list(ShapeBatches(shapes, 2))
    assert sorted(i for b in batches for i in b) == list(range(5))
    assert all(len({shapes[i] for i in b}) == 1 for b in batches)
