"""How long an evaluation takes: `python -m utils.benchmark`. Random boxes; every step is timed and its memory is read.

By default 5,000 pictures, 80 classes and 500,000 detections, the size of COCO's validation set.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from utils.console.log import LOG
from utils.console.script import run_script
from utils.files.output_files import Results, make_folder
from utils.files.output_paths import keep_out_of_layouts
from utils.flags.command_flags import EvaluatorBenchmarkFlags, parse_evaluator_benchmark
from utils.inspection.bootstrap import compare
from utils.inspection.inspection import inspect
from utils.inspection.inspection_config import InspectionConfig
from utils.processes.memory import peak_process_memory
from utils.report.evaluation import ReportOptions, results_json, write_report
from utils.scoring.evaluation import Evaluation
from utils.scoring.score_tables import image_rows
from utils.values.record import Record
from utils.words.text import counted

SIDE = 640  # px of a picture
TRUTH = 7  # boxes in a bad picture, on average

T = TypeVar("T")


class Clock:
    """Times steps, and says each."""

    def __init__(self) -> None:
        self.total = 0.0

    def __call__(self, name: str, step: Callable[[], T]) -> T:
        """Run `step` and say how long it took."""
        started = time.perf_counter()
        result = step()
        seconds = time.perf_counter() - started
        self.total += seconds
        LOG.info("%-44s %6.2f s   %5.0f MB at the peak so far", name, seconds, peak_process_memory() / 1e6)
        return result


def random_truth(pictures: int, classes: int, seed: int = 0) -> list[Record]:
    """Pictures of which a tenth are good; boxes of 8 to 200 px."""
    g = np.random.default_rng(seed)
    records = []
    for index in range(pictures):
        count = 0 if index % 10 == 0 else int(g.integers(1, 2 * TRUTH))
        corner, size = g.uniform(0, 0.65, (count, 2)), np.exp(g.uniform(np.log(8), np.log(200), (count, 2))) / SIDE
        boxes = np.concatenate((corner, corner + size), 1).astype(np.float32)
        labels = g.integers(0, classes, count)
        crowd = g.random(count) < 0.01
        records.append(Record(Path(f"{index:06d}.jpg"), index + 1, (SIDE, SIDE), boxes, labels, crowd))
    return records


def random_results(records: Sequence[Record], classes: int, detections: int, seed: int = 1) -> list[dict[str, Any]]:
    """COCO rows: two thirds of the truth found, a little off, the rest noise of low scores."""
    g = np.random.default_rng(seed)
    each = detections // len(records)
    rows: list[dict[str, Any]] = []
    for record in records:
        found = g.random(len(record.labels)) < 2 / 3
        hits = record.pixel_boxes()[found][:each]
        hits = hits + g.normal(0, 1.5, hits.shape)
        corner, size = g.uniform(0, 400, (each - len(hits), 2)), g.uniform(8, 200, (each - len(hits), 2))
        boxes = np.concatenate((hits, np.concatenate((corner, corner + size), 1)))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        labels = np.concatenate((record.labels[found][:each], g.integers(0, classes, each - len(hits))))
        scores = np.concatenate((g.beta(4, 2, len(hits)), g.beta(1, 8, each - len(hits))))
        xywh = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), 1).round(3).tolist()
        rows += [
            {"image_id": record.image_id, "category_id": label + 1, "bbox": box, "score": score}
            for box, label, score in zip(xywh, labels.tolist(), scores.round(6).tolist(), strict=True)
        ]
    return rows


def main_story(argv: Sequence[str] | None) -> int:
    """Make the data, then time what val.py does with it."""
    flags = parse_evaluator_benchmark(argv)
    records = random_truth(flags.images, flags.classes)
    results = random_results(records, flags.classes, flags.detections)
    words = (counted(len(records), "picture"), counted(flags.classes, "class"), counted(len(results), "detection"))
    LOG.info("%s, %s, %s; %.0f MB before", *words, peak_process_memory() / 1e6)
    clock = Clock()
    time_evaluation(clock, flags, records, results)
    LOG.info("%-44s %6.2f s   %5.0f MB at the peak", "in all", clock.total, peak_process_memory() / 1e6)
    return 0


def time_evaluation(
    clock: Clock, flags: EvaluatorBenchmarkFlags, records: list[Record], results: list[dict[str, Any]]
) -> None:
    """Every table and curve of an evaluation, one after the other; with --out the report, with --compare the draws."""
    names, ids = tuple(f"class {k:02d}" for k in range(flags.classes)), tuple(range(1, flags.classes + 1))
    evaluation = Evaluation(records, names, ids, results)  # works out each part when it is asked for, and keeps it
    clock("rows to detections", lambda: evaluation.detections)
    clock("truth as COCO json", lambda: evaluation.truth)
    clock("COCO's 12 numbers and per class", lambda: evaluation.coco_scores)
    clock("geometry of truth and detections", lambda: evaluation.pairs)
    clock("matching", lambda: evaluation.matching)
    clock("P, R, F1 curves", lambda: evaluation.curves)
    clock("report", lambda: evaluation.report)
    clock("confusion matrix", lambda: evaluation.confusion)
    clock(
        "table per picture",
        lambda: list(image_rows(evaluation.files, records, names, evaluation.matching, evaluation.confidence)),
    )
    inspection = clock("inspection", lambda: inspect(evaluation, InspectionConfig()))
    if flags.compare:
        limits = np.array(inspection.point.thresholds)
        clock("comparison, 1,000 draws", lambda: compare(evaluation.pairs, evaluation.pairs, (limits, limits)))
    if flags.out:
        grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
        options = ReportOptions("val", inspection.config, lambda path: grey)
        content, folder = results_json(evaluation, inspection, {}), Path(flags.out)
        keep_out_of_layouts(folder, "--out")
        make_folder(folder)
        clock("report.html", lambda: write_report(folder, evaluation, inspection, content, options, Results()))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
