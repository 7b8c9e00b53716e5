"""What thresholds promise and what comes, on real detections: `python -m tests.utils.inspection.halves RUN ...`.

The pictures that RUN (a folder of val.py or train.py) evaluated are divided by chance, 200 times: thresholds are chosen
on one half and scored on the other. Prints the rows of the table in cfg/RESULTS.md.
"""

import sys
from pathlib import Path

import numpy as np

from utils.deciding.cross_fit import PARTS
from utils.deciding.operating import OperatingPoint, expected_point, operating_point
from utils.deciding.threshold_choice import for_false_alarms
from utils.inspection.aims import keeping_false_alarms
from utils.inspection.comparison import read_run, records_of
from utils.scoring import coco
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import Matching, match

HEAD = "| data | allowed | figure | on the half that chose | promised | on the other half |"


def read_matching(folder: str) -> tuple[Matching, list[str]]:
    """The detections of a run folder against its truth, and the names of the classes."""
    run = read_run(folder)
    records, names = records_of(run.truth)
    ids = [category["id"] for category in run.truth["categories"]]
    found = coco.detections_of(run.results, [record.image_id for record in records], ids, names)
    return match(pair_up(records, found, len(names), run.rule.iou), run.rule), names


def figures(point: OperatingPoint) -> list[float]:
    """Recall, false alarms per picture, escape and overkill; NaN where a figure cannot be measured."""
    rates = point.pooled.recall, point.pooled.false, point.decisions.escape, point.decisions.overkill
    return [np.nan if one is None else one.value for one in rates]


def halved(matching: Matching, names: list[str], allowed: float, trials: int = 200) -> np.ndarray:
    """(trials, 3, 4) `figures` of thresholds chosen on a half at random, judged on it as is; of those chosen with a
    cross-fit, as promised; and of these on the other half.
    """
    result = np.empty((trials, 3, 4))
    for trial in range(trials):
        rng = np.random.default_rng((0, trial))
        chooses = rng.permutation(matching.pairs.pictures) % 2 == 0
        one, other = matching.of_pictures(chooses), matching.of_pictures(~chooses)
        naive = for_false_alarms(one, names, allowed)
        thresholds, fit = keeping_false_alarms(one, names, allowed, rng.permutation(one.pairs.pictures) % PARTS)
        points = operating_point(one, naive), expected_point(one, thresholds, fit), operating_point(other, thresholds)
        result[trial] = [figures(point) for point in points]
    return result


if __name__ == "__main__":
    print(HEAD, "|---|---|---|---|---|---|", sep="\n")
    for folder in sys.argv[1:]:
        matching, names = read_matching(folder)
        for allowed in (0.1, 0.5):
            trials = halved(matching, names, allowed)
            mean, spread = trials.mean(0).T, trials.std(0).T
            for k, kind in enumerate(("recall", "false alarms per picture", "escape", "overkill")):
                cells = (f"{m:.3f} ± {s:.3f}" for m, s in zip(mean[k], spread[k], strict=True))
                head = f"{Path(folder).name} | {allowed:g}" if k == 0 else " | "
                print(f"| {head} | {kind} | {' | '.join(cells)} |")
