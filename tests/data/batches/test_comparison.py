"""Pictures on which two forms of a network are compared: sizes, batches, odd ones, and stand-ins of other planes."""

import numpy as np
import pytest

from data.augment.scene import Scene
from data.batches.comparison import comparison_batches, comparison_sizes, odd_scenes
from data.drawn.stand_ins import drawn_scenes
from utils.values.channels import FLOAT, RGB_CHANNELS, Channels

PLANES = [
    RGB_CHANNELS,
    Channels(bits=12),
    Channels(polar=("i0", "i45", "i90", "i135"), polar_dir="polar", polar_bits=12),
    Channels(image=("gray",), polar=("dolp",), bits=FLOAT),
]


def scenes(*sizes):
    return [Scene.without_truth(np.full((*size, 3), k, np.uint8)) for k, size in enumerate(sizes)]


@pytest.mark.parametrize(("imgsz", "stride"), [(640, 32), (32, 32), (96, 64), (1280, 32)])
def test_three_sizes_around_the_trained_one(imgsz, stride):
    sizes = comparison_sizes(imgsz, stride)
    assert len(sizes) == len(set(sizes)) >= 2 and all(size % stride == 0 for size in sizes)
    assert min(sizes) <= imgsz < max(sizes)


def test_every_scene_is_in_a_batch_of_its_shape_at_every_size():
    batches = list(comparison_batches(scenes(*[(60, 100)] * 4, (100, 60)), RGB_CHANNELS, [64, 96], 32))
    assert [(len(b.views), *b.images.shape[2:]) for b in batches] == [
        *((3, 64, 64), (2, 64, 64)),
        *((3, 64, 96), (1, 64, 96), (1, 96, 64)),
    ]


def test_there_is_always_a_batch_of_three_and_squares_where_they_are_wanted():
    batches = list(comparison_batches(scenes((60, 100), (100, 60)), RGB_CHANNELS, [64, 96], 32))
    assert {len(b.views) for b in batches} >= {3}
    square = comparison_batches(scenes((60, 100), (100, 60), (10, 90)), RGB_CHANNELS, [96], 32, square=True)
    assert [tuple(b.images.shape[2:]) for b in square] == [(96, 96)]


@pytest.mark.parametrize("channels", PLANES, ids=lambda channels: channels.dtype + str(len(channels.names)))
def test_odd_and_drawn_pictures_have_the_planes_of_the_network(channels):
    made = [*odd_scenes(channels), *drawn_scenes(channels, 2)]
    assert (
        made[0].size == (37, 411) and len(np.unique(made[1].planes.reshape(-1, made[1].planes.shape[2]), axis=0)) == 1
    )
    for batch in comparison_batches(made, channels, [96], 32):
        inputs = batch.inputs()
        assert inputs.shape[1] == len(channels.names) and 0 <= inputs.min() <= inputs.max() <= 1
    again = drawn_scenes(channels, 2)
    assert np.array_equal(again[1].planes, made[3].planes) and not np.array_equal(made[2].planes, made[3].planes)
