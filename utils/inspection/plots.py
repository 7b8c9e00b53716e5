"""The pictures of an inspection: FROC.png, recall_by_size.png, overkill_escape.png, calibration.png."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.deciding.froc import REPORTED
from utils.deciding.intervals import Rate
from utils.drawing.figure_style import DASH, INK, LINES, MARK, dress, new_figure, save_figure
from utils.inspection.calibration import Calibration
from utils.inspection.inspection import Inspection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DOTS: Any = {"fontsize": 8, "color": INK}


def plot_inspection(folder: Path, inspection: Inspection) -> None:
    """Write the four pictures; what is not measurable is said in the title."""
    plot_froc(inspection, folder / "FROC.png")
    plot_sizes(inspection, folder / "recall_by_size.png")
    plot_decisions(inspection, folder / "overkill_escape.png")
    plot_calibration(inspection, folder / "calibration.png")


def plot_froc(inspection: Inspection, path: Path) -> Path:
    """Recall over false alarms per picture, one threshold for all classes; the chosen thresholds as a star."""
    figure, curve, pooled = new_figure(9, 5.5), inspection.froc, inspection.point.pooled
    axes = figure.subplots()
    title = "recall over false alarms per picture" + ("" if curve.truth else ": no boxes to find")
    dress(axes, title, "false alarms per picture", "recall")
    rates, recall = curve.false_alarms / curve.pictures, curve.hits / max(curve.truth, 1)
    lowest = min(REPORTED[0], 0.5 / curve.pictures)
    axes.step(np.maximum(rates, lowest), recall, where="post", color=LINES[0], linewidth=2, label="one threshold")
    for at in REPORTED:
        found = curve.at(at).recall
        if found is not None:
            axes.plot(at, found.value, "o", color=INK, markersize=4)
            axes.annotate(f"{found.value:.3f}", (at, found.value), (0, 7), textcoords="offset points", **_DOTS)
    if pooled.recall is not None:
        at = max(pooled.false_per_picture, lowest)
        axes.plot(at, pooled.recall.value, "*", color=MARK, markersize=13, label="thresholds.yaml")
    axes.set(xscale="log", xlim=(lowest, min(max(2, rates.max(initial=0)), 10)), ylim=(-0.02, 1.05))
    axes.xaxis.set(major_formatter="{x:g}")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return save_figure(figure, path)


def plot_sizes(inspection: Inspection, path: Path) -> Path:
    """A bar of recall per size bin with its interval and its counts; pale where there are fewer than ten boxes."""
    figure, bins = new_figure(9, 5), inspection.sizes
    axes = figure.subplots()
    dress(axes, "recall by size: square root of the box area", f"size, {bins[0].unit}", "recall", grid="y")
    for place, one in enumerate(bins):
        if one.recall is None:
            continue
        axes.bar(place, one.recall.value, 0.7, color=LINES[0], alpha=0.35 if one.few else 0.85)
        _interval(axes, place, one.recall)
        axes.text(place, 1.03, f"{one.recall.events:,} of {one.recall.total:,}", ha="center", **_DOTS)
    words = [f"{b.low:g} and more" if b.high is None else f"{b.low:g} to {b.high:g}" for b in bins]
    axes.set_xticks(range(len(bins)), [f"{w}\n(few)" if b.few else w for w, b in zip(words, bins, strict=True)])
    axes.set(ylim=(0, 1.1), xlim=(-0.6, len(bins) - 0.4))
    return save_figure(figure, path)


def plot_decisions(inspection: Inspection, path: Path) -> Path:
    """Escape and overkill over the threshold that all classes share, and what both cost where a cost is given."""
    figure, curve, cost = new_figure(9, 5.5), inspection.curve, inspection.config.cost
    axes = figure.subplots()
    if curve is None:
        missing = "bad" if inspection.good else "good"
        dress(axes, f"escape and overkill: not measurable, there are no {missing} pictures", "threshold", "share")
        return save_figure(figure, path)
    dress(axes, "wrong decisions over the threshold that all classes share", "threshold", "share of the pictures")
    thresholds = np.append(np.minimum(curve.thresholds, 1.0), 0.0)
    for values, total, name, colour in (
        (curve.escapes, inspection.bad, "escape, of the bad pictures", MARK),
        (curve.overkills, inspection.good, "overkill, of the good pictures", LINES[0]),
    ):
        axes.step(thresholds, _to_zero(values) / total, where="pre", color=colour, linewidth=2, label=name)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.05))
    if cost is not None:
        _costs(axes, thresholds, _to_zero(curve.costs_per_picture(cost)), curve.cheapest(cost))
    axes.legend(loc="upper center", ncols=3, bbox_to_anchor=(0.5, -0.1), frameon=False, fontsize=9)
    return save_figure(figure, path)


def _to_zero(values: np.ndarray) -> np.ndarray:
    """Below the lowest score nothing changes."""
    return np.append(values, values[-1])


def _costs(axes: Axes, thresholds: np.ndarray, costs: np.ndarray, cheapest: int) -> None:
    right = axes.twinx()
    right.step(thresholds, costs, where="pre", color=LINES[2], linewidth=1.4, linestyle="--")
    right.set(ylim=(0, max(costs.max(), 1e-9) * 1.05))
    right.set_ylabel("cost per picture", fontsize=9, color=LINES[2])
    right.tick_params(labelsize=8, colors=LINES[2], length=3)
    right.spines[:].set_visible(False)
    axes.plot([], [], color=LINES[2], linewidth=1.4, linestyle="--", label="cost per picture")
    place = (float(thresholds[cheapest]), float(costs[cheapest]))
    right.plot(*place, "o", color=LINES[2], markersize=7)
    right.annotate(f"least: {place[1]:.3g} at {place[0]:.3f}", place, (8, 8), textcoords="offset points", **_DOTS)


def plot_calibration(inspection: Inspection, path: Path) -> Path:
    """Precision over the score, in ten bins with their intervals, and how many detections each holds."""
    figure, reliability = new_figure(9, 6), inspection.calibration
    top, bottom = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    error = "no detections" if reliability.ece is None else f"expected calibration error {reliability.ece:.3f}"
    dress(top, f"does the score mean what it says? {error}", "", "share that is right (IoU >= 0.5)")
    dress(bottom, "", "score", "detections")
    draw_reliability(top, bottom, reliability)
    return save_figure(figure, path)


def draw_reliability(top: Axes, bottom: Axes, reliability: Calibration) -> None:
    """The share that is right over the score, with its interval, and below it how many each bin holds."""
    top.plot((0, 1), (0, 1), color=INK, **DASH)
    counts = []
    for one in reliability.bins:
        counts.append(one.precision.total if one.precision else 0)
        if one.precision is not None and one.score is not None:
            top.plot(one.score, one.precision.value, "o", color=LINES[0])
            _interval(top, one.score, one.precision)
    centres = [(one.low + one.high) / 2 for one in reliability.bins]
    bottom.bar(centres, np.maximum(counts, 0.8), 0.9 / len(counts), color=LINES[0], alpha=0.85, bottom=0)
    bottom.set(yscale="log", ylim=(0.8, max(max(counts), 10) * 2), xlim=(0, 1))
    bottom.yaxis.set(major_formatter="{x:,.0f}", minor_formatter="")
    top.set(ylim=(-0.02, 1.05))


def _interval(axes: Axes, place: float, share: Rate) -> None:
    axes.plot((place, place), (share.low, share.high), color=INK, linewidth=1.2, solid_capstyle="butt")
