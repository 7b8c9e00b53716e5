"""Our COCO numbers against pycocotools, on random boxes with crowd, ties, empty classes and no detections."""

import contextlib
import copy
import importlib.metadata
import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from utils.scoring import coco
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record

NAMES, IDS = ("a", "b", "c", "never"), (7, 3, 12, 5)


def random_set(seed, detections=40):
    """Records and detections near the truth, with ties in score, crowd regions, good pictures and an empty class."""
    rng = np.random.default_rng(seed)
    records, found = [], {}
    for index in range(12):
        size = (int(rng.integers(80, 600)), int(rng.integers(80, 600)))
        n = int(rng.integers(0, 8)) * (index % 4 > 0)
        corner = rng.uniform(0, 0.7, (n, 2))
        boxes = np.concatenate((corner, corner + rng.uniform(0.02, 0.3, (n, 2))), 1).astype(np.float32)
        labels, crowd = rng.integers(0, 3, n), rng.random(n) < 0.15
        record = Record(Path(f"{index}.png"), 100 + 3 * index, size, boxes, labels, crowd)
        records.append(record)
        m = int(rng.integers(0, detections + 1))
        base = (
            record.pixel_boxes()[rng.integers(0, n, m)]
            if n
            else np.tile(np.array([[5, 5, 60, 50]], np.float32), (m, 1))
        )
        jitter = base + rng.normal(0, 6, (m, 4)).astype(np.float32)
        boxes = np.concatenate((jitter[:, :2], np.maximum(jitter[:, 2:], jitter[:, :2] + 1)), 1)
        scores = np.sort(rng.integers(1, 12, m) / 12)[::-1].copy()
        found[index] = Detections(
            torch.from_numpy(boxes), torch.from_numpy(scores).float(), torch.from_numpy(rng.integers(0, 3, m))
        )
    return records, found


def oracle(truth, results):
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        ground.dataset = truth
        ground.createIndex()
        evaluation = COCOeval(ground, ground.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize("engine", ["hotcoco", "pycocotools"])
def test_the_evaluator_is_named(engine, monkeypatch):
    if engine == "pycocotools":
        monkeypatch.setitem(sys.modules, "hotcoco", None)  # as where it is not installed
    assert coco.evaluator() == f"{engine} {importlib.metadata.version(engine)}"


@pytest.mark.parametrize("engine", ["hotcoco", "pycocotools"])
@pytest.mark.parametrize("seed", range(8))
def test_equal_to_pycocotools(seed, engine, monkeypatch):
    if engine == "pycocotools":
        monkeypatch.setattr(coco, "_accumulate", coco._accumulate_pycocotools)
    records, found = random_set(seed)
    truth, results = coco.truth_json(records, NAMES, IDS), coco.results_json(records, found, IDS)
    before = copy.deepcopy((truth, results))
    scores = coco.score(truth, results, IDS)
    assert (truth, results) == before, "they are written to files afterwards"
    want = oracle(truth, results)
    got = [-1 if v is None else v for v in scores.stats.values()]
    assert got == pytest.approx(want.stats.tolist(), abs=1e-9)
    order = sorted(IDS)
    for k, category in enumerate(IDS):
        values = want.eval["precision"][:, :, order.index(category), 0, 2]
        assert scores.ap[k] == (pytest.approx(values.mean(), abs=1e-9) if values.max() > -1 else None)
    assert scores.ap[3] is None


def with_regions(records, seed):
    """Half of the crowd rows, and one more row in every second picture, become regions of no class."""
    rng = np.random.default_rng(seed)
    moved = []
    for index, r in enumerate(records):
        labels = np.where(r.crowd & (rng.random(len(r.labels)) < 0.5), EVERY_CLASS, r.labels)
        corner = rng.uniform(0, 0.4, (index % 2, 2))
        boxes = np.concatenate((r.boxes, np.concatenate((corner, corner + 0.4), 1).astype(np.float32)))
        labels, crowd = np.append(labels, [EVERY_CLASS] * (index % 2)), np.append(r.crowd, [True] * (index % 2))
        moved.append(Record(r.path, r.image_id, r.size, boxes, labels.astype(np.int64), crowd.astype(bool)))
    return moved


@pytest.mark.parametrize("seed", range(6))
def test_regions_of_no_class_equal_one_crowd_per_class(seed):
    """truth.json spells a region out for every class; pycocotools on it agrees with us, and so does `match`
    about which detections hit, are false alarms or are forgiven.
    """
    records, found = random_set(seed)
    records = with_regions(records, seed)
    truth, results = coco.truth_json(records, NAMES, IDS), coco.results_json(records, found, IDS)
    regions = sum(int((r.labels == EVERY_CLASS).sum()) for r in records)
    assert regions and len(truth["annotations"]) == sum(len(r.labels) for r in records) + regions * (len(IDS) - 1)
    scores, want = coco.score(truth, results, IDS), oracle(truth, results)
    assert [-1 if v is None else v for v in scores.stats.values()] == pytest.approx(want.stats.tolist(), abs=1e-9)
    assert scores.stats["AP"] != coco.score(coco.truth_json(random_set(seed)[0], NAMES, IDS), results, IDS).stats["AP"]
    matching = match(pair_up(records, found, len(IDS)), MatchRule())
    everything = [e for e in want.evalImgs if e is not None and e["aRng"] == [0, 1e5**2]]
    for label, category in enumerate(IDS):
        mine = [e for e in everything if e["category_id"] == category]
        kept = [(m > 0)[~i.astype(bool)] for m, i in ((e["dtMatches"][0], e["dtIgnore"][0]) for e in mine)]
        hits = np.concatenate(kept) if kept else np.zeros(0, bool)
        ours = matching.pairs.detections.labels == label
        assert hits.sum() == (matching.hit & ours).sum() and len(hits) == (matching.counts & ours).sum()


def test_shuffled_class_order_gives_the_same_numbers():
    records, found = random_set(1)
    order = [2, 0, 3, 1]  # new number of each class
    moved = [Record(r.path, r.image_id, r.size, r.boxes, np.take(order, r.labels), r.crowd) for r in records]
    relabelled = {i: Detections(d.boxes, d.scores, torch.tensor(order)[d.labels]) for i, d in found.items()}
    ids = [IDS[order.index(k)] for k in range(4)]
    one = coco.score(coco.truth_json(records, NAMES, IDS), coco.results_json(records, found, IDS), IDS)
    two = coco.score(coco.truth_json(moved, NAMES, ids), coco.results_json(moved, relabelled, ids), ids)
    assert one.stats == two.stats


@pytest.mark.parametrize("engine", ["hotcoco", "pycocotools"])
def test_file_names_that_are_no_utf8(engine, monkeypatch):
    if engine == "pycocotools":
        monkeypatch.setattr(coco, "_accumulate", coco._accumulate_pycocotools)
    records, found = random_set(0)
    odd = [replace(r, path=Path(os.fsdecode(b"\xff\xfe%d.png" % r.image_id))) for r in records]
    scores = [
        coco.score(coco.truth_json(rows, NAMES, IDS), coco.results_json(rows, found, IDS), IDS)
        for rows in (records, odd)
    ]
    assert scores[0].stats == scores[1].stats


def test_nothing_detected_is_zero_and_nothing_to_find_is_undefined():
    records, found = random_set(0, detections=0)
    truth = coco.truth_json(records, NAMES, IDS)
    assert coco.score(truth, [], IDS).stats["AP"] == 0.0
    good = [Record(r.path, r.image_id, r.size, r.boxes[:0], r.labels[:0], r.crowd[:0]) for r in records]
    nothing = coco.score(coco.truth_json(good, NAMES, IDS), [], IDS)
    assert set(nothing.stats.values()) == {None} and set(nothing.ap) == {None}
