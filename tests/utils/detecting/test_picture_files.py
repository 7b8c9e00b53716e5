"""Overlays and crops of a picture too large to be drawn on: the first are shrunk with their marks, the others whole."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from utils.detecting.output_options import DetectionOutput
from utils.detecting.picture_files import FoundFiles
from utils.drawing import overlay_files
from utils.drawing.box_drawing import BoxStyle
from utils.drawing.colours import class_colour
from utils.drawing.evidence import ASKED
from utils.files.output_files import Results
from utils.processes import threads
from utils.values.answer import Answer, Evidence
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.masks import encode_mask
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds

THRESHOLDS = ScoreThresholds((0.5,), "thresholds.yaml")
GREY = np.random.default_rng(0).integers(90, 110, (400, 300), np.uint8)
BOX = [100.0, 200, 180, 280]


@pytest.fixture
def low(monkeypatch):
    monkeypatch.setattr(overlay_files, "MOST_DRAWN", 100_000)
    monkeypatch.setattr(overlay_files, "SHRUNK", 7500)  # a quarter of each side


def result(image, name="a", answers=(), masks=()):
    found = Detections(torch.tensor([BOX]), torch.tensor([0.9]), torch.tensor([0]), ("oil",), masks)
    return PictureResult(Frame(name, Path(name), image), found, THRESHOLDS, answers, image.shape[:2])


def files_of(folder, *results, **output):
    style = BoxStyle(line_width=3, hide_labels=True)
    with Results() as lost, FoundFiles.open(folder, DetectionOutput(style=style, **output), lost) as files:
        for one in results:
            files.add(one)


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def view():
    return np.broadcast_to(GREY[..., None], (*GREY.shape, 3))


@pytest.mark.parametrize("one_plane", [True, False])
def test_a_large_picture_is_drawn_on_small_and_its_crops_are_whole(tmp_path, low, caplog, one_plane):
    image = view() if one_plane else np.ascontiguousarray(view())
    with caplog.at_level(logging.INFO):
        files_of(tmp_path, result(image), result(image, "b"), crops=True)
    assert [line for line in caplog.messages if "shrunk" in line] == [
        "overlays of pictures above 50 million px are shrunk to 16 million px"
    ]
    drawn = picture(tmp_path / "a.jpg")
    assert drawn.shape == (100, 75, 3)
    rows, columns = np.nonzero(np.abs(drawn - 100).max(2) > 40)
    # three pixels around the box, whose quarter is 25, 50, 45, 70; JPEG blurs colours
    edges = columns.min(), rows.min(), columns.max(), rows.max()
    assert np.abs(np.subtract(edges, (22, 47, 47, 72))).max() <= 1
    assert np.abs(drawn[51 + 4 : 69 - 4, 26 + 4 : 44 - 4] - 100).max() < 25
    assert np.array_equal(drawn, picture(tmp_path / "b.jpg"))
    for name in ("a", "b"):
        crop = picture(tmp_path / "crops" / "oil" / f"{name}_0.jpg")
        assert np.abs(crop[..., 0] - GREY[200:280, 100:180]).max() < 15


def test_evidence_and_masks_shrink_as_well(tmp_path, low):
    inside = np.zeros(GREY.shape, bool)
    inside[204:276, 104:176] = True
    asked = Answer("any?", "presence", "cannot tell", evidence=(Evidence("hole", 0.1, (20.0, 40.0, 60.0, 80.0)),))
    files_of(tmp_path, result(view(), answers=(asked,), masks=(encode_mask(inside),)))
    drawn = picture(tmp_path / "a.jpg")
    for row, column in ((8, 10), (15, 3), (21, 10), (15, 16)):  # in the middle of the lines around 5, 10, 15, 20
        assert np.abs(drawn[row, column] - ASKED).max() < 70
    colour = np.array(class_colour(0))
    assert np.abs(drawn[60, 35] - (100 * 0.6 + colour * 0.4)).max() < 20 and np.abs(drawn[90, 35] - 100).max() < 12


def test_others_are_drawn_on_as_they_are(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        files_of(tmp_path, result(np.ascontiguousarray(view())))
    assert picture(tmp_path / "a.jpg").shape == (400, 300, 3) and not caplog.messages


def test_what_waits_to_be_drawn_holds_no_large_picture(tmp_path, low, monkeypatch):
    image, waiting = view(), []
    monkeypatch.setattr(threads.Background, "run", lambda self, call, *args: waiting.extend(args))
    files_of(tmp_path, result(image), crops=True)
    arrays = [one.image if isinstance(one, Frame) else one for one in waiting]
    arrays = [one for one in arrays if isinstance(one, np.ndarray)]
    held = [one.shape[:2] for one in arrays if not np.shares_memory(one, GREY)]
    assert held.count((100, 75)) == 1 and held.count((80, 80)) == 1


def test_a_huge_crop_of_one_plane_is_a_grey_jpeg(tmp_path, low):
    overlay_files.write_picture(tmp_path / "c.jpg", view())
    coded = cv2.imread(str(tmp_path / "c.jpg"), cv2.IMREAD_UNCHANGED)
    assert coded.shape == GREY.shape and np.abs(coded.astype(int) - GREY).max() < 15
