"""Scores of an evaluation -> the Report, and the Report as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum

import numpy as np

from utils.scoring import metrics
from utils.scoring.box_pairs import Pairs
from utils.scoring.coco import CocoScores
from utils.values.report import ClassRow, Report

MANY = 40  # classes: more rows than this scroll the totals off the screen


def report_of(
    pairs: Pairs,
    names: Sequence[str],
    scores: CocoScores,
    curves: metrics.Curves,
    losses: dict[str, float],
) -> Report:
    """The report of an evaluation: COCO's numbers, P and R at the confidence of the best mean F1, the losses.

    The precision of a class of which nothing is found there is undefined, though its curve says 1.
    """
    best = curves.best()
    truth, classes = pairs.truth, len(names)
    boxes = np.bincount(truth.labels, minlength=classes)
    # one number per (picture, class), so that several boxes of a class in a picture count as one picture
    shown = np.bincount(np.unique(truth.picture * classes + truth.labels) % classes, minlength=classes)
    rows = []
    for k, name in enumerate(names):
        precision, recall = (None, None) if best is None else _point(curves, k, best)
        rows.append(
            ClassRow(
                name=name,
                images=int(shown[k]),
                instances=int(boxes[k]),
                precision=precision,
                recall=recall,
                ap50=scores.ap50[k],
                ap=scores.ap[k],
            )
        )
    return Report(
        coco=scores.stats,
        precision=_mean(row.precision for row in rows),
        recall=_mean(row.recall for row in rows),
        confidence=None if best is None else float(metrics.CONFIDENCES[best]),
        classes=tuple(rows),
        images=pairs.pictures,
        good_images=int(pairs.good.sum()),
        instances=len(truth),
        losses=losses,
    )


def _point(curves: metrics.Curves, label: int, place: int) -> tuple[float | None, float | None]:
    """Precision and recall of a class at a confidence, None where undefined."""
    precision, recall = float(curves.precision[label, place]), float(curves.recall[label, place])
    if np.isnan(recall):
        return None, None
    nothing = recall == 0 and precision == 1  # with false alarms only precision is 0
    return (None if nothing else precision), recall


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fsum(known) / len(known) if known else None  # the same in any order of the classes


def as_lines(report: Report, verbose: bool = True) -> list[str]:
    """The report as a table for the console; without `verbose` more than 40 classes are left to results.json."""
    rows = report.classes if verbose or len(report.classes) <= MANY else ()
    width = max(len("class"), *(len(row.name) for row in rows)) if rows else len("class")
    lines = [f"{'class':{width}} {'images':>7} {'boxes':>7} {'P':>6} {'R':>6} {'AP50':>6} {'AP':>6}"]
    total = ClassRow(
        "all", report.images, report.instances, report.precision, report.recall, report.map50, report.map50_95
    )
    for row in (total, *rows):
        values = " ".join(f"{show(v):>6}" for v in (row.precision, row.recall, row.ap50, row.ap))
        lines.append(f"{row.name:{width}} {row.images:>7,} {row.instances:>7,} {values}")
    if len(rows) < len(report.classes):
        lines.append(f"{len(report.classes)} classes: --verbose shows each, and results.json has them")
    sizes = ", ".join(f"{name} {show(report.coco[name])}" for name in ("AP75", "APs", "APm", "APl", "AR100"))
    threshold = "" if report.confidence is None else f"; P and R at confidence {report.confidence:.3f} (best mean F1)"
    return [*lines, f"{report.good_images:,} good pictures; {sizes}{threshold}", *report.notes]


def show(value: float | None) -> str:
    """Three digits, or a dash for what is undefined."""
    return "-" if value is None else f"{value:.3f}"
