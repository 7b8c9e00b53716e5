"""--tile auto: small boxes become large enough to be found; what is said of tiles; sides that no network takes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.index.flat_truth import flatten
from data.tiles.tile_size import auto_words, check_tile, chosen_tile, tile_words, tiling_of, with_tile
from data.tiles.tiled_set import TiledSet, TileTruth
from utils.config.config import Config, DataConfig
from utils.flags.looking_flags import AUTO
from utils.tiling.tiles import Tiling
from utils.values.record import Record
from utils.words.errors import ConfigError, DataError


def record(size, boxes, crowd=False):
    """Boxes in px."""
    fractions = np.array(boxes, np.float32).reshape(-1, 4) / np.array([size[1], size[0]] * 2, np.float32)
    return Record(Path("a.png"), 1, size, fractions, np.zeros(len(boxes), np.int64), np.full(len(boxes), crowd))


def squares(rng, size, sides):
    corners = [rng.random(2) * (np.array(size[::-1]) - side) for side in sides]
    return record(size, [(*corner, *(corner + side)) for corner, side in zip(corners, sides, strict=True)])


def test_the_median_of_the_smaller_half_of_the_boxes_gets_16_px_at_the_network():
    rng, chosen = np.random.default_rng(0), []
    for _ in range(100):
        smallest = rng.uniform(5, 40)
        records = [squares(rng, (4096, 3000), np.exp(rng.uniform(0, 2, 8)) * smallest) for _ in range(5)]
        imgsz = int(rng.choice([320, 640, 1024]))
        side = chosen_tile(records, imgsz)
        sizes = flatten(records).input_sizes(imgsz, side)
        small = np.quantile(np.sqrt(sizes.prod(1)), 0.25)
        assert side == 0 or side % 32 == 0
        assert small >= 16 - 1e-3 or side == -(-imgsz // 4 // 32) * 32, "as far as tiles are enlarged"
        larger = flatten(records).input_sizes(imgsz, side + 32)
        assert side == 0 or np.quantile(np.sqrt(larger.prod(1)), 0.25) < 16, "no smaller than need be"
        chosen.append(side)
    assert len(set(chosen)) > 5


def test_a_tile_is_enlarged_four_times_at_most():
    rng = np.random.default_rng(1)
    for imgsz in (64, 320, 640):
        assert chosen_tile([squares(rng, (4096, 4096), [3.0] * 8)], imgsz) * 4 >= imgsz


def test_pictures_that_show_small_boxes_as_they_are_need_no_tiles():
    rng = np.random.default_rng(2)
    assert chosen_tile([squares(rng, (600, 500), [20.0] * 8)], 640) == 0
    assert chosen_tile([squares(rng, (128, 128), [3.0] * 8)], 640) == 0, "not even tiles of a quarter are smaller"
    assert chosen_tile([squares(rng, (4000, 4000), [500.0] * 8)], 640) == 0


def test_crowd_regions_have_no_say():
    rng = np.random.default_rng(3)
    learnt, region = squares(rng, (4000, 4000), [40.0] * 8), record((4000, 4000), [[0, 0, 4, 4]] * 100, crowd=True)
    assert chosen_tile([learnt, region], 640) == chosen_tile([learnt], 640) > 0
    with pytest.raises(DataError, match="no boxes to choose by"):
        chosen_tile([region], 640)
    with pytest.raises(DataError, match="--tile auto"):
        chosen_tile([], 640)


def test_auto_is_replaced_and_anything_else_stays():
    records = [squares(np.random.default_rng(4), (4000, 4000), [20.0] * 8)]
    cfg = Config(data=DataConfig(imgsz=640, tile=AUTO))
    chosen = with_tile(cfg, records)
    assert chosen.data.tile == chosen_tile(records, 640) == 800
    assert chosen == replace(cfg, data=replace(cfg.data, tile=800))
    for tile in (0, 64):
        plain = Config(data=DataConfig(tile=tile))
        assert with_tile(plain, []) is plain
    assert auto_words(AUTO, chosen.data) == "--tile auto: 800 px, which become inputs of 640 px"
    assert "no tiles" in auto_words(AUTO, DataConfig(tile=0)) and auto_words(800, chosen.data) == ""


def test_how_pictures_are_cut_as_the_configuration_says():
    assert tiling_of(DataConfig()) is None
    assert tiling_of(DataConfig(tile=64, tile_overlap=0.3, tile_full=True)) == Tiling(64, 0.3, True)


@pytest.mark.parametrize(
    ("tile", "stride", "advice"),
    [(50, 32, "take 32 or 64"), (33, 32, "take 32 or 64"), (20, 32, "take 32"), (100, 64, "take 64 or 128")],
)
def test_a_tile_that_the_network_cannot_take_is_refused_with_those_that_it_can(tile, stride, advice):
    with pytest.raises(ConfigError) as error:
        check_tile(tile, stride)
    assert str(error.value) == f"--tile {tile}: must be a multiple of the network's stride {stride}: {advice}"


@pytest.mark.parametrize("tile", [0, AUTO, 32, 640])
def test_no_tiles_and_multiples_of_the_stride_are_taken(tile):
    check_tile(tile, 32)


def words(tiling, records, drawn=3):
    tiled = TiledSet.of(tiling, flatten(records).sizes)
    return tile_words("train", tiled, TileTruth.of(tiled, records, 0.4), drawn)


def test_the_words_about_a_split_balance():
    large = record((64, 128), [[2, 2, 10, 10], [0, 0, 128, 64]])
    small = record((20, 20), [])
    (first, second) = words(Tiling(32, 0.0), [large, small])
    assert first == "train: 2 pictures make 9 tiles of 32 px: 1 show defects, 8 none, of which 3 come in each epoch"
    assert second.startswith("train: 1 of 2 boxes are") and "learnt from none" in second and "--tile-full" in second
    (line,) = words(Tiling(32, 0.0, whole=True), [large, small])
    assert "2 pictures make 9 tiles of 32 px and 1 whole ones: 2 show defects, 8 none" in line
    _, line = words(Tiling(128, 0.0), [large, small])
    assert line == "train: no picture is larger than a tile of 128 px: each is one tile"
