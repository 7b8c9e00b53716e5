import numpy as np
import torch
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.scoring import box_pairs as module
from utils.scoring.box_pairs import pair_up
from utils.values.boxes import pairwise_iou
from utils.values.record import EVERY_CLASS


def test_six_pictures():
    pairs = pair_up(*six_pictures(), 2)
    assert pairs.pictures == 6 and pairs.good.sum() == 2 and pairs.bad.sum() == 4 and pairs.labelled.sum() == 5
    assert pairs.detections.picture.tolist() == [0, 0, 1, 2, 3, 4] and len(pairs.truth) == 5
    assert list(zip(pairs.detection, pairs.truth_box, strict=True)) == [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3)]
    assert np.allclose(pairs.iou, [1, 0.9, 36 / 92, 1, 1]) and pairs.centred.all()


def test_a_picture_of_crowd_regions_is_neither_good_nor_bad():
    """Only a region of no class in particular leaves a picture good."""
    regions = [record([[0, 0, 9, 9]], [label], crowd=[True]) for label in (0, EVERY_CLASS)]
    pairs = pair_up(regions, {0: detections(), 1: detections()}, 1)
    assert pairs.good.tolist() == [False, True] and pairs.bad.tolist() == [False, False]


@given(cases)
def test_iou_is_that_of_pairwise_iou_to_the_bit(case):
    pairs = pair_up(case.records, case.found, case.classes, nearest=0.1)
    expected = []
    for picture, one in enumerate(case.records):
        boxes = pairs.detections.xyxy[pairs.detections.picture == picture]
        iou = pairwise_iou(torch.from_numpy(boxes), torch.from_numpy(one.counted()[0])).numpy()
        expected.append(iou[iou >= 0.1])
    mine = np.sort(pairs.iou[pairs.iou >= 0.1])
    assert np.array_equal(mine, np.sort(np.concatenate(expected)))


@given(cases)
def test_chunks_change_nothing(case):
    whole = pair_up(case.records, case.found, case.classes)
    kept, module.CHUNK = module.CHUNK, 3
    try:
        parts = pair_up(case.records, case.found, case.classes)
    finally:
        module.CHUNK = kept
    for name in ("detection", "truth_box", "iou", "centred", "share", "share_centred"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


def test_detections_out_of_order_are_put_best_first():
    rows = detections(([0, 0, 9, 9], 0.2, 0), ([0, 0, 9, 9], 0.7, 1))
    assert pair_up([record([], [])], {0: rows}, 2).detections.labels.tolist() == [1, 0]
