"""A record's picture and truth as one scene."""

import pickle

import numpy as np
from PIL import Image

from data.scenes.cached_pictures import Pictures
from data.scenes.record_scenes import RecordScenes
from utils.values.record import EVERY_CLASS, Record

BOXES = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0.25, 0, 0.5, 1]], np.float32)


def test_crowd_rows_and_ignore_regions_are_ignored_in_pixels(tmp_path):
    """... the others are boxes; a picture that has none of these gives no objects to paste."""
    picture = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    some, every = np.array([True, False, True]), np.ones(3, bool)
    labels = np.array([EVERY_CLASS, 2, 1])
    records = [Record(tmp_path / "a.png", 1, (20, 40), BOXES, labels, crowd) for crowd in (some, every)]
    scenes = pickle.loads(pickle.dumps(RecordScenes(Pictures(records, 10**6))))
    assert len(scenes) == 2 and scenes.sizes.tolist() == [[20, 40]] * 2 and scenes.donors.tolist() == [True, False]
    assert scenes.channels.plain_rgb and scenes[0].size == (20, 40)
    assert np.array_equal(scenes[0].planes, picture)
    assert scenes[0].boxes.tolist() == [[20, 10, 40, 20]] and scenes[0].labels.tolist() == [2]
    assert scenes[0].ignored.tolist() == [[0, 0, 20, 10], [10, 0, 20, 20]]
    assert len(scenes[1].boxes) == len(scenes[1].labels) == 0 and len(scenes[1].ignored) == 3
