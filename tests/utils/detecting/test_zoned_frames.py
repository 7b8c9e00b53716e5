from pathlib import Path

import numpy as np
import pytest

from tests.utils.zones.test_zones import LEFT, zones
from utils.detecting.zoned_frames import fitting_frames
from utils.values.frame import Frame
from utils.words.errors import DataError


def frame(name, *size):
    return Frame(name, Path(name), np.zeros((*size, 3), np.uint8) if size else None, "" if size else "damaged")


def test_a_picture_of_another_shape_is_one_that_could_not_be_read():
    frames = [frame("a", 100, 100), frame("b", 100, 90), frame("c"), frame("d", 50, 50)]
    seen = list(fitting_frames(frames, zones(("in", LEFT))))
    assert [one.image is None for one in seen] == [False, True, True, False]
    assert seen[1].reason == "b: 90 x 100 px is of another shape than the 100 x 100 px of zones.yaml"
    assert seen[2].reason == "damaged" and seen[0] is frames[0]
    assert list(fitting_frames(frames, None)) == frames
    with pytest.raises(DataError, match=r"b: 90 x 100 px .*; leave it out"):
        list(fitting_frames(frames, zones(("in", LEFT)), strict=True))
