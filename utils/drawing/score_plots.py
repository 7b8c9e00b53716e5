"""The pictures of an evaluation's scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from utils.drawing.plots import plot_confusion, plot_curves
from utils.scoring import metrics
from utils.scoring.score_summary import show
from utils.values.report import Report


def plot_scores(
    folder: Path, report: Report, curves: metrics.Curves, precision50: np.ndarray, confusion: np.ndarray
) -> None:
    """PR, P, R and F1 curves at IoU 0.5, and the confusion matrix.

    `precision50` (classes, 101) see utils.scoring.coco.CocoScores, `confusion` see utils.scoring.metrics.confusion.
    """
    names = [row.name for row in report.classes]
    recalls, axis = np.linspace(0, 1, 101), metrics.CONFIDENCES
    pr_mark = f"AP50 {show(report.map50)}"
    plot_curves(recalls, precision50, names, folder / "PR_curve.png", ("recall", "precision"), pr_mark)
    plot_curves(axis, curves.precision, names, folder / "P_curve.png", ("confidence", "precision"), None)
    plot_curves(axis, curves.recall, names, folder / "R_curve.png", ("confidence", "recall"), None)
    plot_curves(axis, curves.f1(), names, folder / "F1_curve.png", ("confidence", "F1"), "max")
    plot_confusion(confusion, names, folder / "confusion_matrix.png")
