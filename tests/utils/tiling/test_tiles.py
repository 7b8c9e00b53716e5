"""Where tiles lie, for every size of one to three tiles: no pixel is left out, none is asked for beyond the picture."""

from itertools import pairwise, product

import numpy as np
import pytest

from utils.tiling.tiles import Tiling

SIDES = (1, 2, 3, 5, 8, 16, 21, 32)
OVERLAPS = (0.0, 0.1, 0.2, 0.25, 1 / 3, 0.5, 0.75, 0.9)
EVERY = [(side, overlap, length) for side in SIDES for overlap in OVERLAPS for length in range(1, 3 * side + 1)]


def test_tiles_cover_every_length_without_a_gap_and_lie_inside():
    for side, overlap, length in EVERY:
        spans = Tiling(side, overlap).spans(length).tolist()
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert all(0 <= start < end <= length for start, end in spans)
        assert {px for start, end in spans for px in range(start, end)} == set(range(length))
        assert all(later[0] > earlier[0] for earlier, later in pairwise(spans)), "no tile comes twice"


def test_the_last_tile_moves_inward_so_that_all_are_of_one_size():
    for side, overlap, length in EVERY:
        spans = Tiling(side, overlap).spans(length)
        assert (spans[:, 1] - spans[:, 0] == min(side, length)).all()


def test_neighbours_overlap_by_the_part_that_is_asked_for_to_the_nearest_px_at_least():
    """A step is a pixel at least, so that an overlap of nearly the whole side has an end."""
    for side, overlap, length in EVERY:
        for earlier, later in pairwise(Tiling(side, overlap).spans(length).tolist()):
            assert earlier[1] - later[0] >= min(overlap * side - 0.5, side - 1) - 1e-6


def test_there_are_no_more_tiles_than_are_needed():
    for side, overlap, length in EVERY:
        spans = Tiling(side, overlap).spans(length)
        step = max(round(side * (1 - overlap)), 1)
        assert len(spans) == 1 + max(-(-(length - side) // step), 0)


def test_what_is_no_larger_than_a_tile_is_one_tile_as_it_is():
    for height, width in product(range(1, 9), repeat=2):
        for whole in (False, True):
            assert Tiling(8, 0.2, whole).areas((height, width)).tolist() == [[0, 0, width, height]]


@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("side", [4, 7, 16])
def test_tiles_cover_every_picture_row_by_row(side, overlap):
    for height, width in product(range(1, 3 * side + 1, 1 if side < 16 else 5), repeat=2):
        tiling = Tiling(side, overlap)
        areas = tiling.areas((height, width))
        covered = np.zeros((height, width), bool)
        for left, top, right, bottom in areas.tolist():
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
            covered[top:bottom, left:right] = True
        assert covered.all() and areas.dtype == np.int32
        assert areas.tolist() == sorted(areas.tolist(), key=lambda area: (area[1], area[0]))
        assert len(areas) == len(tiling.spans(height)) * len(tiling.spans(width)) == len(np.unique(areas, axis=0))


def test_the_whole_picture_comes_once_more_as_the_last_one_where_it_is_larger_than_a_tile():
    for height, width in product(range(1, 25), repeat=2):
        tiles, more = Tiling(8, 0.2).areas((height, width)), Tiling(8, 0.2, whole=True).areas((height, width))
        if len(tiles) == 1:
            assert more.tolist() == tiles.tolist()
        else:
            assert more[:-1].tolist() == tiles.tolist() and more[-1].tolist() == [0, 0, width, height]
