"""What an evaluation says and leaves in its run folder, whoever found the detections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from utils.console.log import LOG
from utils.drawing.score_plots import plot_scores
from utils.files.output_paths import relative_paths
from utils.files.runs import write_json
from utils.inspection.files import inspection_section, write_thresholds
from utils.inspection.plots import plot_inspection
from utils.inspection.summary import Inspection, InspectionConfig, inspect
from utils.inspection.threshold_file import DetectionSettings
from utils.report.crops import Show
from utils.report.evaluation import Subject, write_report
from utils.scoring import coco
from utils.scoring.evaluation import Evaluation, confusion_matrix
from utils.scoring.score_tables import write_tables
from utils.values.record import Record


class Truth(Protocol):
    """The pictures of a split, its class names, and their COCO ids; see data.sets.split_reading.RecordSet."""

    @property
    def records(self) -> tuple[Record, ...]:
        """The pictures and their truth."""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes."""

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The id of each class in COCO's files."""


@dataclass(frozen=True, eq=False)
class Manner:
    """How an evaluation is concluded: the `kind` of script, how to look at the detections and how they were made, how a
    picture is read for the report, what the data report of the data say, and whether pictures are wanted.
    """

    kind: str
    config: InspectionConfig
    made: DetectionSettings | None
    show: Show
    data_report: tuple[str, ...]
    pictures: bool


def conclude(run: Path, evaluation: Evaluation, truth: Truth, about: dict[str, Any], manner: Manner) -> Inspection:
    """What an inspection line asks for, said and written, with everything else that an evaluation leaves behind."""
    inspection = inspect(truth.records, evaluation.found, truth.names, manner.config)
    for line in inspection.lines():
        LOG.info(line)
    files = tuple(path.as_posix() for path in relative_paths([record.path for record in truth.records]))
    results = {**evaluation.report.plain(), **about, "inspection": inspection_section(inspection, files)}
    write_evaluation(run, evaluation, truth, results)
    write_thresholds(run, inspection, about, manner.made)
    if manner.pictures:
        plot_inspection(run, inspection)
    subject = Subject(manner.kind, truth.records, files, evaluation, manner.show, manner.data_report)
    write_report(run, subject, results, inspection, manner.pictures)
    return inspection


def write_evaluation(run: Path, evaluation: Evaluation, truth: Truth, results: dict[str, Any]) -> None:
    """results.json, predictions.json and truth.json: enough for any COCO evaluator to check the numbers; and the
    tables per class and per picture. `results` are those of results.json.
    """
    write_json(run / "results.json", results)
    write_json(run / "predictions.json", evaluation.results)
    write_json(run / "truth.json", coco.truth_json(truth.records, truth.names, truth.category_ids))
    write_tables(run, evaluation.report, truth.records, evaluation.found)


def plot_report(run: Path, truth: Truth, evaluation: Evaluation) -> None:
    """The curves, and the confusion matrix at the confidence of the best mean F1."""
    confusion = confusion_matrix(truth.records, evaluation)
    plot_scores(run, evaluation.report, evaluation.curves, evaluation.precision50, confusion)
