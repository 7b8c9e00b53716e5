import pytest
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.deciding.intervals import Rate
from utils.inspection.calibration import calibration
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.values.record import EVERY_CLASS


def test_six_pictures():
    """Bins: 0.5, 0.5, 0.5 with 1 hit; 0.6 with none; 0.8 with none; 0.95 with 1. Weighted by their counts, |sum of
    scores - hits| is 0.5 + 0.6 + 0.8 + 0.05 over 6 detections.
    """
    matching = match(pair_up(*six_pictures(), 2), MatchRule())
    result = calibration(matching)
    assert result.ece == pytest.approx(1.95 / 6)
    shares = {round(one.low, 1): one.precision for one in result.bins if one.precision}
    assert shares == {0.5: Rate(1, 3), 0.6: Rate(0, 1), 0.8: Rate(0, 1), 0.9: Rate(1, 1)}
    assert result.bins[8].score == pytest.approx(0.8) and result.bins[0].score is None
    assert calibration(matching, label=1).ece == pytest.approx((0.8 + 0.5) / 2), "oil: 0.8 and 0.5, both wrong"


def test_ends_and_regions_to_ignore():
    """A score of 1 is in the last bin; what lies in a region to ignore is neither right nor wrong."""
    truth = record([[0, 0, 20, 20], [50, 50, 90, 90]], [0, EVERY_CLASS], crowd=[False, True])
    found = detections(([0, 0, 20, 20], 1.0, 0), ([60, 60, 70, 70], 0.9, 0))
    result = calibration(match(pair_up([truth], {0: found}, 1), MatchRule()))
    assert result.ece == 0 and result.bins[-1].precision == Rate(1, 1)


def test_without_detections_there_is_none():
    result = calibration(match(pair_up([record([], [])], {0: detections()}, 1), MatchRule()))
    assert result.ece is None and all(one.precision is None for one in result.bins)


@given(cases)
def test_bounds_and_sums(case):
    matching = match(pair_up(case.records, case.found, case.classes), MatchRule())
    result = calibration(matching)
    assert sum(one.precision.total for one in result.bins if one.precision) == matching.counts.sum()
    assert result.ece is None or 0 <= result.ece <= 1
    assert all(one.low - 1e-6 <= one.score <= one.high + 1e-6 for one in result.bins if one.score is not None)
