from pathlib import Path

import numpy as np

from utils.console.signals import Stop
from utils.detecting.frame_batches import frame_batches
from utils.values.frame import Frame


def test_neighbours_of_one_shape_go_together_and_nothing_changes_places():
    sides = [8, 8, 8, 4, None, None, 4, 4]
    frames = [Frame(str(k), Path(), None if s is None else np.zeros((s, 2, 3))) for k, s in enumerate(sides)]
    batches = list(frame_batches(iter(frames), lambda image: image.shape[:2], 2, Stop()))
    assert [[frame.name for frame in batch] for batch in batches] == [
        ["0", "1"],
        ["2"],
        ["3"],
        ["4"],
        ["5"],
        ["6", "7"],
    ]
