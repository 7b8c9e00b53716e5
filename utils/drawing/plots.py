"""The pictures of a run folder beside those of its scores: labels, results, batches, planes, times. Plain arrays in,
one file out.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from utils.drawing.box_drawing import BoxStyle, Marks, draw_marks
from utils.drawing.colours import class_colour
from utils.drawing.contact_sheet import fitted, picture_grid
from utils.drawing.figure_style import (
    DASH,
    FAINT,
    INK,
    LINES,
    MARK,
    QUALITY,
    SHADES,
    colour_bar,
    dress,
    new_figure,
    save_figure,
    short_name,
    whole_numbers,
)
from utils.drawing.fonts import displayable
from utils.files.output_files import Extra, new_file
from utils.words.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CYCLIC = "hsv"  # 0 and 180 degrees are one direction, and one colour
SURE = 0.1  # degree of polarization from which an angle is shown in full colour
_MANY, _ENDS = 40, 12  # of more than 40 classes only the 12 most and the 12 least frequent are named
_PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("box loss", ("train/box_loss", "val/box_loss")),
    # a head has one or the other
    ("obj or dfl loss", ("train/obj_loss", "val/obj_loss", "train/dfl_loss", "val/dfl_loss")),
    ("cls loss", ("train/cls_loss", "val/cls_loss")),
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
    layout: Any = [["bars", "centres"], ["scatter", "sides"]]
    if len(counts) > 12:
        top = "tail" if len(counts) > _MANY else "bars"
        layout = [[top, "centres", "scatter"], ["bars", "sides", "sides"]]
    figure = new_figure(15, 9.5)
    axes: dict[str, Axes] = figure.subplot_mosaic(layout)
    if "tail" in axes:
        _long_tail(axes["tail"], counts)
    _class_bars(axes["bars"], counts, names)
    y, x = boxes[:, 1::2].mean(1), boxes[:, ::2].mean(1)
    heat = np.histogram2d(y, x, bins=40, range=((0, 1), (0, 1)))[0]
    # the extent turns the y axis downwards, as in pictures
    place: Any = {"extent": (0, 1, 1, 0), "aspect": "auto", "vmax": max(heat.max(), 1)}
    colour_bar(axes["centres"], axes["centres"].imshow(heat, **place, **SHADES))
    dress(axes["centres"], "box centres", "x / picture width", "y / picture height", grid="")
    _sizes(axes["scatter"], pixels)
    _sides(axes["sides"], np.sqrt(pixels.prod(1)))
    words = [counted(len(boxes), "box"), counted(len(counts), "class")]
    if empty := int((counts == 0).sum()):
        words.append(f"{empty:,} of them without a box")
    if pictures is not None:
        bad, good = pictures
        words.insert(0, f"{counted(bad + good, 'picture')} ({bad:,} with defects, {good:,} without)")
    return save_figure(figure, path, ", ".join(words))


def plot_results(csv_path: Path, path: Path) -> Path:
    """results.png: results.csv over the epochs, blank cells as gaps; the best 0.1 AP50 + 0.9 AP is marked."""
    with csv_path.open(newline="", encoding="utf-8") as file:
        rows = [{str(k).strip(): v for k, v in row.items()} for row in csv.DictReader(file, restval="")]
    blank = np.full(len(rows), np.nan)
    wanted = {"epoch", *(key for _, keys in _PANELS for key in keys)}.intersection(*rows[:1])
    columns = {key: np.array([float(row[key].strip() or "nan") for row in rows]) for key in wanted}
    epochs = columns.get("epoch", blank) + 1  # the console counts from 1, the file (as YOLOv5's) from 0
    ap50, ap = columns.get("metrics/mAP_0.5", blank), columns.get("metrics/mAP_0.5:0.95", blank)
    fitness = 0.1 * ap50 + 0.9 * ap
    best = int(np.nanargmax(fitness)) if np.isfinite(fitness).any() else None
    figure, title = new_figure(15, 8.5), f"epochs recorded: {len(rows)}"
    for axes, (name, keys) in zip(figure.subplots(2, 3).flat, _PANELS, strict=True):
        series = {k: columns[k] for k in keys if np.isfinite(columns.get(k, blank)).any()}
        dress(axes, name if series else f"{name}: no values", "epoch", "")
        _lines(axes, epochs, series)
        if best is not None and series:
            axes.axvline(epochs[best], color=MARK, **DASH)
    if best is not None:
        # the panel of average precision, by its place in _PANELS
        figure.axes[4].plot(epochs[[best] * 2], (ap50[best], ap[best]), "o", color=MARK, fillstyle="none")
        title += f"; best epoch {epochs[best]:g}: AP {ap[best]:.3f}, AP50 {ap50[best]:.3f}"
        title += f", 0.1 AP50 + 0.9 AP = {fitness[best]:.3f}"
    return save_figure(figure, path, title)


def plot_batch(
    images: np.ndarray, marks: Sequence[Marks], titles: Sequence[str], names: Sequence[str], path: Path
) -> Path:
    """train_batch0.jpg, val_batch0_labels.jpg, val_batch0_pred.jpg: the first 16 pictures with their boxes.

    `images` (B, H, W, 3) uint8 RGB, with one of `marks` and one of `titles` (file names) each. Boxes are
    drawn after the resize to the cell: lines and captions are readable however small the pictures are.
    """
    count, (height, width) = min(len(images), 16), images.shape[1:3]
    # the columns that show the pictures largest on a sheet of 1920 px; none beyond 640 px or twice its size
    columns = np.arange(1, count + 1)
    room = np.minimum((1912 / columns - 8) / width, (1912 / np.ceil(count / columns) - 36) / height)
    room = room.clip(max=max(640 / max(height, width), 2))
    h, w = max(round(height * room.max()), 1), max(round(width * room.max()), 1)
    factor, pictures = np.array([w / width, h / height] * 2), []
    for image, mark in zip(images[:count], marks[:count], strict=True):
        scaled = replace(mark, boxes=mark.boxes * factor)
        pictures.append(draw_marks(fitted(image, h, w), scaled, names, BoxStyle()))
    sheet = picture_grid(pictures, titles[:count], int(room.argmax()) + 1, max(h, w))
    with Extra(path), new_file(path) as file:
        Image.fromarray(sheet).save(file, "PNG" if path.suffix == ".png" else "JPEG", **QUALITY)
    return path


def plot_planes(rows: Sequence[tuple[str, np.ndarray, Mapping[str, np.ndarray]]], path: Path) -> Path:
    """One row per sample: its name, its picture (H, W, 3) uint8 RGB, and named planes (H, W) in 0..1; the plane `AoLP`
    in degrees 0..180, as dark as `DoLP` is small beside it; `DoLP` up to the largest of its picture.
    """
    columns = 1 + max(len(planes) for _, _, planes in rows)
    figure = new_figure(3.2 * columns, 3.2 * len(rows))
    for axes_row, (title, picture, planes) in zip(
        figure.subplots(len(rows), columns, squeeze=False), rows, strict=True
    ):
        for axes in axes_row:
            axes.set_axis_off()
        axes_row[0].imshow(picture)
        axes_row[0].set_title(displayable(title)[:40], fontsize=9, parse_math=False)
        for axes, (name, plane) in zip(axes_row[1:], planes.items(), strict=False):
            angle = name == "AoLP"
            top = 180 if angle else float(plane.max(initial=0)) if name == "DoLP" else 1
            known = (planes["DoLP"] / SURE).clip(0, 1) if angle and "DoLP" in planes else None
            axes.imshow(np.zeros((*plane.shape, 3)))  # black behind angles that are drawn transparent
            shown = axes.imshow(plane, cmap=CYCLIC if angle else "gray", vmin=0, vmax=max(top, 1e-6), alpha=known)
            axes.set_title(f"{name}, degrees" if angle else name, fontsize=9, parse_math=False)
            figure.colorbar(shown, ax=axes, shrink=0.8, ticks=[0, 45, 90, 135, 180] if angle else None)
    with Extra(path), new_file(path) as file:
        figure.savefig(file, format=path.suffix[1:])
    return path


def plot_times(milliseconds: Mapping[str, np.ndarray], path: Path, title: str) -> Path:
    """speed.png: a histogram of (N,) ms per step, with p50, p95 and p99."""
    figure = new_figure(4 * len(milliseconds), 3.2)
    for axes, (name, values) in zip(figure.subplots(1, len(milliseconds)).flat, milliseconds.items(), strict=True):
        p50, p95, p99 = np.percentile(values, (50, 95, 99))
        dress(axes, f"{name}: p50 {p50:.3g}, p95 {p95:.3g}, p99 {p99:.3g}", "ms per picture", "batches")
        axes.hist(values, 30, color=LINES[0], alpha=0.85)
        whole_numbers(axes.yaxis)
        for value in (p50, p95, p99):
            axes.axvline(value, color=MARK, **DASH)
    return save_figure(figure, path, title)


def _class_bars(axes: Axes, counts: np.ndarray, names: Sequence[str]) -> None:
    """A bar per class in the order of the names; of many classes only the two ends of the ranking."""
    rows, places = np.arange(len(counts)), np.arange(len(counts))
    title = "boxes per class"
    if len(counts) > _MANY:
        ranked, title = np.argsort(-counts, kind="stable"), "most and least frequent classes"
        # the place between the two ends stays free for the words "N more"
        rows, places = np.delete(ranked, slice(_ENDS, -_ENDS)), np.delete(np.arange(2 * _ENDS + 1), _ENDS)
        axes.text(0, _ENDS, f"  {len(counts) - len(rows):,} more", va="center", fontsize=8, color=INK)
    colours = [np.divide(class_colour(k), 255) for k in rows.tolist()]
    bars = axes.barh(places, counts[rows], color=colours, height=0.72)
    axes.bar_label(bars, [f"{n:,}" for n in counts[rows]], padding=3, fontsize=8, color=INK)
    dress(axes, title, "boxes", "", grid="x")
    axes.set_yticks(places, [short_name(names, k, 24) for k in rows])
    axes.set(xlim=(0, max(counts.max(initial=0), 1) * 1.15), ylim=(places.max(initial=0) + 0.6, -0.6))
    whole_numbers(axes.xaxis, 6)
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _long_tail(axes: Axes, counts: np.ndarray) -> None:
    dress(axes, "boxes per class, sorted", "rank of the class", "boxes")
    ranked = np.sort(counts)[::-1].clip(min=0.8)  # log axes have no zero; at 0.8 the area below has no height
    axes.fill_between(np.arange(len(counts)) + 1, ranked, 0.8, step="mid", color=LINES[0])
    axes.set(yscale="log", xlim=(0.5, len(counts) + 0.5), ylim=(0.8, max(counts.max(), 1) * 1.6))
    axes.yaxis.set(major_formatter="{x:,.0f}", minor_formatter="")


def _sizes(axes: Axes, pixels: np.ndarray) -> None:
    """Scatter of (N, 2) widths and heights in px; the squares of 8, 16, 32 and 96 px are outlined."""
    dress(axes, "box width and height", "width, px", "height, px")
    some = pixels[:: max(1, len(pixels) // 20000)]
    axes.scatter(some[:, 0], some[:, 1], s=7, color=LINES[0], alpha=0.35, linewidths=0, zorder=1)
    low, high = min(pixels.min(initial=4), 4) * 0.8, max(pixels.max(initial=128), 128) * 1.25
    for side in (8, 16, 32, 96):
        axes.plot((low, side, side), (side, side, low), color=INK, **DASH)
        plate: Any = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1}
        axes.text(side * 1.06, side * 1.06, f"{side} px", fontsize=8, va="bottom", color=INK, bbox=plate)
    _log_pixels(axes, low, high, "xy")


def _sides(axes: Axes, sides: np.ndarray) -> None:
    """Histogram of (N,) square roots of box areas in px, with COCO's limits and the shares between them."""
    low, high = min(sides.min(initial=4), 4) * 0.9, max(sides.max(initial=256), 256) * 1.1
    dress(axes, "box side: square root of the area", "px", "boxes")
    axes.hist(sides, list(np.geomspace(low, high, 49)), color=LINES[0], alpha=0.85)
    _log_pixels(axes, low, high, "x")
    axes.set_ylim(0, max(axes.get_ylim()[1], 1) * 1.15)
    whole_numbers(axes.yaxis)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    for name, start, end in (("small", low, 32.0), ("medium", 32.0, 96.0), ("large", 96.0, high)):
        share = np.mean((sides >= start) & (sides < end)) if len(sides) else 0
        place: Any = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "top"}
        # the geometric mean is the middle on a log axis
        axes.text(math.sqrt(start * end), 0.97, f"{name}\n{share:.0%}", fontsize=9, color=INK, **place)
        axes.axvline(start, color=INK, visible=start > low, **DASH)


def _lines(axes: Axes, epochs: np.ndarray, series: dict[str, np.ndarray]) -> None:
    whole_numbers(axes.xaxis, 8)
    # dashes, because the learning rates of several groups often lie on each other
    for (key, values), colour, dash in zip(series.items(), LINES, ("-", "--", ":"), strict=False):
        # losses differ in the part before the slash (train, val), the rest in the part after it
        label = key.split("/")["loss" not in key].replace("mAP_0.5:0.95", "AP").replace("mAP_0.5", "AP50")
        look: Any = {"marker": "o" if len(epochs) <= 30 else "", "markersize": 3, "linewidth": 1.6}
        axes.plot(epochs, values, linestyle=dash, color=colour, label=label, **look)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    if series:
        axes.legend(loc="best", fontsize=9, framealpha=0.8, edgecolor=FAINT)


def _log_pixels(axes: Axes, low: float, high: float, which: str) -> None:
    """Axes in powers of two, written as plain numbers."""
    ticks = 2.0 ** np.arange(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    ticks = ticks[:: math.ceil(len(ticks) / 9)]
    for axis in (axes.xaxis, axes.yaxis):
        if axis.axis_name in which:
            axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low, high)})
            axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.set_ticks([], minor=True)
