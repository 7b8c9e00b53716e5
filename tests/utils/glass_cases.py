"""Data sets for the tests of inspection: one worked out by hand, and random ones full of ties and ignore regions."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st

from utils.scoring import coco
from utils.scoring.evaluation import Evaluation
from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record

NAMES = ("bubble", "oil")


def record(boxes, labels, crowd=None, labelled=True, image_id=1):
    boxes = np.array(boxes, np.float32).reshape(-1, 4) / 100
    flags = np.zeros(len(boxes), bool) if crowd is None else np.array(crowd)
    return Record(Path("x.png"), image_id, (100, 100), boxes, np.array(labels, np.int64), flags, labelled)


def detections(*rows):
    """Rows of (box, score, label), best first."""
    boxes = torch.tensor([box for box, _, _ in rows], dtype=torch.float32).view(-1, 4)
    return Detections(
        boxes,
        torch.tensor([score for _, score, _ in rows], dtype=torch.float32),
        torch.tensor([label for _, _, label in rows], dtype=torch.long),
    )


def evaluated(records, found, names):
    """Scored as val.py does it, the pictures numbered from 1 and called p1.png and so on."""
    numbered = [replace(one, image_id=n, path=Path(f"p{n}.png")) for n, one in enumerate(records, 1)]
    ids = tuple(range(1, len(names) + 1))
    return Evaluation(numbered, tuple(names), ids, coco.results_json(numbered, found, ids))


def six_pictures():
    """Four bad pictures, two good ones; 100 px each, class 0 bubble, 1 oil.

    0 bad   bubble of 20 px: found at 0.95; once more at 0.6 (IoU 0.9): a duplicate
    1 bad   oil of 8 px: a box of its class at 0.5 with IoU 36 / (64 + 64 - 36) = 0.39, its centre in the truth box
    2 bad   bubble of 40 px: found as oil at 0.8
    3 bad   bubble of 20 px: found at 0.5; oil of 10 px: missed
    4 good  bubble at 0.5: a false alarm
    5 good  nothing found; it has no label file

    By IoU the hits are 0.95 and 0.5 (pictures 0 and 3), the false alarms 0.8, 0.6, 0.5 and 0.5; 5 truth boxes.
    """
    records = [
        record([[10, 10, 30, 30]], [0]),
        record([[40, 40, 48, 48]], [1]),
        record([[50, 50, 90, 90]], [0]),
        record([[0, 0, 20, 20], [60, 60, 70, 70]], [0, 1]),
        record([], []),
        record([], [], labelled=False),
    ]
    found = [
        detections(([10, 10, 30, 30], 0.95, 0), ([10, 10, 30, 28], 0.6, 0)),
        detections(([42, 42, 50, 50], 0.5, 1)),
        detections(([50, 50, 90, 90], 0.8, 1)),
        detections(([0, 0, 20, 20], 0.5, 0)),
        detections(([5, 5, 15, 15], 0.5, 0)),
        detections(),
    ]
    return records, dict(enumerate(found))


@dataclass(frozen=True)
class Case:
    """Random records and detections of `classes` classes."""

    records: list
    found: dict
    classes: int

    @property
    def names(self):
        return tuple(f"class {k}" for k in range(self.classes))

    def shuffled(self, order):
        """The pictures in another order."""
        return Case([self.records[i] for i in order], {new: self.found[i] for new, i in enumerate(order)}, self.classes)


def random_case(seed, ties=True):
    """Few places, few scores: boxes overlap, scores tie, regions to ignore lie across them."""
    g = np.random.default_rng(seed)
    classes = int(g.integers(1, 4))
    records, found = [], []
    for i in range(int(g.integers(1, 8))):
        n = int(g.integers(0, 5))
        labels = g.integers(0, classes, n)
        crowd = g.random(n) < 0.25
        labels[crowd & (g.random(n) < 0.5)] = EVERY_CLASS
        truth = boxes(g, n)
        records.append(record(truth, labels, crowd, image_id=i + 1))
        m = int(g.integers(0, 9))
        copied = truth[g.integers(0, n, m)] if n else boxes(g, m)
        moved = copied + g.integers(-3, 4, (m, 4))
        placed = np.where(g.random((m, 1)) < 0.7, moved, boxes(g, m))
        placed[:, 2:] = np.maximum(placed[:, 2:], placed[:, :2] + 1)
        scores = g.integers(1, 6, m) / 5 if ties else g.permutation(10_000)[:m] / 10_000 + i / 10_000_000
        rows = sorted(zip(placed, scores, g.integers(0, classes, m), strict=True), key=lambda row: -row[1])
        found.append(detections(*((box.tolist(), score, label) for box, score, label in rows)))
    return Case(records, dict(enumerate(found)), classes)


def boxes(g, n):
    corner = g.integers(0, 60, (n, 2))
    return np.concatenate((corner, corner + g.integers(4, 40, (n, 2))), 1).astype(float)


cases = st.integers(0, 2**32 - 1).map(random_case)
