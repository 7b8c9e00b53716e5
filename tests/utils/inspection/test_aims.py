"""What thresholds promise; what false alarms do is in test_operating.py and coverage.py."""

import numpy as np

from tests.utils.inspection.drawn_results import draw
from utils.inspection.aims import keeping_rate
from utils.inspection.decisions import decide, picture_scores
from utils.inspection.operating import expected_point
from utils.inspection.picture_thresholds import ForEscape, ForOverkill

NAMES = tuple(f"class {k}" for k in range(5))


def test_a_rate_of_overkill_holds_on_pictures_to_come():
    """Of some 100 good pictures in each of 20 trials; a choice without caution rejects more than 0.05 on average."""
    to_come, rejected, held, escaped = picture_scores(draw(5000, 5, np.random.default_rng(1))), [], 0, []
    reckless = []
    for trial in range(20):
        matching = draw(200, 5, np.random.default_rng((2, trial)))
        thresholds, fit = keeping_rate(ForOverkill, matching, NAMES, 0.05, np.arange(200) % 5)
        truth, promised = decide(to_come, np.array(thresholds)), expected_point(matching, thresholds, fit).decisions
        rejected.append(truth.overkill.value)
        reckless.append(decide(to_come, np.array(ForOverkill(matching, NAMES, 0.05).thresholds())).overkill.value)
        escaped.append(truth.escape.value)
        held += promised.overkill.low <= truth.overkill.value <= promised.overkill.high
    assert 0.03 < np.mean(rejected) < 0.055 < np.mean(reckless) and held >= 18 and np.mean(escaped) < 0.3


def test_a_rate_of_escapes_holds_on_pictures_to_come():
    """Of some 100 bad pictures in each of 20 trials; a choice without caution lets more than 0.1 pass on average."""
    to_come, passed, rejected, held = picture_scores(draw(5000, 5, np.random.default_rng(1))), [], [], 0
    reckless = []
    for trial in range(20):
        matching = draw(200, 5, np.random.default_rng((2, trial)))
        thresholds, fit = keeping_rate(ForEscape, matching, NAMES, 0.1, np.arange(200) % 5)
        truth, promised = decide(to_come, np.array(thresholds)), expected_point(matching, thresholds, fit).decisions
        passed.append(truth.escape.value)
        reckless.append(decide(to_come, np.array(ForEscape(matching, NAMES, 0.1).thresholds())).escape.value)
        rejected.append(truth.overkill.value)
        held += promised.escape.low <= truth.escape.value <= promised.escape.high
    assert 0.07 < np.mean(passed) < 0.11 < np.mean(reckless) and held >= 18 and np.mean(rejected) < 0.2
