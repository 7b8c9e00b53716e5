"""Boxes of the unturned picture, turned like its pixels."""

import numpy as np
import pytest

from data.checks.turned import unturned
from data.pictures.huge_pictures import upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_as_pixels_do(orientation):
    stored = np.zeros((40, 60), np.uint8)
    stored[5:15, 30:54] = 1
    box = np.array([[30 / 60, 5 / 40, 54 / 60, 15 / 40]])
    turned = upright(stored, orientation)
    height, width = turned.shape
    x1, y1, x2, y2 = (unturned(box, orientation) * (width, height, width, height)).round().astype(int)[0]
    assert turned[y1:y2, x1:x2].all() and turned.sum() == (y2 - y1) * (x2 - x1)
