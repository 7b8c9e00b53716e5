import numpy as np
import pytest
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.deciding.cross_fit import CrossFit
from utils.deciding.intervals import Rate
from utils.inspection.sizes import parse_bins, size_bins
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.words.errors import ConfigError


def at(matching, thresholds):
    """The same threshold for all classes, or one for each, which these pictures did not choose."""
    return CrossFit.fixed(matching.pairs.pictures, np.broadcast_to(thresholds, matching.pairs.classes))


def test_six_pictures():
    """Boxes of 20 (found), 8, 40, 20 (found at 0.5) and 10 px; half of that in mm at 0.5 mm per px."""
    matching = match(pair_up(*six_pictures(), 2), MatchRule())
    in_px = size_bins(matching, at(matching, 0.5))
    assert [one.recall for one in in_px] == [None, Rate(0, 2), Rate(2, 2), Rate(0, 1), None]
    assert [(one.low, one.high) for one in in_px] == [(0, 8), (8, 16), (16, 32), (32, 96), (96, None)]
    assert [one.recall for one in size_bins(matching, at(matching, 0.6))][2] == Rate(1, 2)
    in_mm = size_bins(matching, at(matching, 0.5), (0, 5, 10), mm_per_px=0.5)
    assert [one.recall for one in in_mm] == [Rate(0, 1), Rate(0, 1), Rate(2, 3)] and in_mm[0].unit == "mm"
    assert str(in_mm[0]) == "0 to 5 mm: 0 of 1 (at most 79.3 %) (few)" and str(in_px[0]) == "0 to 8 px: no boxes (few)"


def test_a_threshold_for_each_class():
    """Bubbles from 0.9: the one of picture 3 at 0.5 is not found then."""
    matching = match(pair_up(*six_pictures(), 2), MatchRule())
    assert size_bins(matching, at(matching, [0.9, 0.5]))[2].recall == Rate(1, 2)


def test_each_picture_counts_with_the_thresholds_of_its_part():
    """Picture 3's bubble at 0.5 is found by the threshold that picture 0 chose, not by its own."""
    matching = match(pair_up(*six_pictures(), 2), MatchRule())
    part = np.array([0, 0, 0, 1, 1, 1])
    low, high = [0.5, 0.5], [0.9, 0.9]
    assert size_bins(matching, CrossFit(part, np.array([low, high])))[2].recall == Rate(1, 2)
    assert size_bins(matching, CrossFit(part, np.array([high, low])))[2].recall == Rate(2, 2)


def test_boxes_of_one_picture_say_less():
    """20 pictures of 5 boxes, all found or none, are worth 20 boxes."""
    boxes = [[20 * k, 0, 20 * k + 20, 20] for k in range(5)]
    rows = [record(boxes, [0] * 5) for _ in range(20)]
    found = {k: detections(*((box, 0.9, 0) for box in boxes if k % 2)) for k in range(20)}
    matching = match(pair_up(rows, found, 1), MatchRule())
    (recall,) = (one.recall for one in size_bins(matching, at(matching, 0.5)) if one.recall)
    assert (recall.events, recall.total) == (50, 100) and recall.worth == pytest.approx(20)
    assert (recall.low, recall.high) == pytest.approx((Rate(10, 20).low, Rate(10, 20).high))


@given(cases)
def test_bins_sum_to_all_boxes(case):
    matching = match(pair_up(case.records, case.found, case.classes), MatchRule())
    rows = [one.recall for one in size_bins(matching, at(matching, 0.0)) if one.recall]
    assert sum(one.total for one in rows) == len(matching.pairs.truth)
    assert sum(one.events for one in rows) == matching.hit.sum()


def test_an_edge_belongs_to_the_bin_above_it_wherever_the_box_lies():
    for x in range(0, 92, 7):
        matching = match(pair_up([record([[x, x, x + 8, x + 8]], [0])], {0: detections()}, 1), MatchRule())
        assert size_bins(matching, at(matching, 0.0))[1].recall == Rate(0, 1), x


@pytest.mark.parametrize("mm_per_px", [0.00025, 0.0005, 0.001, 0.05, 3.0])
def test_bins_in_mm_are_those_in_px(mm_per_px):
    """Also where a pixel is a fraction of a micrometre."""
    boxes = [[9 * k, 0, 9 * k + side, side] for k, side in enumerate((5.5, 6, 7, 7.95, 8, 8.01))]
    matching = match(pair_up([record(boxes, [0] * 6)], {0: detections()}, 1), MatchRule())
    edges = [0, 8 * mm_per_px, 16 * mm_per_px]
    found = size_bins(matching, at(matching, 0.0), edges, mm_per_px)
    assert [one.recall and one.recall.total for one in found] == [4, 2, None]


def test_bins_are_read():
    assert parse_bins("0, 8,16.5") == (0, 8, 16.5)
    for wrong in ("", "8,16", "0,16,8", "0,8,8", "0,a", "0,inf", "0,nan"):
        with pytest.raises(ConfigError, match="--bins"):
            parse_bins(wrong)
