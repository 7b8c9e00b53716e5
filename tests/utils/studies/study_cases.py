"""Run folders and plans for the tests of studies, made of small data sets without any training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.utils.glass_cases import Case, boxes, detections, evaluated, record
from utils.studies.drawn_scores import DrawnScores
from utils.studies.finished_run import FinishedRun
from utils.studies.plan import Comparison, Plan, PlannedRun

THRESHOLD = 0.5


def write_run(folder: Path, case: Case, escape: float | None = 0.25, order=None) -> dict:
    """What an evaluation of `case` leaves; with `order` the files of the pictures stay, their numbers change."""
    evaluation = evaluated(case.records, case.found, case.names)
    truth, predictions = evaluation.truth, evaluation.results
    if order is not None:
        truth, predictions = renumbered(truth, predictions, order)
    point = {"thresholds": dict.fromkeys(case.names, THRESHOLD), "decisions": {"escape": {"value": 0.125}}}
    expected = {"decisions": {"escape": escape if escape is None else {"value": escape}}}
    about = {"operating_point": point, "expected": expected, "match": {"by": "iou", "iou": 0.5}}
    about["aim"] = "for at most 0.1 false alarms per picture"
    results = {"coco": dict(evaluation.coco_scores.stats), "inspection": about}
    folder.mkdir(parents=True)
    for name, content in (("truth", truth), ("predictions", predictions), ("results", results)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return results


def renumbered(truth, predictions, order):
    """The same pictures with other ids, in another order."""
    ids = {image["id"]: 100 + int(place) for image, place in zip(truth["images"], order, strict=True)}
    images = sorted(({**one, "id": ids[one["id"]]} for one in truth["images"]), key=lambda one: one["id"])
    annotations = [{**one, "image_id": ids[one["image_id"]]} for one in truth["annotations"]]
    rows = [{**one, "image_id": ids[one["image_id"]]} for one in predictions]
    return {**truth, "images": images, "annotations": annotations}, rows


def glass(pictures=12, skill=0.7, seed=0, truth_seed=0):
    """Two classes; `skill` of the truth boxes are found, nearly where they are, among false alarms."""
    truths, g = np.random.default_rng(truth_seed), np.random.default_rng((seed, 1))
    records, found = [], []
    for _ in range(pictures):
        placed, labels = boxes(truths, 3), truths.integers(0, 2, 3)
        records.append(record(placed, labels))
        rows = []
        for box, label in zip(placed, labels, strict=True):
            score, moved = g.random(), box + g.normal(0, 1.5, 4)
            if g.random() < skill:
                rows.append(([*moved[:2], *np.maximum(moved[2:], moved[:2] + 1)], 0.3 + 0.7 * score, int(label)))
            else:
                rows.append((boxes(g, 1)[0].tolist(), 0.8 * score, int(label)))
        found.append(detections(*sorted(rows, key=lambda row: -row[1])))
    return Case(records, dict(enumerate(found)), 2)


def plan_of(out: Path, data=("neu",), arms=("a", "b"), seeds=(0, 1, 2), questions=None) -> Plan:
    shared = ("--epochs", "15", "--noval")
    runs = tuple(
        PlannedRun(
            *(name, arm, seed),
            words=(*shared, "--data", f"{name}.yaml", "--cfg", f"{arm}-n.yaml", "--seed", str(seed)),
            folder=out / name / arm / f"seed{seed}",
        )
        for seed in seeds
        for name in data
        for arm in arms
    )
    asked = {"Does it help?": ("a", "b")} if questions is None else questions
    comparisons = tuple(Comparison(question, *pair) for question, pair in asked.items())
    return Plan("Streams", "plan.yaml", out, tuple(data), tuple(arms), tuple(seeds), runs, comparisons, {})


def finish(plan: Plan, skills, left_out=(), **about) -> list[FinishedRun]:
    """Every run of the plan but `left_out`, of the skill of its arm."""
    finished = []
    for run in plan.runs:
        if (run.data, run.arm, run.seed) in left_out:
            continue
        case = glass(skill=skills[run.arm], seed=run.seed + 10 * plan.arms.index(run.arm))
        results = write_run(run.folder, case)
        known = {"revision": "abc", "minutes": 2.5, "threads": 1}
        finished.append(FinishedRun(run, results, **(known | about)))
    return finished


def scores(whole, drawn, pictures=60, truth=""):
    """DrawnScores whose AP50 is its AP."""
    drawn = np.asarray(drawn, float)
    return DrawnScores(dict.fromkeys(("AP", "AP50"), whole), dict.fromkeys(("AP", "AP50"), drawn), pictures, truth)


def shifted(one: DrawnScores, by: float) -> DrawnScores:
    return replace(
        one,
        whole={name: value + by for name, value in one.whole.items()},
        drawn={name: values + by for name, values in one.drawn.items()},
    )
