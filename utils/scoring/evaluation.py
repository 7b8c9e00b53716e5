"""Detections against the truth: one way to score, whoever found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.scoring import coco, metrics
from utils.scoring.score_summary import report_of
from utils.scoring.score_tables import DEFAULT_CONFIDENCE
from utils.values.detections import Detections
from utils.values.record import Record
from utils.values.report import Report


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A report, the detections behind it by index of the record, and the same in COCO's results format."""

    report: Report
    found: dict[int, Detections]
    results: list[dict[str, Any]]
    curves: metrics.Curves
    precision50: np.ndarray  # (classes, 101): see utils.scoring.coco.CocoScores


def score_results(
    records: Sequence[Record],
    names: Sequence[str],
    category_ids: Sequence[int],
    results: list[dict[str, Any]],
    losses: dict[str, float] | None = None,
) -> Evaluation:
    """Score rows of COCO's results format, whoever made them.

    Everything is worked out from the rows, not from what they were made of, so that the file alone gives the same
    numbers.
    """
    found = coco.detections_of(results, [record.image_id for record in records], category_ids, names)
    scores = coco.score(coco.truth_json(records, names, category_ids), results, category_ids)
    curves = metrics.curves(metrics.match(records, found, len(names)))
    report = report_of(records, names, scores, curves, losses or {})
    return Evaluation(report, found, results, curves, scores.precision50)


def confusion_matrix(records: Sequence[Record], evaluation: Evaluation) -> np.ndarray:
    """(K + 1, K + 1) counts at the confidence of the best mean F1; see utils.scoring.metrics.confusion."""
    report = evaluation.report
    confidence = DEFAULT_CONFIDENCE if report.confidence is None else report.confidence
    return metrics.confusion(records, evaluation.found, len(report.classes), confidence)
