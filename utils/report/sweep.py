"""What one threshold for all classes does, worked out beforehand for the slider of the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from utils.inspection.decisions import decision_curve
from utils.inspection.froc import Froc
from utils.inspection.summary import Inspection

STEPS = np.round(np.linspace(0, 1, 201), 3)  # 0, 0.005, ... 1


def sweep_table(inspection: Inspection) -> dict[str, Any]:
    """Counts at each threshold: hits, false alarms, escapes, overkills; `start`: the row nearest to the best one."""
    curve, scores = inspection.froc, inspection.scores
    hits, alarms = scores.hits.max(1)[scores.bad], scores.alarms.max(1)[scores.good]
    decided = decision_curve(hits, alarms)
    rows, decisions = _rows(curve.thresholds), _rows(decided.thresholds)
    best = curve.at(inspection.config.false_per_picture).threshold
    return {
        "thresholds": STEPS.tolist(),
        "hits": curve.hits[rows].tolist(),
        "false_alarms": curve.false_alarms[rows].tolist(),
        "escapes": decided.escapes[decisions].tolist(),
        "overkills": decided.overkills[decisions].tolist(),
        "boxes": curve.truth,
        "pictures": curve.pictures,
        "bad": inspection.bad,
        "good": inspection.good,
        "start": int(np.abs(STEPS - min(best or 0.0, 1.0)).argmin()),
    }


def _rows(falling: np.ndarray) -> np.ndarray:
    """For each step the index of the lowest threshold that is not below it."""
    return np.searchsorted(-falling, -STEPS, "right") - 1


def froc_points(curve: Froc, most: int = 300) -> list[tuple[float, float]]:
    """(false alarms per picture, recall), thinned out evenly along the curve's length."""
    rows = np.unique(np.linspace(0, len(curve.hits) - 1, most).round().astype(int))
    recall = curve.hits[rows] / max(curve.truth, 1)
    return list(zip((curve.false_alarms[rows] / curve.pictures).tolist(), recall.tolist(), strict=True))
