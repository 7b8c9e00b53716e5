"""results.json, report.json and report.html of an evaluation: by train.py, val.py, or of somebody's predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from utils.deciding.threshold_file import DetectionSettings
from utils.files.checkpoint import weights_about
from utils.files.output_files import Extra, Results, write_json, write_text
from utils.files.runs import ResultsCsv
from utils.inspection.inspection import Inspection
from utils.inspection.inspection_config import InspectionConfig
from utils.inspection.suspects import Suspect
from utils.report import confusion, curves, details, operating
from utils.report.crops import FOUND, TRUTH, Crop, Cropper, Show, above
from utils.report.markup import Html, joined, why_not
from utils.report.page import page
from utils.scoring.evaluation import Evaluation
from utils.values.pictures_identity import PicturesIdentity
from utils.values.weights_identity import WeightsIdentity
from utils.values.zones_identity import ZonesIdentity
from utils.words.private_paths import without_folders

PAGE = "report.html"
CROPS = 24  # of misses, and of false alarms
PER_KIND = 8  # of label suspects
TITLES = {
    "train": "Training report",
    "val": "Evaluation report",
    "predictions": "Report on predictions",
    "detect": "Detection report",
}
NO_TRAINING = "This run trained nothing; the curves are in the report of the training run, if there is one."
NO_SPEED = "Speed was not measured in this run; python val.py --task speed times reading, network and NMS apart."


@dataclass(frozen=True, eq=False)
class ReportOptions:
    """What a report takes from the run beside its scores: the `kind` of report (see TITLES), how to inspect, how a
    picture is read for people, the NMS settings and the weights that the detections were made with (empty: not known),
    the pictures that chose the thresholds, the lines of the data report, whether to draw (with `plots` off neither
    pictures nor a page are made), whether the console shows each of many classes, and in which `zones` defects count
    (None: everywhere), and did where the thresholds were chosen.
    """

    kind: str
    inspection: InspectionConfig
    show: Show
    nms: DetectionSettings = DetectionSettings()
    weights: WeightsIdentity | None = None
    chosen_on: PicturesIdentity | None = None
    data_report: Sequence[str] = ()
    plots: bool = True
    verbose: bool = True
    zones: ZonesIdentity | None = None
    chosen_in: ZonesIdentity | None = None


def results_json(evaluation: Evaluation, inspection: Inspection, about: Mapping[str, Any]) -> dict[str, Any]:
    """results.json: the scores, `about`, and the inspection by the names of classes and files."""
    section = _inspection_json(inspection, evaluation.files)
    return {**evaluation.report.plain(), **about, "inspection": section}


def _inspection_json(inspection: Inspection, files: Sequence[str]) -> dict[str, Any]:
    """`inspection` of results.json: by name and file, as numbers of classes and pictures mean nothing outside."""
    plain = inspection.plain()
    names = inspection.names
    del plain["names"]  # the lists per class become maps by name below
    plain["match"] = vars(inspection.config.rule)
    point = plain["operating_point"]
    point["classes"] = _by_name(names, point["classes"])
    point["thresholds"] = _by_name(names, inspection.point.thresholds)
    plain["expected"]["classes"] = _by_name(names, plain["expected"]["classes"])
    for key in ("class_calibration", "class_errors"):
        plain[key] = _by_name(names, plain[key])
    for key in ("misses", "false_alarms"):
        plain[key] = [_suspect_json(one, names, files) for one in getattr(inspection, key)]
    plain["label_suspects"] = {
        kind: [_suspect_json(one, names, files) for one in rows] for kind, rows in vars(inspection.labels).items()
    }
    return plain


def _by_name(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))


def _suspect_json(one: Suspect, names: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    return {
        "file": files[one.picture],
        "class": names[one.label],
        "box": list(one.box),
        "score": one.score,
        "reason": one.reason,
    }


def report_json(
    run: Path, options: ReportOptions, evaluation: Evaluation, inspection: Inspection, results: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything in numbers: `results` as they are in results.json, the table of the slider, curves and confusion, and
    what the run folder says about where they come from.
    """
    rows = ResultsCsv(run / "results.csv").rows()
    speed = run / "speed.json"
    return {
        "format": 1,
        "kind": options.kind,
        "results": results,
        "sweep": operating.sweep_table(inspection),
        "curves": curves.curves_json(evaluation),
        "confusion": confusion.confusion_json(evaluation),
        "training": rows or {"unavailable": NO_TRAINING},
        "speed": json.loads(speed.read_text("utf-8")) if speed.exists() else {"unavailable": NO_SPEED},
        "provenance": provenance_of(run, options.weights),
        "warnings": warnings_of(run),
    }


def provenance_of(run: Path, weights: WeightsIdentity | None = None) -> dict[str, Any]:
    """run.json without the data report of the data, the configuration, and what the data is known by; with the folders
    of this machine if run.json has them. `weights`: those that the results are about.
    """
    about = json.loads((run / "run.json").read_text("utf-8")) if (run / "run.json").exists() else {}
    about.pop("data", None)
    if weights is not None and (trained := run / "weights" / weights.file).exists():
        about |= weights_about(trained)
    if (run / "truth.json").exists():
        about["data sha256"] = hashlib.sha256((run / "truth.json").read_bytes()).hexdigest()
    if (run / "opt.yaml").exists():
        about["configuration"] = (run / "opt.yaml").read_text("utf-8")
    return handed_on(run, about)


def handed_on(run: Path, value: Any) -> Any:
    """Plain `value` as a report of this run shows it: without this machine's folders unless run.json has them."""
    about = json.loads((run / "run.json").read_text("utf-8")) if (run / "run.json").exists() else {}
    return value if about.get("full_paths") else without_folders(value)


def warnings_of(run: Path) -> list[str]:
    """The warnings in the log of the run, each once."""
    lines: dict[str, None] = {}  # a dict keeps the order, which a set would not
    for log in sorted(run.glob("*.log")):
        for line in log.read_text("utf-8", errors="replace").splitlines():
            parts = line.split(" ", 3)  # date, time, level, message
            if len(parts) == 4 and parts[2] in ("WARNING", "ERROR"):
                lines[parts[3]] = None
    shown: list[str] = handed_on(run, list(lines))
    return shown


def write_report(
    run: Path,
    evaluation: Evaluation,
    inspection: Inspection,
    scores: Mapping[str, Any],
    options: ReportOptions,
    results: Results,
) -> None:
    """Write report.html where `options.plots` asks for it, then report.json. `scores` are those of results.json."""
    content = report_json(run, options, evaluation, inspection, scores)
    if options.plots:
        with Extra(run / PAGE):
            mistakes = _mistakes(evaluation, inspection, options.show)
            data_report = handed_on(run, list(options.data_report))
            write_text(run / PAGE, _page(run.name, content, inspection, mistakes, data_report))
    if not results.lost:  # with this file a run counts as complete
        with results.writing():
            write_json(run / "report.json", content)


def _page(
    name: str, content: Mapping[str, Any], inspection: Inspection, mistakes: Html, data_report: Sequence[str]
) -> str:
    results, training, speed = content["results"], content["training"], content["speed"]
    sections = {
        "Verdict": operating.verdict(results["inspection"]),
        "Data": details.data(results, data_report),
        "Training": why_not(training["unavailable"]) if isinstance(training, dict) else details.training(training),
        "Operating point": operating.operating_point(results, inspection, content["sweep"]),
        "Classes and sizes": details.classes_and_sizes(results),
        "Curves": curves.curves(content["curves"], results),
        "Confusion": confusion.confusion(content["confusion"]),
        "Where it is wrong": mistakes,
        "Speed": why_not(speed["unavailable"]) if "unavailable" in speed else details.speed(speed),
        "Provenance": details.provenance(content["provenance"]),
    }
    warnings = [*results["notes"], *content["warnings"]]
    return page(f"{TITLES[content['kind']]}: {name}", _subtitle(content), warnings, sections)


def _subtitle(content: Mapping[str, Any]) -> str:
    about = content["provenance"]
    return " · ".join(str(about[key]) for key in ("weights", "predictions") if about.get(key))


def _mistakes(evaluation: Evaluation, inspection: Inspection, show: Show) -> Html:
    detections = (evaluation.detections[index] for index in range(len(evaluation.records)))
    above_thresholds = list(above(detections, np.array(inspection.point.thresholds)))
    cropper = Cropper(evaluation.records, above_thresholds, evaluation.files, show)
    labels = inspection.labels
    groups = (
        ("Worst misses", inspection.misses, CROPS, "Nothing is missed."),
        ("Worst false alarms", inspection.false_alarms, CROPS, "There are none at the chosen thresholds."),
        ("Labels that are probably missing", labels.missing_labels, PER_KIND, "No label is suspected."),
        ("Labels of probably another class", labels.wrong_classes, PER_KIND, "No label is suspected."),
        ("Boxes that are probably misplaced", labels.misplaced_boxes, PER_KIND, "No label is suspected."),
    )
    shown = [(one, TRUTH if n == 0 else FOUND) for n, group in enumerate(groups) for one in group[1][: group[2]]]
    # one call for all groups, so that a picture in several groups is read once
    crops = iter(cropper.crops([one for one, _ in shown], [colour for _, colour in shown]))
    parts = [details.key()]
    for title, suspects, most, none in groups:
        mine: list[Crop] = [next(crops) for _ in suspects[:most]]
        parts.append(details.gallery(title, mine, len(suspects), none))
    return joined(parts)
