"""Pasted objects: where nothing is, whole, with their box, and only those that may be pasted."""

import numpy as np
import pytest

from data.augment.paste import Donor, paste_objects
from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import PAD
from utils.config.config import AugmentConfig
from utils.values.batch import Sample
from utils.values.channels import Channels

CFG = AugmentConfig(min_box_px=0, scale=0.4, flipud=0.5)


def donor(boxes, labels, ignored=None, size=(100, 100), chances=None):
    """Boxes are white on grey, ignore regions are black."""
    image = np.full((*size, 3), 90, np.uint8)
    ignored = np.zeros(len(boxes), bool) if ignored is None else np.array(ignored)
    for (x1, y1, x2, y2), black in zip(boxes, ignored, strict=True):
        image[y1:y2, x1:x2] = 0 if black else 255
    boxes, labels = np.array(boxes, np.float32), np.array(labels)
    whole = Scene(image, boxes[~ignored], labels[~ignored], boxes[ignored])
    return Donor(whole, Optics(Channels()), None if chances is None else np.array(chances))


def scene(boxes=(), ignored=(), shape=(120, 160), value=60):
    boxes, ignored = (np.array(b, np.float32).reshape(-1, 4) for b in (boxes, ignored))
    return Sample(np.full((*shape, 3), value, np.uint8), boxes, np.zeros(len(boxes), np.int64), 0, ignored=ignored)


def many(sample, source, cfg=CFG, count=60):
    return [paste_objects(np.random.default_rng(seed), cfg, sample, source) for seed in range(count)]


def test_nothing_is_touched_and_boxes_are_tight():
    """What lies in a box or an ignore region keeps every pixel; white is in new boxes only, and fills them."""
    before = scene(boxes=[[20, 20, 60, 70]], ignored=[[100, 60, 150, 110]])
    pasted = 0
    for after in many(before, donor([(10, 10, 34, 30), (60, 50, 80, 90)], [1, 2])):
        assert (after.image[20:70, 20:60] == 60).all() and (after.image[60:110, 100:150] == 60).all()
        assert after.boxes[:1].tolist() == before.boxes.tolist() and after.ignored is before.ignored
        assert len(after.labels) == len(after.boxes) <= 3 and set(after.labels[1:].tolist()) <= {1, 2}
        white = after.image[..., 0] > 160
        covered = np.zeros(white.shape, bool)
        for x1, y1, x2, y2 in after.boxes[1:]:
            assert 0 <= x1 < x2 <= 160 and 0 <= y1 < y2 <= 120
            assert white[int(np.ceil(y1)) + 1 : int(y2) - 1, int(np.ceil(x1)) + 1 : int(x2) - 1].all()
            covered[max(int(y1) - 1, 0) : int(y2) + 2, max(int(x1) - 1, 0) : int(x2) + 2] = True
        assert not (white & ~covered).any()
        pasted += len(after.boxes) - 1
    assert pasted > 60
    assert (before.image == 60).all()


def test_the_border_is_soft():
    """From the box outwards, the donor's surroundings fade: 90 at the box, 60 at the patch's edge, in small steps."""
    cfg = AugmentConfig(min_box_px=0, scale=0, fliplr=0)
    source = donor([(40, 40, 60, 60)], [0], size=(120, 160))
    source.scene.planes[:] = 90  # no object: only surroundings
    (x1, y1, x2, y2), image = (after := many(scene(), source, cfg, 1)[0]).boxes[0].round().astype(int), after.image
    row = image[(y1 + y2) // 2, :, 0].astype(int)
    assert (row[x1 + 1 : x2 - 1] == 90).all() and set(row.tolist()) > {60, 90}
    assert np.abs(np.diff(row)).max() <= 16


@pytest.mark.parametrize(
    ("boxes", "labels", "ignored"),
    [
        ([(10, 10, 40, 40)], [0], [True]),
        ([(10, 10, 40, 40), (30, 30, 60, 60)], [0, 0], [False, False]),
        ([(10, 10, 40, 40), (41, 10, 60, 60)], [0, 0], [False, True]),
    ],
    ids=["ignored", "overlapping", "beside_ignored"],
)
def test_what_is_never_pasted(boxes, labels, ignored):
    for after in many(scene(), donor(boxes, labels, ignored, chances=[1.0])):
        assert len(after.boxes) == 0 and (after.image == 60).all()


def test_no_place_no_paste():
    full = scene(boxes=[[0, 0, 160, 120]])
    assert all(len(a.boxes) == 1 and (a.image == 60).all() for a in many(full, donor([(10, 10, 30, 30)], [1])))
    padding = scene(value=PAD)
    assert all(len(a.boxes) == 0 for a in many(padding, donor([(10, 10, 30, 30)], [1])))
    half = scene(value=PAD)
    half.image[:, 80:] = 60
    placed = np.concatenate([a.boxes for a in many(half, donor([(10, 10, 30, 30)], [1]))])
    assert len(placed) > 50 and placed[:, 0].min() > 76
    large = donor([(1, 1, 99, 99)], [1])
    assert all(len(a.boxes) == 0 for a in many(scene(shape=(100, 100)), large, AugmentConfig(scale=0)))


def test_objects_too_small_to_learn_are_not_pasted():
    cfg = AugmentConfig(min_box_px=40)
    assert all((a.image == 60).all() for a in many(scene(), donor([(10, 10, 30, 30)], [0]), cfg))


def test_chances_of_classes():
    boxes = [(5 + 18 * i, 10, 13 + 18 * i, 18) for i in range(5)]
    rare = [a.labels for a in many(scene(), donor(boxes, [0, 0, 0, 0, 1], chances=[1.0, 8.0]), count=200)]
    even = [a.labels for a in many(scene(), donor(boxes, [0, 0, 0, 0, 1]), count=200)]
    share = [(np.concatenate(labels) == 1).mean() for labels in (rare, even)]
    assert share[0] > 1.4 * share[1] and share[1] == pytest.approx(0.2, abs=0.05)
