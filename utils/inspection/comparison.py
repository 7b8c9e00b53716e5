"""Two evaluations of the same pictures, read back from their run folders: is the second better, or is it chance?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from utils.console.log import LOG, log_to
from utils.files.earlier_run import OF_EVALUATION
from utils.files.output_files import write_json
from utils.files.runs import new_run, provenance
from utils.flags.val_flags import ValFlags
from utils.inspection.bootstrap import Difference, compare
from utils.scoring import coco
from utils.scoring.box_pairs import NEAREST, Pairs, pair_up
from utils.scoring.matching import MatchRule
from utils.scoring.prediction_files import Known, read_json, read_predictions
from utils.values.record import EVERY_CLASS, Record
from utils.values.zones_identity import ZonesIdentity, other_zones, zone_words
from utils.words.class_names import name_key
from utils.words.errors import DataError, printable


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder of val.py or train.py: its truth, what was found, thresholds by class, what counts as a hit, and
    where.
    """

    folder: str
    truth: dict[str, Any]
    results: list[dict[str, Any]]
    thresholds: dict[str, float]
    rule: MatchRule
    zones: ZonesIdentity | None = None


def report_comparison(flags: ValFlags, argv: Sequence[str] | None) -> int:
    """--compare: is the second run better than the first, or is it the choice of pictures?"""
    assert flags.compare is not None, "asked for"
    first, second = (read_run(folder) for folder in flags.compare)
    differences = compare_runs(first, second)
    run = new_run(flags.project, flags.name, flags.exist_ok, OF_EVALUATION)
    log_to(run / "val.log")
    LOG.info("%s -> %s, 1000 draws of the pictures:", first.folder, second.folder)
    for one in differences:
        LOG.info(str(one))
    rows = [one.plain() for one in differences]
    write_json(run / "compare.json", {**provenance(argv), "runs": list(flags.compare), "differences": rows})
    LOG.info("written to %s: compare.json", run)
    return 0


def read_run(folder: str, flag: str = "--compare ") -> Run:
    """Raises DataError, beginning with `flag`, for a folder that is not there, or lacks what an evaluation writes."""
    place, shown = Path(folder), printable(folder)
    if not place.is_dir():
        raise DataError(f"{flag}{shown}: no such folder; give two run folders of val.py or train.py")
    for name in ("truth.json", "predictions.json", "results.json"):
        if not (place / name).is_file():
            raise DataError(f"{flag}{shown}: has no {name}; run val.py on that checkpoint first")
    truth, results = read_json(place / "truth.json"), read_json(place / "results.json")
    try:
        known = Known(truth)
        section = results["inspection"]
        thresholds = {name_key(name): float(v) for name, v in section["operating_point"]["thresholds"].items()}
        rule = MatchRule(**section["match"])
        zones = ZonesIdentity(**results["zones"]) if "zones" in results else None
        _, names = records_of(truth)  # which finds what a truth.json of another program lacks
        thresholds = {name_key(name): thresholds[name_key(name)] for name in names}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{flag}{shown}: its truth.json or results.json is of another version; run val.py anew") from (
            error
        )
    return Run(shown, truth, read_predictions(place / "predictions.json", known), thresholds, rule, zones)


def compare_runs(first: Run, second: Run, draws: int = 1000) -> tuple[Difference, ...]:
    """Figures of both, each at its own thresholds, on the same draws of pictures.

    Raises DataError when the two were not evaluated on the same pictures, labels and zones, or count hits differently.
    """
    if other_zones(first.zones, second.zones):
        raise DataError(
            f"--compare {first.folder} {second.folder}: one counts defects in {printable(zone_words(first.zones))}, "
            f"the other in {printable(zone_words(second.zones))}; give both the same --roi"
        )
    if content_of(first.truth) != content_of(second.truth):
        raise DataError(
            f"--compare {first.folder} {second.folder}: not evaluated on the same pictures and labels; "
            "run val.py --data on both checkpoints with one data YAML"
        )
    if first.rule != second.rule:
        raise DataError(
            f"--compare {first.folder} {second.folder}: one counts hits by {first.rule}, the other by {second.rule}; "
            "give both the same --match"
        )
    records, names = records_of(first.truth)
    pairs = [pairs_of(run, first.truth, records, len(names)) for run in (first, second)]
    limits = [np.array([run.thresholds[name_key(name)] for name in names]) for run in (first, second)]
    return compare(pairs[0], pairs[1], (limits[0], limits[1]), first.rule, draws)


def records_of(truth: Mapping[str, Any]) -> tuple[list[Record], list[str]]:
    """The records and class names behind a truth.json."""
    label = {category["id"]: k for k, category in enumerate(truth["categories"])}
    rows: dict[int, list[Any]] = {image["id"]: [] for image in truth["images"]}
    for one in truth["annotations"]:
        everywhere = bool(one.get("every_class"))
        if not everywhere or label[one["category_id"]] == 0:  # one row per class says the same of all of them
            rows[one["image_id"]].append((one, EVERY_CLASS if everywhere else label[one["category_id"]]))
    records = []
    for image in sorted(truth["images"], key=lambda one: one["id"]):  # COCO's order, by which equal scores stand
        mine, size = rows[image["id"]], (image["height"], image["width"])
        boxes = np.array([one["bbox"] for one, _ in mine], np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        boxes /= np.array([size[1], size[0]] * 2)
        labels = np.array([number for _, number in mine], np.int64)
        crowd = np.array([bool(one["iscrowd"]) for one, _ in mine], bool)
        known = Path(image["file_name"]), image["id"], size, boxes.astype(np.float32), labels, crowd
        outside = np.array([bool(one.get("outside_zones")) for one, _ in mine], bool)
        records.append(Record(*known, outside=outside if outside.any() else None))
    return records, [category["name"] for category in truth["categories"]]


def pairs_of(run: Run, truth: Mapping[str, Any], records: list[Record], classes: int) -> Pairs:
    """What `run` found, by the numbers of `truth`."""
    files = {image["file_name"]: image["id"] for image in truth["images"]}
    numbers = {name_key(category["name"]): category["id"] for category in truth["categories"]}
    own_files = {image["id"]: image["file_name"] for image in run.truth["images"]}
    own_names = {category["id"]: name_key(category["name"]) for category in run.truth["categories"]}
    rows = [
        {
            **row,
            "image_id": files[own_files[row["image_id"]]],
            "category_id": numbers[own_names[row["category_id"]]],
        }
        for row in run.results
    ]
    ids = [category["id"] for category in truth["categories"]]
    found = coco.detections_of(rows, [record.image_id for record in records], ids, ())
    return pair_up(records, found, classes, min(NEAREST, run.rule.iou))


def content_of(truth: Mapping[str, Any]) -> tuple[Any, ...]:
    """What must be equal: files, classes by name, boxes to 1e-2 px; not ids and orders."""
    files = {image["id"]: image["file_name"] for image in truth["images"]}
    names = {category["id"]: name_key(category["name"]) for category in truth["categories"]}
    boxes = [
        (files[a["image_id"]], names[a["category_id"]], a["iscrowd"], *(round(v, 2) for v in a["bbox"]))
        for a in truth["annotations"]
    ]
    return sorted(files.values()), sorted(names.values()), sorted(boxes)
