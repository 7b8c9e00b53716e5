"""The tiles of many pictures as one row of numbers; which boxes they show, counted one by one."""

from pathlib import Path

import numpy as np
import pytest

from data.index.flat_truth import flatten
from data.tiles import tiled_set
from data.tiles.tiled_set import TiledSet, TileTruth, shown_parts
from utils.tiling.tiles import Tiling
from utils.values.record import EVERY_CLASS, Record

TILINGS = [Tiling(32, 0.2), Tiling(50, 0.0), Tiling(40, 0.5, whole=True), Tiling(300, 0.2, whole=True)]


def records_of(seed, pictures=12, most=6):
    """Pictures of mixed sizes, of which several are alike; a fifth of the rows are crowd or ignore regions."""
    rng, made = np.random.default_rng(seed), []
    sizes = [(40, 60), (200, 90), (33, 33), (100, 300)]
    for number in range(pictures):
        size = sizes[rng.integers(4)]
        count = int(rng.integers(0, most))
        corners = np.sort(rng.random((count, 2, 2)), 1).reshape(-1, 4).astype(np.float32)
        labels, crowd = rng.integers(0, 3, count), rng.random(count) < 0.2
        labels[crowd & (rng.random(count) < 0.5)] = EVERY_CLASS
        made.append(Record(Path(f"{number}.png"), number + 1, size, corners, labels, crowd))
    return made


def tiled_of(records, tiling):
    return TiledSet.of(tiling, flatten(records).sizes)


@pytest.mark.parametrize("tiling", TILINGS, ids=str)
def test_tiles_are_numbered_picture_by_picture_as_the_tiling_says(tiling):
    for seed in range(5):
        records = records_of(seed)
        tiled = tiled_of(records, tiling)
        want = [(k, tuple(area)) for k, one in enumerate(records) for area in tiling.areas(one.size).tolist()]
        assert len(tiled) == len(want) == len(tiled.pictures) == len(tiled.areas)
        assert [(tiled.picture(t), tiled.area(t)) for t in range(len(tiled))] == want
        assert tiled.pictures.tolist() == [k for k, _ in want]
        assert tiled.areas.tolist() == [list(area) for _, area in want] and tiled.areas.dtype == np.int32


@pytest.mark.parametrize("tiling", TILINGS, ids=str)
def test_the_tiles_of_all_pictures_sum_up(tiling):
    tiled = tiled_of(records_of(7), tiling)
    every = tiled.of_pictures(range(12))
    assert every.tolist() == list(range(len(tiled)))
    for some in ([3], [11, 0, 5]):
        mine = tiled.of_pictures(some)
        assert mine.tolist() == [t for p in some for t in range(len(tiled)) if tiled.picture(t) == p]


def test_a_set_without_pictures_has_no_tiles():
    tiled = TiledSet.of(Tiling(32), flatten([]).sizes)
    truth = TileTruth.of(tiled, [], 0.4)
    assert len(tiled) == 0 == len(tiled.areas) == len(tiled.pictures) == truth.boxes == truth.unseen == len(truth.tiles)
    assert truth.showing(0).shape == (0,)


def part_of(box, area):
    """How much of a box lies in an area; of one that is longer in one direction alone, of what the area can show."""
    shown = [max(min(box[k + 2], area[k + 2]) - max(box[k], area[k]), 0.0) for k in (0, 1)]
    lengths, room = ([one[k + 2] - one[k] for k in (0, 1)] for one in (box, area))
    if (lengths[0] > room[0]) != (lengths[1] > room[1]):
        lengths = [min(*pair) for pair in zip(lengths, room, strict=True)]
    return shown[0] * shown[1] / max(lengths[0] * lengths[1], 1e-9)


@pytest.mark.parametrize("at_once", [1, 3, 4096])
@pytest.mark.parametrize("tiling", TILINGS, ids=str)
def test_a_tile_shows_the_boxes_of_which_enough_is_in_it(tiling, at_once, monkeypatch):
    """However many boxes are compared with all tiles at once."""
    monkeypatch.setattr(tiled_set, "AT_ONCE", at_once)
    for seed, least in ((0, 0.4), (1, 1.0), (2, 0.05)):
        records = records_of(seed)
        tiled = tiled_of(records, tiling)
        want, seen, boxes = [], 0, 0
        for number, record in enumerate(records):
            for box, label in zip(*(values.tolist() for values in record.counted()), strict=True):
                areas = tiling.areas(record.size).tolist()
                parts = [part_of(box, area) for area in areas]
                assert all(abs(part - least) > 1e-4 for part in parts if part < 1 - 1e-4), "told by rounding"
                tiles = [t for t, part in enumerate(parts) if part >= min(least, 1 - 1e-4)]
                want += [(int(tiled.starts[number]) + t, label) for t in tiles]
                seen += bool(tiles)
                boxes += 1
        truth = TileTruth.of(tiled, records, min(least, 1 - 1e-4))
        assert sorted(zip(truth.tiles.tolist(), truth.labels.tolist(), strict=True)) == sorted(want)
        assert truth.boxes == boxes and truth.unseen == boxes - seen
        showing = truth.showing(len(tiled))
        assert showing.shape == (len(tiled),) and set(np.flatnonzero(showing)) == {tile for tile, _ in want}


def test_every_box_is_in_some_tile_or_counted_as_unseen():
    """With the whole picture among the tiles none is unseen, and small boxes are seen in any case."""
    unseen = 0
    for seed in range(20):
        records = records_of(seed)
        for least in (0.3, 0.4, 0.9):
            plain, whole = (tiled_of(records, Tiling(32, 0.2, one)) for one in (False, True))
            few, every = TileTruth.of(plain, records, least), TileTruth.of(whole, records, least)
            assert few.boxes == every.boxes == sum(int((~one.crowd).sum()) for one in records)
            assert every.unseen == 0 and 0 <= few.unseen <= few.boxes
            assert len(few.tiles) >= few.boxes - few.unseen
            unseen += few.unseen
    assert unseen


def test_a_scratch_longer_than_a_tile_is_learnt_from_its_pieces_and_what_is_larger_both_ways_from_none():
    area = Tiling(32, 0.0).areas((96, 96))
    for box, want in (
        ([0, 10, 96, 14], [1, 1, 1, 0, 0, 0, 0, 0, 0]),
        ([16, 10, 80, 14], [0.5, 1, 0.5, 0, 0, 0, 0, 0, 0]),
        ([70, 16, 74, 80], [0, 0, 0.5, 0, 0, 1, 0, 0, 0.5]),
        ([0, 0, 96, 96], [1 / 9] * 9),
        ([0, 0, 32, 32], [1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ):
        assert shown_parts(np.array([box], np.float32), area)[0].tolist() == pytest.approx(want)


def test_a_box_smaller_than_the_overlap_is_whole_in_some_tile():
    rng, tiling = np.random.default_rng(0), Tiling(32, 0.25)
    for _ in range(300):
        size = rng.integers(8, 130, 2)
        corner = rng.random(2) * (size[::-1] - 8)
        box = np.concatenate((corner, corner + 8))[None].astype(np.float32)
        assert shown_parts(box, tiling.areas(tuple(size.tolist()))).max() == pytest.approx(1, abs=1e-5)


def test_the_sizes_of_boxes_at_the_network_are_those_of_the_pictures_or_of_their_tiles():
    """A picture smaller than a tile is enlarged as a whole."""
    records = records_of(3)
    flat = flatten(records)
    assert np.array_equal(flat.input_sizes(96, 0), flat.input_sizes(96))
    want = []
    for record in records:
        boxes = record.counted()[0]
        want.append((boxes[:, 2:] - boxes[:, :2]) * (96 / min(max(record.size), 50)))
    np.testing.assert_allclose(flat.input_sizes(96, 50), np.concatenate(want), rtol=1e-5)
    assert np.array_equal(flat.input_sizes(96, 1000), flat.input_sizes(96))
