"""Detections drawn from a model of a detector, so that what thresholds do on all pictures to come is known."""

import numpy as np

from utils.scoring.box_pairs import Boxes, Pairs
from utils.scoring.matching import NOTHING, Matching, MatchRule

NONE = np.zeros(0, np.int64)


def draw(pictures: int, classes: int, rng: np.random.Generator) -> Matching:
    """Half of the pictures bad, with two boxes on average, of classes of which some are rare; two false detections in a
    picture on average. Scores of right and wrong ones overlap, and those of one picture hang together.
    """
    bad, own = rng.random(pictures) < 0.5, rng.normal(0, 0.7, pictures)
    share = np.arange(1, classes + 1) ** -0.5
    share /= share.sum()
    boxes = np.repeat(np.arange(pictures), np.where(bad, 1 + rng.poisson(1.0, pictures), 0))
    labels = rng.choice(classes, len(boxes), p=share)
    seen = np.flatnonzero(rng.random(len(boxes)) < 0.96)
    wrong = np.repeat(np.arange(pictures), rng.poisson(2.0, pictures))
    picture = np.concatenate((boxes[seen], wrong))
    logits = np.concatenate((rng.normal(1.0, 1.2, len(seen)), rng.normal(-2.5, 1.2, len(wrong)))) + own[picture]
    found = np.concatenate((labels[seen], rng.choice(classes, len(wrong), p=share)))
    taken = np.concatenate((seen, np.full(len(wrong), NOTHING)))
    scores = 1 / (1 + np.exp(-logits))
    order = np.lexsort((-scores, picture))
    pairs = Pairs(
        classes,
        _boxes(picture[order], found[order]),
        scores[order],
        _boxes(boxes, labels),
        _boxes(NONE, NONE),
        *(NONE, NONE, np.zeros(0, np.float32), np.zeros(0, bool)),
        share=np.zeros(len(order), np.float32),
        share_centred=np.zeros(len(order), bool),
        good=~bad,
        bad=bad,
        labelled=np.ones(pictures, bool),
    )
    return Matching(pairs, MatchRule(), taken[order].astype(np.int64))


def _boxes(picture: np.ndarray, labels: np.ndarray) -> Boxes:
    return Boxes(picture, np.zeros((len(picture), 4), np.float32), labels)
