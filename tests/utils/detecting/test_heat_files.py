"""Why boxes were found, as files."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from utils.detecting.heat_files import write_heats
from utils.drawing.box_drawing import BoxStyle
from utils.files.output_files import Results
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.heat import Heat
from utils.words.errors import ResourceError

BOXES = torch.tensor([[10.0, 10, 30, 30], [50, 50, 70, 70], [1, 1, 5, 5]])
FOUND = Detections(BOXES, torch.tensor([0.9, 0.5, 0.3]), torch.tensor([0, 1, 0]), ("oil", "scratch"))
FRAME = Frame("line 1/a.png", Path("line 1/a"), np.full((80, 80, 3), 100, np.uint8))


def heats(count):
    values = np.ones((8, 8), np.float32)
    boxes = [(*map(float, box),) for box in FOUND.boxes.tolist()]
    return [Heat(values, (0, 0, 80, 80), (80, 80), box, 0, 0.9, 0.1, 0.8, 0.0) for box in boxes[:count]]


def test_one_picture_for_each_box_that_is_explained(tmp_path):
    with Results() as results:
        write_heats(tmp_path, FRAME, FOUND, heats(2), BoxStyle(), results)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg"))
    assert files == ["explain/line 1/a_0.jpg", "explain/line 1/a_1.jpg"]
    assert cv2.imread(str(tmp_path / files[0])).shape == (480, 960, 3)


def test_nothing_to_explain_leaves_no_folder(tmp_path):
    with Results() as results:
        write_heats(tmp_path, FRAME, FOUND, [], BoxStyle(), results)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_heard_of(tmp_path):
    (tmp_path / "explain").write_text("in the way")
    with pytest.raises(ResourceError, match="explain"), Results() as results:
        write_heats(tmp_path, FRAME, FOUND, heats(1), BoxStyle(), results)
