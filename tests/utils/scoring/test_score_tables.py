import csv
from pathlib import Path

import numpy as np
import torch

from utils.scoring import coco
from utils.scoring.box_pairs import pair_up
from utils.scoring.evaluation import Evaluation
from utils.scoring.matching import MatchRule, match
from utils.scoring.score_tables import PER_CLASS, PER_IMAGE, image_rows, write_tables
from utils.values.detections import Detections
from utils.values.record import Record

NAMES = ("bubble", "oil")


def record(name, boxes, labels, crowd=None, image_id=1):
    boxes = np.array(boxes, np.float32).reshape(-1, 4) / np.array([200, 100, 200, 100], np.float32)
    flags = np.zeros(len(boxes), bool) if crowd is None else np.array(crowd)
    return Record(Path(name), image_id, (100, 200), boxes, np.array(labels, np.int64), flags)


def detections(boxes, scores, labels):
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    return Detections(boxes, torch.tensor(scores), torch.tensor(labels, dtype=torch.long))


def test_a_row_by_hand():
    """A hit, its duplicate, a missed small and a missed large box, a box below the confidence, one in a crowd."""
    truth = record(
        "a.png",
        [[0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 90, 70], [100, 0, 200, 100]],
        [0, 0, 1, 0],
        crowd=[False, False, False, True],
    )
    boxes = [[0, 0, 10, 10], [0, 0, 10, 9], [110, 10, 120, 20], [50, 50, 90, 70]]
    found = {0: detections(boxes, [0.9, 0.8, 0.7, 0.2], [0, 0, 0, 1]), 1: detections([], [], [])}
    records = [truth, record("b.png", [], [])]
    row, empty = image_rows(("on/a.png", "b.png"), records, NAMES, match(pair_up(records, found, 2), MatchRule()), 0.5)
    assert row == {
        **{"file": "on/a.png", "width": 200, "height": 100, "truth": 3, "detections": 2, "TP": 1, "FP": 1, "FN": 2},
        **{"max_confidence": row["max_confidence"], "worst_miss": "oil"},
        **{"worst_miss_width": 40.0, "worst_miss_height": 20.0},
    }
    assert abs(row["max_confidence"] - 0.9) < 1e-6
    assert (empty["truth"], empty["detections"], empty["max_confidence"]) == (0, 0, None) and "worst_miss" not in empty


def test_tables_agree_with_the_report(tmp_path):
    rng = np.random.default_rng(0)
    records, found = [], {}
    for index in range(30):
        corners = rng.uniform(0, 60, (3, 2))
        boxes = np.concatenate((corners, corners + 30), 1)
        name = "=cmd|x.png" if index == 0 else f"{index}.png"
        records.append(record(name, boxes[:2], rng.integers(0, 2, 2), image_id=index))
        labels = [*records[-1].labels.tolist(), 0]
        found[index] = detections((boxes + rng.normal(0, 3, boxes.shape)).tolist(), rng.random(3).tolist(), labels)
    evaluation = Evaluation(records, NAMES, (1, 2), coco.results_json(records, found, (1, 2)))
    write_tables(tmp_path, evaluation)
    report = evaluation.report
    pictures = list(csv.DictReader((tmp_path / "per_image.csv").open(encoding="utf-8")))
    assert tuple(pictures[0]) == PER_IMAGE and len(pictures) == 30
    total = {key: sum(int(row[key]) for row in pictures) for key in ("truth", "detections", "TP", "FP", "FN")}
    expected = sum(row.recall * row.instances for row in report.classes)
    assert total["TP"] == round(expected) and abs(expected - round(expected)) < 1e-9
    assert total["truth"] == report.instances == total["TP"] + total["FN"]
    assert total["detections"] == total["TP"] + total["FP"] > total["TP"] > 0
    assert all(bool(row["worst_miss"]) == (row["FN"] != "0") for row in pictures)
    assert pictures[0]["file"] == "'=cmd|x.png"  # no formula for a spreadsheet
    classes = list(csv.DictReader((tmp_path / "per_class.csv").open(encoding="utf-8")))
    assert tuple(classes[0]) == PER_CLASS
    assert [(row["class"], int(row["boxes"])) for row in classes] == [(r.name, r.instances) for r in report.classes]
    assert [float(row["recall"]) for row in classes] == [float(f"{r.recall:.6g}") for r in report.classes]


def test_a_set_of_good_pictures(tmp_path):
    records, found = [record("good.png", [], [])], {0: detections([], [], [])}
    write_tables(tmp_path, Evaluation(records, NAMES, (1, 2), coco.results_json(records, found, (1, 2))))
    (row,) = csv.DictReader((tmp_path / "per_image.csv").open(encoding="utf-8"))
    assert (row["truth"], row["detections"], row["max_confidence"], row["worst_miss"]) == ("0", "0", "", "")
