"""How often 95 % intervals hold on pictures to come: `python -m tests.utils.inspection.coverage` prints the tables of
cfg/RESULTS.md, in some minutes.
"""

import sys
from collections.abc import Iterable
from itertools import chain

import numpy as np

from tests.utils.inspection.drawn_results import draw
from utils.deciding.cross_fit import PARTS
from utils.deciding.decisions import decide, picture_scores
from utils.deciding.operating import OperatingPoint, expected_point, operating_point
from utils.deciding.picture_thresholds import ForEscape, ForOverkill, ForRate
from utils.deciding.threshold_choice import for_false_alarms
from utils.inspection.aims import keeping_false_alarms, keeping_rate

TO_COME = 20_000


def coverage(classes: int, pictures: int, allowed: float, trials: int, seed: int) -> np.ndarray:
    """(2, 5): of thresholds judged on the pictures that chose them, and of cross-fitted ones, how often the intervals
    of overkill, escape, recall and false alarms hold the truth; and the mean of the true false alarms per picture.
    """
    to_come = draw(TO_COME, classes, np.random.default_rng(seed))
    names, result = [f"class {k:02d}" for k in range(classes)], np.zeros((2, 5))
    for trial in range(trials):
        rng = np.random.default_rng((seed, classes, pictures, trial))
        matching, part = draw(pictures, classes, rng), rng.permutation(pictures) % PARTS
        naive = for_false_alarms(matching, names, allowed)
        thresholds, fit = keeping_false_alarms(matching, names, allowed, part)
        judged = (naive, operating_point(matching, naive)), (thresholds, expected_point(matching, thresholds, fit))
        for row, (chosen, point) in enumerate(judged):
            truth = [figure.value for figure in _figures(operating_point(to_come, chosen))]
            held = [one.low <= value <= one.high for one, value in zip(_figures(point), truth, strict=True)]
            result[row] += [*held, truth[3]]
    return result / trials


def mistakes(
    kind: type[ForRate], classes: int, pictures: int, share: float, trials: int, seed: int
) -> tuple[np.ndarray, float]:
    """The mean (2, 2) of the true overkill and escape, of thresholds without caution and of those that are chosen; how
    often the interval that is promised of the rate that was aimed at holds the truth.
    """
    to_come = picture_scores(draw(TO_COME, classes, np.random.default_rng(seed)))
    names, result, held = [f"class {k:02d}" for k in range(classes)], np.zeros((2, 2)), 0
    for trial in range(trials):
        rng = np.random.default_rng((seed, classes, pictures, trial))
        matching, part = draw(pictures, classes, rng), rng.permutation(pictures) % PARTS
        thresholds, fit = keeping_rate(kind, matching, names, share, part)
        for row, chosen in enumerate((kind(matching, names, share).thresholds(), thresholds)):
            truth = decide(to_come, np.array(chosen))
            result[row] += truth.overkill.value, truth.escape.value
        promised = expected_point(matching, thresholds, fit).decisions
        aimed = (promised.overkill, truth.overkill) if kind is ForOverkill else (promised.escape, truth.escape)
        held += aimed[0].low <= aimed[1].value <= aimed[0].high
    return result / trials, held / trials


def _figures(point: OperatingPoint):
    return point.decisions.overkill, point.decisions.escape, point.pooled.recall, point.pooled.false


def _table(seed: int, trials: int = 60) -> Iterable[str]:
    yield "| classes | pictures | allowed | | overkill | escape | recall | false alarms | true false alarms |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for allowed in (0.1, 0.5):
        for classes in (1, 3, 10, 40):
            for pictures in (200, 1000, 5000):
                before, after = coverage(classes, pictures, allowed, trials, seed)
                for name, row in ((f"{classes} | {pictures} | {allowed:g} | before", before), ("| | | after", after)):
                    yield f"| {name} | {' | '.join(f'{100 * v:.0f}' for v in row[:4])} | {row[4]:.3f} |"


def _mistakes_table(kind: type[ForRate], first: int, seed: int, trials: int = 60) -> Iterable[str]:
    """`first`: the column of the rate that was aimed at."""
    aimed, other = ("overkill", "escape")[:: 1 - 2 * first]
    yield f"| classes | pictures | allowed | true {aimed} | without caution | true {other} | without caution | held |"
    yield "|---|---|---|---|---|---|---|---|"
    for classes in (1, 10):
        for pictures in (40, 200, 1000):
            for share in (0.02, 0.05, 0.2):
                (before, after), held = mistakes(kind, classes, pictures, share, trials, seed)
                aim, rest = (f"{after[k]:.3f} | {before[k]:.3f}" for k in (first, 1 - first))
                yield f"| {classes} | {pictures} | {share:g} | {aim} | {rest} | {100 * held:.0f} |"


if __name__ == "__main__":
    given = int((sys.argv[1:] or ["0"])[0])
    for line in chain(_mistakes_table(ForOverkill, 0, given), _mistakes_table(ForEscape, 1, given), _table(given)):
        print(line, flush=True)
