"""From the views of a picture to one list: in any order, in any batches, tiles first and then looks and networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.inference.found import Found
from models.inference.gathering import Gathering
from models.inference.nms import NMSConfig, suppress
from utils.tiling.merging import Pieces, merge_tiles
from utils.tiling.tiles import Tiling
from utils.values.view import View

NAMES = ("oil", "bubble")
CFG = NMSConfig(iou=0.5)
SIZE, TILES = (100, 180), Tiling(80, 0.25, whole=True)


def found_of(view, rows, network=0, networks=1):
    """Rows of (x1, y1, x2, y2, score, label) in the order of their scores, as after NMS."""
    table = torch.tensor(sorted(rows, key=lambda row: -row[4]), dtype=torch.float32).reshape(-1, 6)
    return Found(view, table[:, :4], table[:, 4], table[:, 5].long(), network, networks)


def views_of(picture, looks=1):
    """Of a picture in tiles, looked at several times."""
    areas = TILES.areas(SIZE).tolist()
    parts = looks * len(areas)
    plain = View(picture, SIZE, (1.0, 1.0), (0.0, 0.0), parts=parts)
    every = [(look, tuple(area)) for look in range(looks) for area in areas]
    return [replace(plain, area=area, part=part, look=look) for part, (look, area) in enumerate(every)]


def drawn(rng, picture, looks=1, networks=1):
    """What is found in every view: of a few things what it shows, more or less where it is."""
    corners = np.sort(rng.random((4, 2, 2)), 1).reshape(-1, 4) * (180, 100, 180, 100)
    founds = []
    for network in range(networks):
        for view in views_of(picture, looks):
            low, high = np.array(view.shown[:2] * 2), np.array(view.shown[2:] * 2)
            moved = np.clip(corners + rng.normal(0, 1, corners.shape), low, high)
            rows = [
                (*box, rng.uniform(0.1, 1), k % 2)
                for k, box in enumerate(moved.tolist())
                if box[2] > box[0] + 3 and box[3] > box[1] + 3
            ]
            founds.append(found_of(view, rows, network, networks))
    return founds


def same(one, two):
    assert one.keys() == two.keys()
    for picture in one:
        a, b = one[picture], two[picture]
        assert torch.equal(a.boxes, b.boxes) and torch.equal(a.scores, b.scores) and torch.equal(a.labels, b.labels)


def in_batches(founds, ends, merge):
    gathering, ready = Gathering(CFG, NAMES, merge), {}
    for part in np.split(np.arange(len(founds)), ends):
        more = gathering.add([founds[k] for k in part])
        assert not ready.keys() & more.keys(), "a picture is ready once"
        ready |= more
    assert not gathering.waiting
    return ready


@pytest.mark.parametrize("merge", ["nms", "wbf"])
@pytest.mark.parametrize(("looks", "networks"), [(1, 1), (3, 1), (1, 2), (2, 3)])
def test_views_in_any_order_and_in_any_batches_give_the_same(merge, looks, networks):
    found = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        founds = [one for picture in (4, 0, 9) for one in drawn(rng, picture, looks, networks)]
        want = Gathering(CFG, NAMES, merge).add(founds)
        found += sum(map(len, want.values()))
        assert want.keys() == {4, 0, 9} and all(one.names == NAMES for one in want.values())
        for _ in range(3):
            mixed = [founds[k] for k in rng.permutation(len(founds))]
            same(in_batches(mixed, np.sort(rng.integers(0, len(mixed), 5)), merge), want)
        same(in_batches(founds, np.arange(1, len(founds)), merge), want)
    assert found > 20


def test_a_picture_is_ready_with_its_last_view_and_not_before():
    founds = drawn(np.random.default_rng(0), 3, looks=2, networks=2)
    gathering = Gathering(CFG, NAMES, "nms")
    for one in founds[:-1]:
        assert gathering.add([one]) == {} and list(gathering.waiting) == [3]
    assert list(gathering.add(founds[-1:])) == [3] and not gathering.waiting


@pytest.mark.parametrize("merge", ["nms", "wbf"])
def test_a_picture_with_one_view_stays_as_found(merge):
    """Whatever would become of it: it has been through NMS."""
    rows = [(10, 10, 30, 30, 0.9, 0), (10, 10, 30, 31, 0.8, 0), (0, 0, 5, 5, 0.7, 1)]
    for view in (View(2, SIZE, (1.0, 1.0), (0.0, 0.0)), View(2, SIZE, (1.0, 1.0), (0.0, 0.0), (0, 0, 180, 100))):
        one = found_of(view, rows)
        ready = Gathering(NMSConfig(iou=0.1, max_det=1), NAMES, merge).add([one])[2]
        assert ready.boxes is one.boxes and ready.scores is one.scores and ready.labels is one.labels


def test_tiles_of_one_look_are_merged_as_pieces():
    for seed in range(20):
        founds = drawn(np.random.default_rng(seed), 0)
        pieces = Pieces(
            np.concatenate([one.boxes.numpy() for one in founds]),
            np.concatenate([one.scores.numpy() for one in founds]),
            np.concatenate([one.labels.numpy() for one in founds]),
            np.concatenate([np.tile(one.view.area, (len(one.scores), 1)) for one in founds]),
        )
        for cfg in (CFG, replace(CFG, max_det=2), replace(CFG, agnostic=True)):
            boxes, scores, labels = merge_tiles(pieces, SIZE, cfg.iou, cfg.max_det, cfg.agnostic)
            ready = Gathering(cfg, NAMES, "nms").add(founds)[0]
            assert np.array_equal(ready.boxes.numpy(), boxes) and np.array_equal(ready.scores.numpy(), scores)
            assert np.array_equal(ready.labels.numpy(), labels)


def test_looks_are_joined_by_nms_after_the_tiles_of_each():
    for seed in range(20):
        founds = drawn(np.random.default_rng(seed), 0, looks=2, networks=2)
        looks = {one.look: [two for two in founds if two.look == one.look] for one in founds}
        assert list(looks) == [(0, 0), (0, 1), (1, 0), (1, 1)]
        alone = []
        for tiles in looks.values():
            parts = [replace(one, view=replace(one.view, parts=len(tiles)), networks=1) for one in tiles]
            alone.append(Gathering(CFG, NAMES, "nms").add(parts)[0])
        boxes, scores, labels = (torch.cat([getattr(one, n) for one in alone]) for n in ("boxes", "scores", "labels"))
        order = scores.argsort(descending=True, stable=True)
        keep = order[suppress(boxes[order], labels[order], CFG)]
        ready = Gathering(CFG, NAMES, "nms").add(founds)[0]
        assert torch.equal(ready.boxes, boxes[keep]) and torch.equal(ready.scores, scores[keep])
        assert torch.equal(ready.labels, labels[keep])


def test_weighted_fusion_lowers_what_one_of_two_looks_missed():
    plain = View(0, SIZE, (1.0, 1.0), (0.0, 0.0), parts=2)
    mirrored = replace(plain.mirrored(True, False, SIZE), part=1, look=1)
    both, alone = (10, 10, 30, 30, 0.8, 0), (60, 60, 90, 90, 0.6, 1)
    founds = [found_of(plain, [both, alone]), found_of(mirrored, [(*both[:4], 0.6, 0)])]
    fused, kept = (Gathering(CFG, NAMES, merge).add(founds)[0] for merge in ("wbf", "nms"))
    assert fused.scores.tolist() == pytest.approx([0.7, 0.3]) and kept.scores.tolist() == pytest.approx([0.8, 0.6])
    for one in (fused, kept):
        assert one.labels.tolist() == [0, 1] and one.boxes[0].tolist() == pytest.approx([10, 10, 30, 30])


@pytest.mark.parametrize("merge", ["nms", "wbf"])
def test_where_nothing_is_found_there_is_nothing(merge):
    for looks in (1, 2):
        founds = [found_of(view, []) for view in views_of(5, looks)]
        ready = Gathering(CFG, NAMES, merge).add(founds)[5]
        assert len(ready) == 0 and ready.boxes.shape == (0, 4) and ready.labels.dtype == torch.int64


def test_no_more_are_kept_than_asked_for():
    founds = drawn(np.random.default_rng(1), 0, looks=3)
    for merge in ("nms", "wbf"):
        every = Gathering(CFG, NAMES, merge).add(founds)[0]
        few = Gathering(replace(CFG, max_det=2), NAMES, merge).add(founds)[0]
        assert len(every) > 2 == len(few) and (few.scores.diff() <= 0).all()
