"""P, R, F1 and PR curves: the numbers of report.json, and the charts of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from utils.report.charts import Axis, Line, line_chart
from utils.report.markup import Html, element, joined, number, why_not
from utils.scoring.evaluation import Evaluation
from utils.scoring.metrics import CONFIDENCES

KINDS = ("precision", "recall", "f1", "precision_over_recall")
NAMED = 8  # up to this many classes have a line each
NO_CURVES = "No class has a box to find: there are no curves."


def curves_json(evaluation: Evaluation) -> dict[str, Any]:
    """The curves at IoU 0.5 of every class with boxes to find, by its name, and their mean; about 100 points each, the
    confidence of the best mean F1 among them.
    """
    curves, names = evaluation.curves, evaluation.names
    best = curves.best()
    if best is None:
        return {"unavailable": NO_CURVES}
    steps = np.linspace(0, len(CONFIDENCES) - 1, 101).round().astype(int)
    at = np.union1d(steps, [best])
    # in the order of KINDS
    values = (curves.precision[:, at], curves.recall[:, at], curves.f1()[:, at], evaluation.coco_scores.precision50)
    defined = np.flatnonzero(~np.isnan(curves.recall[:, 0]))
    return {
        "confidence": _plain(CONFIDENCES[at]),
        "recall": _plain(np.linspace(0, 1, 101)),
        "mean": {kind: _plain(ys[defined].mean(0)) for kind, ys in zip(KINDS, values, strict=True)},
        "classes": {
            names[k]: {kind: _plain(ys[k]) for kind, ys in zip(KINDS, values, strict=True)}
            for k in sorted(defined.tolist(), key=lambda k: names[k])
        },
    }


def _plain(values: np.ndarray) -> list[float]:
    rounded: list[float] = np.round(values, 5).tolist()
    return rounded


def curves(values: Mapping[str, Any], results: Mapping[str, Any]) -> Html:
    """The four charts: a line per class and their mean; of many classes the mean and the quarters."""
    if "unavailable" in values:
        return why_not(values["unavailable"])
    classes = values["classes"]
    confidence, share = Axis("confidence", 0, 1), Axis("recall", 0, 1)
    mean = f"mean, AP50 {number(results['coco']['AP50'])}"
    best = max(zip(values["mean"]["f1"], values["confidence"], strict=True), key=lambda pair: pair[0])
    charts = [
        _chart("Precision over recall", values, ("precision_over_recall", "recall"), share, mean),
        _chart("F1", values, ("f1", "confidence"), confidence, f"mean, best {best[0]:.3f} at {best[1]:.3f}"),
        _chart("Precision", values, ("precision", "confidence"), confidence, "mean"),
        _chart("Recall", values, ("recall", "confidence"), confidence, "mean"),
    ]
    words = "A hit: the right class and IoU of at least 0.5. The mean is over classes with boxes to find."
    if len(classes) > NAMED:
        words += (
            f" There are {len(classes)}, too many for a line each: between the two thin lines lies the middle half of "
            "them, class by class they are in report.json."
        )
    return joined([element("p", words, class_="soft"), element("div", *charts, class_="charts")])


def _chart(title: str, values: Mapping[str, Any], keys: tuple[str, str], x: Axis, mean: str) -> Html:
    kind, over = keys
    xs = values[over]
    rows = {name: one[kind] for name, one in values["classes"].items()}
    if len(rows) > NAMED:
        low, high = np.quantile(np.array(list(rows.values())), (0.25, 0.75), axis=0).tolist()
        rows = {"a quarter of the classes lies above": high, "a quarter of the classes lies below": low}
    lines = [Line(name, list(zip(xs, ys, strict=True))) for name, ys in rows.items()]
    lines.append(Line(mean, list(zip(xs, values["mean"][kind], strict=True)), strong=True))
    # the axis of "precision_over_recall" is called "precision"
    return line_chart(title, lines, x, Axis(kind.split("_")[0].replace("f1", "F1"), 0, 1))
