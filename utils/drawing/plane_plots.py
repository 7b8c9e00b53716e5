"""Pictures of the planes of a sample, the angle of polarization in colours that close in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from utils.drawing.fonts import displayable

CYCLIC = "hsv"  # 0 and 180 degrees are one direction, and one colour
SURE = 0.1  # degree of polarization from which an angle is shown in full colour


def plot_planes(rows: Sequence[tuple[str, np.ndarray, Mapping[str, np.ndarray]]], path: Path) -> Path:
    """One row per sample: its name, its picture (H, W, 3) uint8 RGB, and named planes (H, W) in 0..1; the plane `AoLP`
    in degrees 0..180, as dark as `DoLP` is small beside it; `DoLP` up to the largest of its picture.
    """
    columns = 1 + max(len(planes) for _, _, planes in rows)
    figure = Figure(figsize=(3.2 * columns, 3.2 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
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
            axes.imshow(np.zeros((*plane.shape, 3)))
            shown = axes.imshow(plane, cmap=CYCLIC if angle else "gray", vmin=0, vmax=max(top, 1e-6), alpha=known)
            axes.set_title(f"{name}, degrees" if angle else name, fontsize=9, parse_math=False)
            figure.colorbar(shown, ax=axes, shrink=0.8, ticks=[0, 45, 90, 135, 180] if angle else None)
    figure.savefig(path, dpi=100)
    return path
