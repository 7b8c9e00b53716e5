import numpy as np

from data.augment.mosaic import mixup
from utils.values.batch import Sample


def test_blend_of_pictures_and_truth_of_both():
    one = Sample(np.full((4, 6, 3), 200, np.uint8), np.ones((2, 4), np.float32), np.array([0, 1]), 5, boxes_lost=1)
    ignored = np.full((1, 4), 7, np.float32)
    other = Sample(
        np.full((4, 6, 3), 100, np.uint8), np.zeros((1, 4), np.float32), np.array([2]), 9, boxes_lost=2, ignored=ignored
    )
    both = mixup(one, other, 0.25)
    assert (both.image == 125).all() and both.image.dtype == np.uint8
    assert both.labels.tolist() == [0, 1, 2] and both.boxes.tolist() == [[1] * 4, [1] * 4, [0] * 4]
    assert both.boxes_lost == 3 and both.index == 5 and both.ignored.tolist() == ignored.tolist()
    assert (one.image == 200).all()
