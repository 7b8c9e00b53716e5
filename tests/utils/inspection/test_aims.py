"""What thresholds promise; what false alarms do is in test_operating.py and coverage.py."""

import numpy as np

from tests.utils.inspection.drawn_results import draw
from utils.deciding.decisions import decide, picture_scores
from utils.deciding.operating import expected_point
from utils.deciding.picture_thresholds import ForEscape, ForOverkill
from utils.inspection.aims import keeping_rate

NAMES = tuple(f"class {k}" for k in range(5))


def trials(kind, share):
    """In each of 20 trials of some 100 good and 100 bad pictures what thresholds for the `share` do on those to come,
    what is promised of them, and what a choice without caution does.
    """
    to_come = picture_scores(draw(5000, 5, np.random.default_rng(1)))
    for trial in range(20):
        matching = draw(200, 5, np.random.default_rng((2, trial)))
        thresholds, fit = keeping_rate(kind, matching, NAMES, share, np.arange(200) % 5)
        promised = expected_point(matching, thresholds, fit).decisions
        reckless = kind(matching, NAMES, share).thresholds()
        yield decide(to_come, np.array(thresholds)), promised, decide(to_come, np.array(reckless))


def mean_of(kind, decisions):
    return np.mean([getattr(one, kind).value for one in decisions])


def times_held(kind, truth, promised):
    pairs = [(getattr(one, kind).value, getattr(other, kind)) for one, other in zip(truth, promised, strict=True)]
    return sum(told.low <= value <= told.high for value, told in pairs)


def test_a_rate_of_overkill_holds_on_pictures_to_come():
    """A choice without caution rejects more than 0.05 on average."""
    truth, promised, reckless = zip(*trials(ForOverkill, 0.05), strict=True)
    assert 0.03 < mean_of("overkill", truth) < 0.055 < mean_of("overkill", reckless)
    assert times_held("overkill", truth, promised) >= 18 and mean_of("escape", truth) < 0.3


def test_a_rate_of_escapes_holds_on_pictures_to_come():
    """A choice without caution lets more than 0.1 pass on average."""
    truth, promised, reckless = zip(*trials(ForEscape, 0.1), strict=True)
    assert 0.07 < mean_of("escape", truth) < 0.11 < mean_of("escape", reckless)
    assert times_held("escape", truth, promised) >= 18 and mean_of("overkill", truth) < 0.2
