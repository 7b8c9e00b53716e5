"""Tiles as scenes: their pixels are those of the picture, their truth what is in them; pictures are decoded once."""

import pickle

import numpy as np
import pytest

from data.augment.scene import Scene
from data.tiles.tile_scenes import RecentScenes, TileScenes, cut_scene
from data.tiles.tiled_set import TiledSet, TileTruth, shown_parts
from tests.data.tiles.test_tiled_set import part_of, records_of
from utils.tiling.tiles import Tiling
from utils.values.channels import Channels


class MadeScenes:
    """A SceneSource of records without files: pixels of noise, and how often each picture was made."""

    channels = Channels()

    def __init__(self, records):
        self.records, self.asked = records, []
        self.sizes = np.array([record.size for record in records], np.int32).reshape(-1, 2)
        self.donors = np.array([bool((~record.crowd).any()) for record in records])

    def __len__(self):
        return len(self.records)

    def __getitem__(self, index):
        self.asked.append(index)
        record = self.records[index]
        planes = np.random.default_rng(index).integers(0, 256, (*record.size, 3), dtype=np.uint8)
        boxes, crowd = record.pixel_boxes(), record.crowd
        return Scene(planes, boxes[~crowd], record.labels[~crowd], boxes[crowd])


def tiles_of(records, tiling, least=0.4, kept=2):
    scenes = MadeScenes(records)
    tiled = TiledSet.of(tiling, scenes.sizes)
    truth = TileTruth.of(tiled, records, least)
    return scenes, truth, TileScenes(RecentScenes(scenes, kept), tiled, truth.showing(len(tiled)), least)


@pytest.mark.parametrize("tiling", [Tiling(32, 0.2), Tiling(40, 0.5, whole=True)], ids=str)
def test_pixels_are_those_of_the_picture(tiling):
    scenes, _, tiles = tiles_of(records_of(0), tiling)
    sizes = tiles.sizes
    for number in range(len(tiles)):
        left, top, right, bottom = tiles.tiled.area(number)
        whole, tile = scenes[tiles.picture(number)], tiles[number]
        assert np.array_equal(tile.planes, whole.planes[top:bottom, left:right])
        assert tile.planes.flags.c_contiguous and tile.size == tuple(sizes[number].tolist())
    assert len(tiles) == len(tiles.tiled) and tiles.channels == Channels()


@pytest.mark.parametrize("least", [0.4, 0.9])
def test_boxes_are_learnt_ignored_or_not_there(least):
    """As TileTruth counts them; a part of a box, and crowd regions, are ignored as far as the tile shows them."""
    learnt = ignored = 0
    records = records_of(1, pictures=20)
    _, truth, tiles = tiles_of(records, Tiling(32, 0.2), least)
    counted = np.bincount(truth.tiles, minlength=len(tiles))
    for number in range(len(tiles)):
        area, record, tile = tiles.tiled.area(number), records[tiles.picture(number)], tiles[number]
        left, top, right, bottom = area
        whole, regions = [], []
        for box, label, crowd in zip(record.pixel_boxes().tolist(), record.labels, record.crowd, strict=True):
            part = part_of(box, area)
            inside = np.clip(np.array(box) - [left, top, left, top], 0, [right - left, bottom - top] * 2).tolist()
            if part >= least and not crowd:
                whole.append((label, inside))
            elif part > 0:
                regions.append(inside)
        np.testing.assert_allclose(tile.boxes, np.array([box for _, box in whole]).reshape(-1, 4), atol=1e-3)
        assert tile.labels.tolist() == [label for label, _ in whole]
        order = np.lexsort(tile.ignored.T[::-1])
        np.testing.assert_allclose(tile.ignored[order], np.array(sorted(regions)).reshape(-1, 4), atol=1e-3)
        assert len(tile.labels) == counted[number] and bool(counted[number]) == tiles.donors[number]
        learnt, ignored = learnt + len(tile.boxes), ignored + len(tile.ignored)
    assert learnt > 20 and ignored > 20


def test_a_crowd_region_is_ignored_in_every_tile_as_far_as_that_shows_it():
    """However little that is: nothing in it may become background."""
    planes, region = np.zeros((64, 64, 3), np.uint8), np.array([[10, 10, 40, 20]], np.float32)
    scene = Scene(planes, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), region)
    for area, want in (
        ((0, 0, 32, 32), [[10, 10, 32, 20]]),
        ((32, 0, 64, 32), [[0, 10, 8, 20]]),
        ((0, 32, 32, 64), []),
        ((40, 0, 64, 32), []),
    ):
        cut = cut_scene(scene, area, 0.4)
        assert cut.ignored.tolist() == want and len(cut.boxes) == 0 and cut.ignored.dtype == np.float32


def test_a_picture_as_a_whole_stays_what_it_is():
    scene = MadeScenes(records_of(2))[0]
    assert cut_scene(scene, (0, 0, scene.size[1], scene.size[0]), 0.4) is scene


def test_tiles_together_hold_every_pixel_and_every_box_of_which_one_shows_enough():
    records, tiling = records_of(4), Tiling(32, 0.2)
    scenes, truth, tiles = tiles_of(records, tiling)
    seen = 0
    for number, record in enumerate(records):
        built = np.zeros((*record.size, 3), np.uint8)
        for t in tiles.of_pictures([number]).tolist():
            left, top, right, bottom = tiles.tiled.area(t)
            built[top:bottom, left:right] = tiles[t].planes
        assert np.array_equal(built, scenes[number].planes)
        seen += int((shown_parts(record.counted()[0], tiling.areas(record.size)) >= 0.4).any(1).sum())
    assert sum(len(tiles[t].labels) for t in range(len(tiles))) == len(truth.tiles)
    assert seen == truth.boxes - truth.unseen > 0


def test_a_picture_is_decoded_once_while_its_tiles_are_asked_for():
    scenes, _, tiles = tiles_of(records_of(0), Tiling(32, 0.2), kept=2)
    for number in range(len(tiles)):
        tiles[number]
    assert scenes.asked == list(range(12))
    scenes.asked.clear()
    mixed = tiles.of_pictures([3, 8]).tolist()
    for number in np.random.default_rng(0).permutation(mixed).tolist():
        tiles[number]
    assert sorted(scenes.asked) == [3, 8]


def test_no_more_pictures_are_kept_than_asked_for_and_the_latest_stay():
    scenes, other = MadeScenes(records_of(0)), MadeScenes(records_of(0))
    recent = RecentScenes(scenes, 2)
    for index in (0, 1, 0, 2, 0, 1):
        assert np.array_equal(recent[index].planes, other[index].planes) and len(recent.kept) <= 2
    assert scenes.asked == [0, 1, 2, 1] and recent.kept.keys() == {0, 1} and len(recent) == 12


def test_a_copy_for_a_worker_carries_no_pictures_and_gives_the_same():
    scenes, _, tiles = tiles_of(records_of(0), Tiling(32, 0.2))
    before = len(pickle.dumps(tiles))
    want = tiles[5]
    assert len(tiles.scenes.kept) == 1 and len(pickle.dumps(tiles)) < before + 100
    other = pickle.loads(pickle.dumps(tiles))
    assert not other.scenes.kept and np.array_equal(other[5].planes, want.planes)
    assert np.array_equal(other.sizes, tiles.sizes) and other.scenes.donors.tolist() == scenes.donors.tolist()


def test_what_is_not_there_is_an_error_as_ever():
    recent = RecentScenes(MadeScenes(records_of(0)), 2)
    assert recent.channels == Channels() and recent.sizes.shape == (12, 2)
    with pytest.raises(AttributeError):
        _ = recent.nothing_of_that_name
    with pytest.raises(IndexError):
        recent[12]
    assert not recent.kept
