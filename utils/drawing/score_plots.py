"""The pictures of an evaluation's scores: PR, P, R and F1 curves, and the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from utils.drawing.colours import class_colour
from utils.drawing.figure_style import INK, MARK, SHADES, colour_bar, dress, new_figure, save_figure, short_name
from utils.scoring.evaluation import Evaluation
from utils.scoring.metrics import CONFIDENCES
from utils.scoring.score_summary import show

_NAMED = 20  # up to this many classes have a legend entry, or counts in their cells


def plot_scores(folder: Path, evaluation: Evaluation) -> None:
    """The curves at IoU 0.5, and the confusion matrix at the confidence of the best mean F1."""
    names, curves, recalls = evaluation.names, evaluation.curves, np.linspace(0, 1, 101)
    pr_mark = f"AP50 {show(evaluation.report.map50)}"
    precision50 = evaluation.coco_scores.precision50
    plot_curves(recalls, precision50, names, folder / "PR_curve.png", ("recall", "precision"), pr_mark)
    plot_curves(CONFIDENCES, curves.precision, names, folder / "P_curve.png", ("confidence", "precision"), None)
    plot_curves(CONFIDENCES, curves.recall, names, folder / "R_curve.png", ("confidence", "recall"), None)
    plot_curves(CONFIDENCES, curves.f1(), names, folder / "F1_curve.png", ("confidence", "F1"), "max")
    plot_confusion(evaluation.confusion, names, folder / "confusion_matrix.png")


def plot_curves(
    x: np.ndarray, ys: np.ndarray, names: Sequence[str], path: Path, labels: tuple[str, str], mark: str | None
) -> Path:
    """PR_curve.png, P_curve.png, R_curve.png, F1_curve.png: a curve per class and their mean.

    `x` (n,) and `ys` (K, n) in 0..1, a class that is not defined all NaN; `labels` of the two axes. `mark` is
    added to the mean's legend entry (`AP50 0.712`); the word `max` marks and names its highest point instead.
    """
    figure = new_figure(9, 6)
    axes = figure.subplots()
    defined = np.flatnonzero(np.isfinite(ys).any(1))
    dress(axes, f"{labels[1]} over {labels[0]}{'' if len(defined) else ': no class has a curve'}", *labels)
    axes.set(xlim=(-0.005, 1.005), ylim=(-0.01, 1.02))
    for k in defined.tolist():
        look: Any = {"color": "#8296a8", "linewidth": 0.6, "alpha": 0.4}
        if len(ys) <= _NAMED:
            look = {"color": np.divide(class_colour(k), 255), "label": short_name(names, k, 28)}
        axes.plot(x, ys[k], **look)
    if not len(defined):
        return save_figure(figure, path)
    mean = np.nan_to_num(ys[defined]).mean(0)
    if mark == "max":
        top = int(mean.argmax())
        mark = f"{mean[top]:.3f} at {x[top]:.3f}"
        axes.plot(x[top], mean[top], "o", color=MARK, markersize=7, zorder=4)
    axes.plot(x, mean, color=INK, linewidth=2.6, label=f"mean {mark or ''}".strip())
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False, fontsize=9)
    return save_figure(figure, path)


def plot_confusion(matrix: np.ndarray, names: Sequence[str], path: Path) -> Path:
    """confusion_matrix.png: `matrix` (K + 1, K + 1) counts, rows predicted, columns truth, background last.

    Colour is the share of the column (where did the truth go); counts are written for up to 20 classes.
    """
    share = matrix / np.maximum(matrix.sum(0, keepdims=True), 1)
    classes, side = len(matrix) - 1, min(max(5.5, 3.5 + 0.42 * len(matrix)), 14)
    figure = new_figure(side + 1, side)
    axes = figure.subplots()
    colour_bar(axes, axes.imshow(share, vmax=1, **SHADES))
    dress(axes, "confusion matrix, coloured by share of the column", "truth", "prediction", grid="")
    # as many names as there is room for, and the background always
    step = math.ceil(len(matrix) / 50)
    ticks = [*range(0, classes - step + 1, step), classes]
    words = [short_name(names, k, 22) if k < classes else "background" for k in ticks]
    axes.set_xticks(ticks, words, rotation=90 if classes > 8 else 30, ha="center" if classes > 8 else "right")
    axes.set_yticks(ticks, words)
    for row, column in np.argwhere(matrix) if classes <= _NAMED else ():
        ink, text = "white" if share[row, column] > 0.55 else INK, f"{matrix[row, column]:,.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
    return save_figure(figure, path)
