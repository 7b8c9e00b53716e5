"""Views of a picture: whole, in tiles, mirrored, enlarged; where their boxes lie, and that no pixel is another one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import PAD, eval_shape, letterbox
from data.batches.looking import AUGMENTED, PLAIN, VISIBLE, Look, Looking, PlannedView, letterboxed
from data.tiles.tile_scenes import cut_scene
from utils.config.config import DataConfig
from utils.tiling.tiles import Tiling
from utils.values.channels import RGB_CHANNELS, Channels

OPTICS = Optics(RGB_CHANNELS)
SIZES = [(40, 60), (100, 37), (64, 64), (130, 250), (5, 90)]
TILES = Tiling(64, 0.25, whole=True)
LOOKINGS = {
    "whole": Looking(64, 32),
    "augmented": Looking(96, 32, looks=AUGMENTED),
    "tiles": Looking(64, 32, TILES),
    "tiles, enlarged": Looking(96, 32, TILES),
    "tiles, augmented": Looking(64, 32, TILES, AUGMENTED),
    "tiles, upside down": Looking(64, 32, TILES, (Look(across=True, down=True), Look(zoom=1.5, down=True))),
}


def scene_of(seed, size, boxes=6):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.random((boxes, 2, 2)), 1).reshape(-1, 4) * np.tile(size[::-1], 2)
    planes = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    ignored = np.array([[0, 0, size[1] / 2, size[0] / 3]], np.float32)
    return Scene(planes, corners.astype(np.float32), rng.integers(0, 4, boxes), ignored)


def moved(boxes, area):
    """From px of an area to px of its picture."""
    return boxes + np.array([area[0], area[1]] * 2, np.float32)


@pytest.mark.parametrize("name", LOOKINGS)
def test_boxes_return_to_the_pixels_of_the_picture(name):
    """Of a tile those that it shows enough of, as far as it shows them; and its ignored regions."""
    looking, shown = LOOKINGS[name], 0
    for seed, size in enumerate(SIZES):
        scene = scene_of(seed, size)
        for planned in looking.views(size):
            sample = looking.sample(scene, planned, 7, OPTICS)
            part = cut_scene(scene, planned.area, VISIBLE)
            for mine, theirs in ((sample.boxes, part.boxes), (sample.ignored, part.ignored)):
                assert (mine[:, 2:] >= mine[:, :2]).all() and (mine >= -1e-3).all()
                assert (mine <= np.tile(planned.shape[::-1], 2) + 1e-3).all()
                back = sample.view.undo(torch.from_numpy(mine)).numpy()
                np.testing.assert_allclose(back, moved(theirs, planned.area), atol=1e-3)
            assert np.array_equal(sample.labels, part.labels) and sample.image.shape == (*planned.shape, 3)
            shown += len(sample.boxes)
    assert shown > 20


@pytest.mark.parametrize("name", LOOKINGS)
def test_a_view_knows_its_picture_and_its_place_among_the_views(name):
    looking = LOOKINGS[name]
    for seed, size in enumerate(SIZES):
        scene = scene_of(seed, size)
        views = [looking.sample(scene, planned, 7, OPTICS).view for planned in looking.views(size)]
        assert [view.part for view in views] == list(range(len(views))) == list(range(views[0].parts))
        assert {(view.picture, view.size, view.parts) for view in views} == {(7, size, len(views))}
        areas = [[0, 0, size[1], size[0]]] if looking.tiling is None else looking.tiling.areas(size).tolist()
        assert [(view.look, list(view.shown)) for view in views] == [
            (number, area) for number in range(len(looking.looks)) for area in areas
        ]
        assert looking.tiles(size) == len(areas)
        assert not looking.single or len(views) == 1


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("down", [False, True])
def test_the_pixels_of_a_mirrored_view_are_the_mirrored_pixels(across, down):
    for seed, size in enumerate(SIZES):
        for tiling in (None, TILES):
            scene = scene_of(seed, size)
            plain, other = (Looking(96, 32, tiling, looks=(look,)) for look in (Look(), Look(1, across, down)))
            for one, two in zip(plain.views(size), other.views(size), strict=True):
                a, b = plain.sample(scene, one, 0, OPTICS), other.sample(scene, two, 0, OPTICS)
                want = a.image[:: -1 if down else 1, :: -1 if across else 1]
                assert np.array_equal(b.image, want) and b.image.flags.c_contiguous
                assert len(a.boxes) == len(b.boxes)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("down", [False, True])
def test_a_mark_lies_where_the_view_says(across, down):
    """A bright rectangle in a dark picture, looked at in every way, is within its box and fills it."""
    looking = Looking(128, 32, Tiling(64, 0.25, whole=True), (Look(1.25, across, down),))
    planes, box = np.zeros((90, 150, 3), np.uint8), np.array([[50, 32, 62, 47]], np.float32)
    planes[32:47, 50:62] = 255
    scene, seen = Scene(planes, box, np.zeros(1, np.int64)), 0
    for planned in looking.views(scene.size):
        sample = looking.sample(scene, planned, 0, OPTICS)
        bright = np.argwhere(sample.image[..., 0] > 127)
        if len(sample.boxes) and len(bright):
            low, high = bright.min(0), bright.max(0) + 1
            np.testing.assert_allclose(sample.boxes[0], [low[1], low[0], high[1], high[0]], atol=1.01)
            seen += 1
    assert seen >= 4


def test_directions_are_mirrored_with_the_picture():
    """Behind an analyser at 45 degrees a mirrored picture shows what it showed at 135, whichever way it is mirrored."""
    channels = Channels(image=("i0", "i45", "i90", "i135"))
    optics, rng = Optics(channels), np.random.default_rng(0)
    planes = rng.random((40, 64, 4)).astype(np.float32)
    for across, down, swapped in ((True, False, True), (False, True, True), (True, True, False)):
        looking = Looking(64, 32, looks=(Look(1, across, down),))
        (planned,) = looking.views((40, 64))
        sample = looking.sample(Scene.without_truth(planes), planned, 0, optics)
        by_hand = planes[:: -1 if down else 1, :: -1 if across else 1][..., [0, 3, 2, 1] if swapped else [0, 1, 2, 3]]
        want = letterboxed(Scene.without_truth(np.ascontiguousarray(by_hand)), planned.shape, 0, optics)
        np.testing.assert_allclose(sample.image, want.image, atol=1e-5)


@pytest.mark.parametrize("imgsz", [64, 96, 160])
def test_a_tile_is_a_picture_that_was_cut_by_hand(imgsz):
    looking = Looking(imgsz, 32, TILES)
    for seed, size in enumerate(SIZES):
        scene = scene_of(seed, size)
        for planned in looking.views(size):
            left, top, right, bottom = planned.area
            cut = Scene.without_truth(np.ascontiguousarray(scene.planes[top:bottom, left:right]))
            shape = eval_shape(cut.size, imgsz, 32)
            by_hand, tile = letterboxed(cut, shape, 0, OPTICS), looking.sample(scene, planned, 0, OPTICS)
            assert planned.shape == shape and np.array_equal(tile.image, by_hand.image)
            boxes = torch.rand(5, 4) * 50
            back = moved(by_hand.view.undo(boxes).numpy(), planned.area)
            np.testing.assert_allclose(tile.view.undo(boxes).numpy(), back, atol=1e-4)


def test_letterboxed_is_the_letterbox():
    scene = scene_of(3, (130, 250))
    image, fit = letterbox(scene.planes, (64, 96), PAD)
    sample = letterboxed(scene, (64, 96), 5, OPTICS)
    assert np.array_equal(sample.image, image) and sample.view == fit.view(5) and sample.index == 5
    np.testing.assert_allclose(sample.boxes, sample.view.apply(scene.boxes))
    assert (sample.view.parts, sample.view.area, sample.full) == (1, None, 255.0)


def test_an_enlarged_look_is_larger_by_whole_strides():
    for imgsz, want in ((96, 128), (64, 96), (640, 800)):
        looking = Looking(imgsz, 32, looks=(Look(zoom=1.25),))
        (planned,) = looking.views((50, 100))
        assert planned.shape == eval_shape((50, 100), want, 32) and max(planned.shape) == want


@pytest.mark.parametrize("most", [1, 3, 100])
@pytest.mark.parametrize("name", LOOKINGS)
def test_batches_hold_every_view_once_and_have_one_shape_each(name, most):
    looking = LOOKINGS[name]
    scenes = [scene_of(seed, size) for seed, size in enumerate(SIZES)]
    wanted = {(k, view.part): view for k, scene in enumerate(scenes) for view in looking.views(scene.size)}
    found = {}
    for batch in looking.batches(scenes, OPTICS, most):
        assert len(batch.views) == len(batch) == len(batch.images) <= most
        for view, image in zip(batch.views, batch.images, strict=True):
            assert (view.picture, view.part) not in found
            found[view.picture, view.part] = image.permute(1, 2, 0).numpy()
    assert found.keys() == wanted.keys()
    for (k, part), image in found.items():
        want = looking.sample(scenes[k], wanted[k, part], k, OPTICS)
        assert np.array_equal(image, want.image)


def test_how_the_configuration_says():
    data = DataConfig(imgsz=96, tile=64, tile_overlap=0.5, tile_full=True, tile_min_visible=0.7)
    assert Looking.of(data, 32, augment=False) == Looking(96, 32, Tiling(64, 0.5, True), PLAIN, 0.7)
    assert Looking.of(DataConfig(imgsz=96), 32, augment=True) == Looking(96, 32, None, AUGMENTED, VISIBLE)
    assert Looking(96, 32).words() == []
    (line,) = Looking.of(data, 32, augment=False).words()
    assert all(words in line for words in ("in tiles of 64 px", "overlap 0.5", "96 px", "whole"))
    (line,) = Looking(64, 32, Tiling(64)).words()
    assert "in tiles of 64 px" in line and "whole" not in line and "input" not in line
    assert [Looking(64, 32).single, Looking(64, 32, Tiling(64)).single] == [True, False]
    assert not Looking(64, 32, looks=AUGMENTED).single


def test_a_picture_smaller_than_a_tile_is_one_view_as_without_tiles():
    scene = scene_of(0, (40, 60))
    (planned,) = Looking(64, 32, TILES).views(scene.size)
    (plain,) = Looking(64, 32).views(scene.size)
    one = Looking(64, 32, TILES).sample(scene, planned, 0, OPTICS)
    two = Looking(64, 32).sample(scene, plain, 0, OPTICS)
    assert planned == plain == PlannedView((0, 0, 60, 40), (64, 64))
    assert one.view == two.view and np.array_equal(one.image, two.image)
    assert replace(one.view, parts=1) == one.view


def test_shrinking_a_whole_picture_beside_its_tiles_averages_pixels():
    scene = scene_of(0, (256, 256))
    looking = Looking(64, 32, Tiling(64, 0.0, whole=True))
    *_, whole = looking.views(scene.size)
    image = looking.sample(scene, whole, 0, OPTICS).image
    assert np.array_equal(image, cv2.resize(scene.planes, (64, 64), interpolation=cv2.INTER_AREA))


def test_the_fullest_tile_of_a_picture_shows_most_of_its_boxes():
    planes = np.random.default_rng(0).integers(0, 256, (100, 300, 3)).astype(np.uint8)
    boxes = np.array([[5, 5, 15, 15], [210, 20, 220, 30], [255, 60, 267, 70]], np.float32)
    scene = Scene(planes, boxes, np.array([0, 1, 2]))
    looking = Looking(96, 32, Tiling(96, 0.2))
    tile = looking.fullest(scene)
    assert tile.size == (96, 96) and tile.labels.tolist() == [1, 2]
    assert np.array_equal(tile.planes, planes[:96, 204:300])
    assert Looking(96, 32).fullest(scene) is scene
    assert looking.fullest(Scene.without_truth(planes)).size == (96, 96)
