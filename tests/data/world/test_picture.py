"""Pictures of the world: pure functions of a seed and a number, with boxes around what can be seen."""

import hashlib
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from data.defects.primitives import PRIMITIVES
from data.surfaces.materials import MATERIALS
from data.world.picture import LEAST_SIDE, VISIBLE, add_defect, draw_picture


def digest(index: int) -> str:
    picture = draw_picture(7, index, 128)
    boxes = b"".join(defect.box.tobytes() for defect in picture.defects)
    return hashlib.sha256(picture.image.tobytes() + boxes).hexdigest()


def test_a_number_is_the_same_picture_whoever_draws_it_and_in_whatever_order():
    alone = [digest(index) for index in range(8)]
    with ProcessPoolExecutor(2) as pool:
        shared = list(pool.map(digest, reversed(range(8))))
    assert alone == shared[::-1] and len(set(alone)) == 8
    assert not np.array_equal(draw_picture(8, 0, 128).image, draw_picture(7, 0, 128).image)


@pytest.mark.parametrize("size", [96, 320])
def test_boxes_lie_in_the_picture_and_apart(size):
    pictures = [draw_picture(1, index, size) for index in range(30)]
    for picture in pictures:
        assert picture.image.shape == (size, size, 3) and picture.image.dtype == np.uint8
        boxes = np.array([defect.box for defect in picture.defects]).reshape(-1, 4)
        assert (boxes >= 0).all() and (boxes <= size).all()
        assert (boxes[:, 2:] - boxes[:, :2] >= LEAST_SIDE).all()
        lows = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        shared = (np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - lows).clip(0).prod(2)
        assert (shared * (1 - np.eye(len(boxes))) == 0).all()
    counts = [len(picture.defects) for picture in pictures]
    assert 0 in counts and max(counts) > 2, "good pictures, and some with several defects"


@pytest.mark.parametrize("kind", range(len(PRIMITIVES)), ids=[one.names[0] for one in PRIMITIVES])
def test_every_kind_is_drawn_and_changes_nothing_outside_its_reach(kind):
    """The picture changes within the box, visibly; where it says that nothing can be seen, nothing changed."""
    able = PRIMITIVES[kind].on or tuple(MATERIALS)
    drawn = 0
    for number in range(12):
        rng = np.random.default_rng([3, kind, number])
        surface = MATERIALS[able[number % len(able)]](rng, 160)
        before, taken = surface.colour.copy(), np.zeros((160, 160), bool)
        defect = add_defect(rng, surface, kind, taken)
        change = np.abs(np.minimum(surface.colour, 1) - np.minimum(before, 1)).max(2)
        assert np.isfinite(surface.colour).all()
        if defect is None:
            assert not change.any() and not taken.any()
            continue
        drawn += 1
        x1, y1, x2, y2 = defect.box.astype(int).tolist()
        inside = change[y1:y2, x1:x2].copy()
        change[y1:y2, x1:x2] = 0
        assert inside.max() > VISIBLE and change.max() <= max(VISIBLE, 0.25 * inside.max()) + 1e-6
        assert taken[y1:y2, x1:x2].all()
    assert drawn >= 4


def test_every_material_is_light_that_a_camera_can_take():
    for number, paint in enumerate(MATERIALS.values()):
        for seed in range(4):
            surface = paint(np.random.default_rng([seed, number]), 128)
            assert surface.colour.shape == (128, 128, 3) and surface.colour.dtype == np.float32
            assert 0.02 < surface.colour.mean() < 0.98 and surface.colour.std() > 0.003
            assert surface.parts is None or set(np.unique(surface.parts)) >= {0, 255}


def test_names_are_told_apart():
    names = [name for one in PRIMITIVES for name in one.names]
    assert len(names) == len(set(names)) and len(PRIMITIVES) >= 60
    assert {name for one in PRIMITIVES for name in one.on} <= set(MATERIALS)
    assert {one.on for one in PRIMITIVES if one.where != "anywhere"} == {("circuit board",)}
