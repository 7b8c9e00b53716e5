"""What tiles show becomes one list: whatever a perfect detector says of tiles, the truth comes out of it."""

import numpy as np
import pytest

from utils.tiling.merging import Pieces, merge_tiles
from utils.tiling.tiles import Tiling

THREE = (100, 240), Tiling(100, 0.3)  # tiles at x = 0, 70 and 140


def pieces(*rows, areas):
    """Rows of (x1, y1, x2, y2, score, label, number of the tile)."""
    table = np.array(rows, np.float32).reshape(-1, 7)
    owners = table[:, 6].astype(int)
    return Pieces(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), np.asarray(areas).reshape(-1, 4)[owners])


def apart(rng, size, most):
    """(N, 4) boxes that do not overlap, from specks to what is nearly as long as the picture of `size`."""
    limit, boxes = np.array(size[::-1]), []
    for _ in range(most * 20):
        sides = np.exp(rng.uniform(np.log(4), np.log(max(size) * 0.9), 2))
        if rng.random() < 0.5:
            sides = np.full(2, np.exp(rng.uniform(np.log(4), np.log(60))))
        sides = np.minimum(sides, limit)
        corner = rng.random(2) * (limit - sides)
        box = np.concatenate((corner, corner + sides)).astype(np.float32)
        if all((box[:2] >= one[2:]).any() or (box[2:] <= one[:2]).any() for one in boxes):
            boxes.append(box)
        if len(boxes) == most:
            break
    return np.array(boxes)


def seen(rng, boxes, labels, areas):
    """What a perfect detector finds in every tile: the part of each box that lies in it, with some high score."""
    rows = []
    for number, area in enumerate(areas):
        low, high = np.maximum(boxes[:, :2], area[:2]), np.minimum(boxes[:, 2:], area[2:])
        for k in np.flatnonzero((high > low).all(1)):
            rows.append((*low[k], *high[k], rng.uniform(0.5, 1), labels[k], number))
    return pieces(*rows, areas=areas)


def listed(boxes, labels):
    """Rows to compare, whatever their order."""
    return sorted((label, *np.round(box, 2).tolist()) for box, label in zip(boxes, labels.tolist(), strict=True))


def drawn(seed):
    """A picture with its truth, and a way to cut it."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(40, 900, 2).tolist()
    tiling = Tiling(int(rng.integers(32, 400)), float(rng.choice([0, 0.1, 0.2, 0.5])), bool(rng.integers(2)))
    boxes = apart(rng, (height, width), int(rng.integers(1, 9)))
    return rng, (height, width), tiling, boxes


@pytest.mark.parametrize("first", range(0, 800, 200))
def test_a_perfect_detector_gives_back_the_truth(first):
    for seed in range(first, first + 200):
        rng, size, tiling, boxes = drawn(seed)
        labels = np.zeros(len(boxes), np.int64)
        found = merge_tiles(seen(rng, boxes, labels, tiling.areas(size)), size, 0.6, 300)
        assert listed(found[0], found[2]) == listed(boxes, labels), (seed, size, tiling)
        assert (np.diff(found[1]) <= 0).all() and (found[1] >= 0.5).all()


def test_a_perfect_detector_of_several_classes_gives_back_the_truth():
    """Boxes of different classes may lie on each other."""
    for seed in range(150):
        rng, size, tiling, boxes = drawn(seed)
        more = apart(rng, size, 4)
        both, labels = np.concatenate((boxes, more)), np.repeat([1, 2], [len(boxes), len(more)])
        found = merge_tiles(seen(rng, both, labels, tiling.areas(size)), size, 0.6, 300)
        assert listed(found[0], found[2]) == listed(both, labels), (seed, size, tiling)


def test_the_order_of_the_pieces_does_not_matter():
    for seed in range(150):
        rng, size, tiling, boxes = drawn(seed)
        found = seen(rng, boxes, rng.integers(0, 2, len(boxes)), tiling.areas(size))
        # a network is less sure of where things end
        moved = found.boxes + rng.uniform(-3, 3, found.boxes.shape).astype(np.float32)
        moved = np.clip(moved, found.areas[:, [0, 1, 0, 1]], found.areas[:, [2, 3, 2, 3]]).astype(np.float32)
        found = Pieces(moved, found.scores, found.labels, found.areas)
        want = merge_tiles(found, size, 0.6, 300)
        for _ in range(3):
            again = merge_tiles(found.at(rng.permutation(len(found))), size, 0.6, 300)
            assert all(np.array_equal(one, two) for one, two in zip(want, again, strict=True)), seed


def test_a_scratch_over_three_tiles_is_one_box_with_its_best_score():
    (size, tiling), rng = THREE, np.random.default_rng(0)
    scratch = np.array([[5, 40, 235, 52]], np.float32)
    found = seen(rng, scratch, np.zeros(1, np.int64), tiling.areas(size))
    assert len(found) == 3
    for best in range(3):
        scores = np.full(3, 0.5, np.float32)
        scores[best] = 0.9
        boxes, kept, _ = merge_tiles(Pieces(found.boxes, scores, found.labels, found.areas), size, 0.6, 300)
        assert boxes.tolist() == scratch.tolist() and kept.tolist() == [np.float32(0.9)]


def test_a_scratch_down_and_across_several_tiles_is_one_box():
    size, tiling, rng = (240, 100), Tiling(100, 0.3), np.random.default_rng(0)
    for box, size in (([40, 5, 52, 235], (240, 100)), ([3, 3, 390, 390], (400, 400))):
        found = seen(rng, np.array([box], np.float32), np.zeros(1, np.int64), tiling.areas(size))
        assert merge_tiles(found, size, 0.6, 300)[0].tolist() == [box]


def test_two_neighbours_stay_two():
    """Within one tile, in the overlap of two, side by side and one above the other."""
    (size, tiling), rng = THREE, np.random.default_rng(1)
    for pair in (
        [[10, 20, 30, 40], [30.5, 20, 50, 40]],
        [[72, 20, 84, 40], [85, 20, 98, 40]],
        [[60, 20, 120, 40], [60, 41, 120, 60]],
    ):
        boxes, labels = np.array(pair, np.float32), np.zeros(2, np.int64)
        found = merge_tiles(seen(rng, boxes, labels, tiling.areas(size)), size, 0.6, 300)
        assert listed(found[0], found[2]) == listed(boxes, labels)


def test_two_neighbours_cut_by_the_same_edge_stay_two():
    """Long ones beside each other, and two that both begin and end in the same two tiles, without any overlap."""
    rng, labels = np.random.default_rng(2), np.zeros(2, np.int64)
    for overlap in (0.0, 0.3):
        size, tiling = (100, 200), Tiling(100, overlap)
        boxes = np.array([[20, 30, 180, 40], [20, 44, 180, 54]], np.float32)
        found = seen(rng, boxes, labels, tiling.areas(size))
        assert found.cut(size).any(1).sum() >= 4
        merged = merge_tiles(found, size, 0.6, 300)
        assert listed(merged[0], merged[2]) == listed(boxes, labels)


def test_two_that_meet_only_at_the_corner_of_tiles_stay_two():
    """One ends above the other begins: they have nothing in common along the edge between them."""
    areas = Tiling(100, 0.0).areas((100, 200))
    found = pieces((60, 20, 100, 40, 0.9, 0, 0), (100, 40, 150, 60, 0.8, 0, 1), areas=areas)
    assert merge_tiles(found, (100, 200), 0.6, 300)[0].tolist() == found.boxes.tolist()


def test_other_classes_stay_apart_unless_classes_do_not_matter():
    areas = Tiling(100, 0.0).areas((100, 200))
    found = pieces((60, 20, 100, 40, 0.9, 3, 0), (100, 20, 150, 40, 0.8, 1, 1), areas=areas)
    boxes, scores, labels = merge_tiles(found, (100, 200), 0.6, 300)
    assert boxes.tolist() == found.boxes.tolist() and labels.tolist() == [3, 1] and len(scores) == 2
    boxes, scores, labels = merge_tiles(found, (100, 200), 0.6, 300, agnostic=True)
    assert boxes.tolist() == [[60, 20, 150, 40]] and labels.tolist() == [3] and scores.tolist() == [np.float32(0.9)]
    inside = pieces((10, 20, 50, 40, 0.9, 3, 0), (10, 20, 50, 41, 0.8, 1, 0), areas=areas)
    assert [len(merge_tiles(inside, (100, 200), 0.6, 300, one)[1]) for one in (False, True)] == [2, 1]


def test_a_weak_box_does_not_enlarge_a_sure_one():
    """From a quarter of its score on it does."""
    areas = Tiling(100, 0.0).areas((100, 200))
    for weak, want in ((0.1, [[60, 20, 100, 40], [100, 20, 190, 40]]), (0.3, [[60, 20, 190, 40]])):
        found = pieces((60, 20, 100, 40, 0.8, 0, 0), (100, 20, 190, 40, weak, 0, 1), areas=areas)
        assert merge_tiles(found, (100, 200), 0.6, 300)[0].tolist() == want


def test_a_small_uncut_defect_on_a_large_cut_one_survives_and_leaves_the_large_one():
    """Whichever of the two has the higher score."""
    (size, tiling), areas = THREE, THREE[1].areas(THREE[0])
    for small in (0.95, 0.6):
        rng = np.random.default_rng(3)
        large = seen(rng, np.array([[5, 10, 235, 90]], np.float32), np.zeros(1, np.int64), areas)
        table = [(*box, 0.8, 0, number) for number, box in enumerate(large.boxes.tolist())]
        found = pieces(*table, (20, 30, 32, 42, small, 0, 0), areas=areas)
        boxes, _, _ = merge_tiles(found, size, 0.6, 300)
        assert sorted(boxes.tolist()) == [[5, 10, 235, 90], [20, 30, 32, 42]] and tiling.side == 100


def test_what_one_tile_cuts_and_another_shows_as_a_whole_is_as_the_other_shows_it():
    """However sure the first one is."""
    (size, _), areas = THREE, THREE[1].areas(THREE[0])
    for scores in ((0.9, 0.6), (0.6, 0.9)):
        found = pieces((82, 20, 100, 40, scores[0], 0, 0), (82, 20, 120, 40, scores[1], 0, 1), areas=areas)
        boxes, kept, _ = merge_tiles(found, size, 0.6, 300)
        assert boxes.tolist() == [[82, 20, 120, 40]] and kept.tolist() == [np.float32(0.9)]


def test_boxes_that_no_edge_cut_meet_nms_alone():
    """At the edge of the picture nothing is cut, whatever tile it is in."""
    size, areas = (100, 240), THREE[1].areas(THREE[0])
    found = pieces((0, 0, 40, 40, 0.9, 0, 0), (0, 0, 40, 20, 0.8, 0, 0), (0, 1, 40, 41, 0.7, 0, 0), areas=areas)
    assert not found.cut(size).any()
    boxes, scores, _ = merge_tiles(found, size, 0.6, 300)
    assert boxes.tolist() == [[0, 0, 40, 40], [0, 0, 40, 20]] and scores.tolist() == found.scores[:2].tolist()


def test_the_best_ones_are_kept_where_there_may_be_so_many():
    rng, size, tiling = np.random.default_rng(4), (300, 300), Tiling(100, 0.2)
    boxes = np.array([[x, y, x + 8, y + 8] for x in range(5, 290, 20) for y in range(5, 290, 20)], np.float32)
    found = seen(rng, boxes, np.zeros(len(boxes), np.int64), tiling.areas(size))
    every = merge_tiles(found, size, 0.6, 1000)
    assert len(every[1]) == len(boxes)
    for most in (1, 7, 50):
        few = merge_tiles(found, size, 0.6, most)
        assert all(np.array_equal(one, two[:most]) for one, two in zip(few, every, strict=True))


def test_nothing_found_is_nothing():
    for areas in (np.zeros((0, 4), np.int64), Tiling(100).areas((100, 200))):
        boxes, scores, labels = merge_tiles(pieces(areas=areas), (100, 200), 0.6, 300)
        assert boxes.shape == (0, 4) and boxes.dtype == np.float32 and len(scores) == len(labels) == 0
        assert labels.dtype == np.int64


def test_what_comes_out_of_one_class_overlaps_no_more_than_nms_lets_it():
    """What has grown over something that was kept before is no second thing."""
    for seed in range(150):
        rng, size, tiling, boxes = drawn(seed)
        found = seen(rng, boxes, np.zeros(len(boxes), np.int64), tiling.areas(size))
        spread = rng.uniform(-1, 1, found.boxes.shape) * (found.boxes[:, 2:] - found.boxes[:, :2]).repeat(2, 1) * 0.2
        moved = np.clip(found.boxes + spread, found.areas[:, [0, 1, 0, 1]], found.areas[:, [2, 3, 2, 3]])
        moved = moved.astype(np.float32)
        keep = (moved[:, 2:] > moved[:, :2]).all(1)
        merged = merge_tiles(Pieces(moved, found.scores, found.labels, found.areas).at(keep), size, 0.6, 300)[0]
        size_of = (merged[:, 2:] - merged[:, :2]).prod(1)
        common = np.minimum(merged[:, None, 2:], merged[:, 2:]) - np.maximum(merged[:, None, :2], merged[:, :2])
        shared = np.maximum(common, 0).prod(2)
        overlap = np.triu(shared / (size_of[:, None] + size_of - shared), 1)
        assert overlap.max(initial=0) <= 0.6, (seed, size, tiling, merged[np.argwhere(overlap > 0.6)[0]].tolist())
