"""The pictures of a run folder: labels, results, batches, curves, confusion. Plain arrays in, one file out.

Only matplotlib's object API is used (no pyplot): nothing is global, so it works headless and in threads. A file
appears under its name when it is complete.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from PIL import Image

from utils import draw
from utils.text import counted

_INK, _FAINT, _MARK, _LINES = "#27313b", "#dde2e7", "#b3203a", ("#1f77b4", "#e8742c", "#2a9d6f")
_DASH: Any = {"color": _INK, "linewidth": 0.9, "linestyle": (0, (4, 3))}
_JPEG: Any = {"quality": 92, "subsampling": 0}  # subsampled colour would blur lines of one pixel
_MANY, _ENDS = (
    40,
    12,
)  # more classes than 40 are not named one by one, but the 12 most and the 12 least frequent
_NAMED = 20  # up to so many classes have a legend entry, or counts in their cells
_PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((f"{part} loss", (f"train/{part}_loss", f"val/{part}_loss")) for part in ("box", "obj", "cls")),
    ("precision and recall", ("metrics/precision", "metrics/recall")),
    ("average precision", ("metrics/mAP_0.5", "metrics/mAP_0.5:0.95")),
    ("learning rate", ("x/lr0", "x/lr1", "x/lr2")),
)


def plot_labels(
    boxes: np.ndarray,
    labels: np.ndarray,
    sizes: np.ndarray,
    names: Sequence[str],
    path: Path,
    pictures: tuple[int, int] | None = None,
) -> Path:
    """labels.jpg: instances per class, where the boxes lie, how large they are.

    `boxes` (N, 4) xyxy fractions, `labels` (N,), `sizes` (N, 2) height and width px of each box's picture,
    `pictures` how many show defects and how many none.
    """
    counts = np.bincount(np.asarray(labels, np.int64), minlength=len(names))
    pixels = ((boxes[:, 2:] - boxes[:, :2]) * sizes[:, ::-1]).clip(min=0.5)  # log axes have no zero
    figure = _figure(15, 9.5)
    layout = [["tail", "centres", "scatter"], ["bars", "sides", "sides"]]
    if len(names) <= _MANY:
        layout[0][0] = "bars"
    if len(names) <= 12:
        layout = [["bars", "centres"], ["scatter", "sides"]]
    axes = figure.subplot_mosaic(layout)
    if "tail" in axes:
        _long_tail(axes["tail"], counts)
    _class_bars(axes["bars"], counts, names)
    _centres(axes["centres"], (boxes[:, :2] + boxes[:, 2:]) / 2)
    _sizes(axes["scatter"], pixels)
    _sides(axes["sides"], np.sqrt(pixels.prod(1)))
    words = [counted(len(boxes), "box"), counted(len(names), "class")]
    if empty := int((counts == 0).sum()):
        words.append(f"{empty:,} of them without a box")
    if pictures is not None:
        words.insert(
            0, f"{counted(sum(pictures), 'picture')} ({pictures[0]:,} with defects, {pictures[1]:,} without)"
        )
    return _save(figure, path, ", ".join(words))


def plot_results(csv_path: Path, path: Path) -> Path:
    """results.png: the columns of results.csv over the epochs; the best 0.1 AP50 + 0.9 AP is marked.

    Blank cells are gaps; columns it does not know are left out.
    """
    with csv_path.open(newline="", encoding="utf-8") as file:
        rows = [
            {str(k).strip(): str(v or "").strip() for k, v in row.items()} for row in csv.DictReader(file)
        ]
    blank = np.full(len(rows), np.nan)
    columns = {key: np.array([float(row[key] or "nan") for row in rows]) for key in (rows[0] if rows else {})}
    epochs = columns.get("epoch", blank)
    ap50, ap = columns.get("metrics/mAP_0.5", blank), columns.get("metrics/mAP_0.5:0.95", blank)
    fitness = 0.1 * ap50 + 0.9 * ap
    best = int(np.nanargmax(fitness)) if np.isfinite(fitness).any() else None
    figure = _figure(15, 8.5)
    for axes, (title, keys) in zip(figure.subplots(2, 3).flat, _PANELS, strict=True):
        _dress(axes, title, "epoch", "")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        _lines(
            axes, epochs, {key: columns[key] for key in keys if np.isfinite(columns.get(key, blank)).any()}
        )
        if best is not None:
            axes.axvline(epochs[best], **{**_DASH, "color": _MARK}, zorder=1)
    title = counted(len(rows), "epoch")
    if best is not None:
        figure.axes[4].plot(
            epochs[[best] * 2], (ap50[best], ap[best]), "o", color=_MARK, markersize=6, zorder=4
        )
        title += f"; the best is {epochs[best]:g}: AP {ap[best]:.3f}, AP50 {ap50[best]:.3f}"
        title += f", 0.1 AP50 + 0.9 AP {fitness[best]:.3f}"
    return _save(figure, path, title)


def plot_batch(
    images: np.ndarray, marks: Sequence[draw.Marks], titles: Sequence[str], names: Sequence[str], path: Path
) -> Path:
    """train_batch0.jpg, val_batch0_labels.jpg, val_batch0_pred.jpg: the first 16 pictures with their boxes.

    `images` (B, H, W, 3) uint8 RGB, with one of `marks` and one of `titles` (file names) each. Boxes are drawn
    after the resize to the cell: lines and captions are readable however small the pictures are.
    """
    count, (height, width) = min(len(images), 16), images.shape[1:3]
    columns = np.arange(1, count + 1)
    # a sheet of about 1920 px with the largest pictures, none enlarged beyond 640 px or the double
    room = np.minimum((1920 / columns - 10) / width, (1920 / np.ceil(count / columns) - 36) / height)
    best = int(np.minimum(room, max(640 / max(height, width), 2)).argmax())
    h, w = (
        max(round(side * min(room[best], max(640 / max(height, width), 2))), 1) for side in (height, width)
    )
    factor, style, pictures = np.array([w / width, h / height] * 2), draw.BoxStyle(), []
    for image, mark in zip(images[:count], marks[:count], strict=True):
        scores = [None] * len(mark.labels) if mark.scores is None else mark.scores
        captions = [
            draw.box_caption(_name(names, k), s, style) for k, s in zip(mark.labels, scores, strict=True)
        ]
        colours = [draw.class_colour(int(k)) for k in mark.labels]
        pictures.append(
            draw.draw_boxes(draw.fitted(image, h, w), mark.boxes * factor, captions, colours, style)
        )
    sheet = Image.fromarray(draw.picture_grid(pictures, titles[:count], best + 1, max(h, w)))
    return _complete(path, lambda file: sheet.save(file, **(_JPEG if path.suffix == ".jpg" else {})))


def plot_curves(
    x: np.ndarray,
    ys: np.ndarray,
    names: Sequence[str],
    path: Path,
    labels: tuple[str, str],
    mark: str | None,
) -> Path:
    """PR_curve.png, P_curve.png, R_curve.png, F1_curve.png: a curve per class and their mean.

    `x` (n,) and `ys` (K, n) in 0..1, NaN where undefined; `labels` of the two axes. `mark` is added to the mean's
    legend entry (`AP50 0.712`); the word `max` marks the mean's highest point and adds its place instead.
    """
    figure = _figure(9, 6)
    axes = figure.subplots()
    _dress(axes, f"{labels[1]} over {labels[0]}", *labels)
    axes.set(xlim=(-0.005, 1.005), ylim=(-0.01, 1.02))
    defined = np.flatnonzero(np.isfinite(ys).any(1))
    for k in defined:
        look: Any = {"color": "#8296a8", "linewidth": 0.6, "alpha": 0.4}
        if len(ys) <= _NAMED:
            look = {"color": _rgb(k), "linewidth": 1.3, "label": _name(names, k, 28)}
        axes.plot(x, ys[k], **look)
    if not len(defined):
        _note(axes, "no class has a curve")
        return _save(figure, path)
    mean = np.nan_to_num(ys[defined]).mean(0)
    if mark == "max":
        top = int(mean.argmax())
        mark = f"{mean[top]:.3f} at {x[top]:.3f}"
        axes.plot(x[top], mean[top], "o", color=_MARK, markersize=7, zorder=4)
    axes.plot(x, mean, color=_INK, linewidth=2.6, label=f"mean {mark or ''}".strip())
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False, fontsize=9)
    return _save(figure, path)


def plot_confusion(matrix: np.ndarray, names: Sequence[str], path: Path) -> Path:
    """confusion_matrix.png: `matrix` (K + 1, K + 1) counts, rows predicted, columns truth, background last.

    Colour is the share of the column (where did the truth go); counts are written for up to 20 classes.
    """
    total = matrix.sum(0, keepdims=True)
    share = np.where(total > 0, matrix / np.maximum(total, 1), 0.0)
    classes, side = len(matrix) - 1, min(max(5.5, 3.5 + 0.42 * len(matrix)), 14)
    figure = _figure(side + 1, side)
    axes = figure.subplots()
    shown = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    _dress(axes, "confusion; colour: share of the truth's column", "truth", "prediction", grid="")
    # as many names as there is room for, and the background always
    step = math.ceil(len(matrix) / 50)
    ticks = [*range(0, classes - step + 1, step), classes]
    words = [_name(names, k, 22) if k < classes else "background" for k in ticks]
    axes.set_xticks(ticks, words, rotation=90 if classes > 8 else 30, ha="center" if classes > 8 else "right")
    axes.set_yticks(ticks, words)
    for row, column in np.argwhere(matrix) if classes <= _NAMED else ():
        ink, text = "white" if share[row, column] > 0.55 else _INK, f"{matrix[row, column]:,.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
    _colour_bar(figure, axes, shown)
    return _save(figure, path)


def _class_bars(axes: Axes, counts: np.ndarray, names: Sequence[str]) -> None:
    """A bar per class in the order of the names; of many classes only the two ends of the ranking."""
    many = len(counts) > _MANY
    ranked = np.argsort(-counts, kind="stable")
    rows = np.concatenate((ranked[:_ENDS], ranked[-_ENDS:])) if many else np.arange(len(counts))
    places = np.arange(len(rows)) + (many & (np.arange(len(rows)) >= _ENDS))
    bars = axes.barh(places, counts[rows], color=[_rgb(k) for k in rows], height=0.72)
    axes.bar_label(bars, [f"{n:,}" for n in counts[rows]], padding=3, fontsize=8, color=_INK)
    _dress(axes, "most and least frequent classes" if many else "boxes per class", "boxes", "", grid="x")
    axes.set_yticks(places, [_name(names, k, 24) for k in rows])
    if many:
        axes.text(0, _ENDS, f"  {len(counts) - 2 * _ENDS:,} more", va="center", fontsize=8, color=_INK)
    axes.set(xlim=(0, max(counts.max(initial=0), 1) * 1.15), ylim=(places.max(initial=0) + 0.6, -0.6))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _long_tail(axes: Axes, counts: np.ndarray) -> None:
    _dress(axes, "boxes per class, sorted", "rank of the class", "boxes")
    axes.fill_between(
        np.arange(len(counts)) + 1, np.sort(counts)[::-1].clip(min=0.8), 0.8, step="mid", color=_LINES[0]
    )
    axes.set(yscale="log", xlim=(0.5, len(counts) + 0.5), ylim=(0.8, max(counts.max(), 1) * 1.6))
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _centres(axes: Axes, centres: np.ndarray) -> None:
    heat = np.histogram2d(centres[:, 1], centres[:, 0], bins=40, range=((0, 1), (0, 1)))[0]
    shown = axes.imshow(heat, extent=(0, 1, 1, 0), cmap="Blues", aspect="auto", interpolation="nearest")
    _dress(axes, "box centres", "x / picture width", "y / picture height", grid="")
    _colour_bar(axes.get_figure(), axes, shown)


def _sizes(axes: Axes, pixels: np.ndarray) -> None:
    """Scatter of (N, 2) widths and heights in px; the squares of 8, 16, 32 and 96 px are outlined."""
    _dress(axes, "box width and height", "width, px", "height, px")
    some = pixels[:: max(1, len(pixels) // 20000)]
    axes.scatter(some[:, 0], some[:, 1], s=7, color=_LINES[0], alpha=0.35, linewidths=0)
    low, high = min(pixels.min(initial=4), 4) * 0.8, max(pixels.max(initial=128), 128) * 1.25
    for side in (8, 16, 32, 96):
        axes.plot((low, side, side), (side, side, low), **_DASH)
        axes.text(side, side, f" {side} px", fontsize=8, va="bottom", color=_INK)
    _log_pixels(axes, low, high, "xy")


def _sides(axes: Axes, sides: np.ndarray) -> None:
    """Histogram of (N,) square roots of box areas in px, with COCO's limits and the share of each class of size."""
    low, high = min(sides.min(initial=4), 4) * 0.9, max(sides.max(initial=256), 256) * 1.1
    _dress(axes, "box side: square root of the area", "px", "boxes")
    axes.hist(sides, np.geomspace(low, high, 49), color=_LINES[0], alpha=0.85)
    _log_pixels(axes, low, high, "x")
    axes.set_ylim(0, max(axes.get_ylim()[1], 1) * 1.15)
    for name, start, end in (("small", low, 32.0), ("medium", 32.0, 96.0), ("large", 96.0, high)):
        share = np.mean((sides >= start) & (sides < end)) if len(sides) else 0
        text, across = f"{name}\n{share:.0%}", axes.get_xaxis_transform()
        axes.text(
            math.sqrt(start * end),
            0.97,
            text,
            transform=across,
            ha="center",
            va="top",
            fontsize=9,
            color=_INK,
        )
        axes.axvline(start, **_DASH, visible=start > low)


def _lines(axes: Axes, epochs: np.ndarray, series: dict[str, np.ndarray]) -> None:
    # dashes, because the learning rates of several groups often lie on each other
    for (key, values), colour, dash in zip(series.items(), _LINES, ("-", "--", ":"), strict=False):
        label = (
            key.split("/")[0 if "loss" in key else 1].replace("mAP_0.5:0.95", "AP").replace("mAP_0.5", "AP50")
        )
        marker = "o" if len(epochs) <= 30 else ""
        axes.plot(epochs, values, dash, color=colour, marker=marker, markersize=3, linewidth=1.6, label=label)
    if series:
        axes.legend(loc="best", fontsize=9, framealpha=0.8, edgecolor=_FAINT)
    else:
        _note(axes, "no values")


def _figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, at 100 pixels each."""
    figure = Figure((width, height), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _dress(axes: Axes, title: str, x: str, y: str, grid: str = "xy") -> None:
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=_INK)
    axes.set_xlabel(x, fontsize=9, color=_INK)
    axes.set_ylabel(y, fontsize=9, color=_INK)
    axes.tick_params(labelsize=8, colors=_INK, length=3)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(_FAINT)
    for name in grid:
        axes.grid(True, axis=name, color=_FAINT, linewidth=0.7)  # type: ignore[arg-type]


def _log_pixels(axes: Axes, low: float, high: float, which: str) -> None:
    """Axes in powers of two, written as plain numbers."""
    for name in which:
        axes.set(**{f"{name}scale": "log", f"{name}lim": (low, high)})
        axis = axes.xaxis if name == "x" else axes.yaxis
        ticks = 2.0 ** np.arange(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_ticks([], minor=True)


def _colour_bar(figure: Any, axes: Axes, shown: Any) -> None:
    bar = figure.colorbar(shown, ax=axes, fraction=0.04, pad=0.02)
    bar.ax.tick_params(labelsize=8, colors=_INK, length=3)
    bar.outline.set_visible(False)


def _note(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=10, color=_INK)


def _rgb(label: int) -> tuple[float, ...]:
    return tuple(value / 255 for value in draw.class_colour(int(label)))


def _name(names: Sequence[str], label: int, length: int = 255) -> str:
    name = draw.displayable(names[label]) if label < len(names) else str(label)
    return name if len(name) <= length else f"{name[: length - 7]}…{name[-6:]}"


def _save(figure: Figure, path: Path, title: str = "") -> Path:
    """Write the figure. No text is read as mathematics; what DejaVu Sans lacks is set in a font that has it."""
    figure.suptitle(title, fontsize=12, color=_INK)
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        if file := draw.special_font(text.get_text()):
            text.set_fontproperties(FontProperties(fname=file, size=text.get_fontsize()))
    return _complete(
        path, lambda file: figure.savefig(file, pil_kwargs=_JPEG if path.suffix == ".jpg" else {})
    )


def _complete(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill the file under a temporary name, so that nobody sees half a picture."""
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
