"""Which predictions answer for which targets."""

from __future__ import annotations

import torch
from torch import Tensor

from utils.values.batch import Targets
from utils.values.boxes import xyxy_to_cxcywh
from utils.values.predictions import Assignment, Predictions

# Own cell, then the left, top, right and bottom neighbour, as shifts of the centre in cells.
NEIGHBOURS = ((0.0, 0.0), (-0.5, 0.0), (0.0, -0.5), (0.5, 0.0), (0.0, 0.5))


def assign_by_anchor_ratio(predictions: Predictions, targets: Targets, threshold: float = 4.0) -> Assignment:
    """YOLOv5's assignment: a target takes every anchor whose sides are within `threshold` times its own.

    Each match counts in the target's own cell and in up to two neighbours on the nearer sides of its centre. A
    prediction may be given to several targets; the list is ordered level, neighbour, anchor, target.
    """
    assert predictions.anchors is not None, "anchor-ratio assignment needs an anchor head"
    box = xyxy_to_cxcywh(targets.boxes)
    parts, start = [], 0
    for size, grid in zip(predictions.level_sizes, predictions.grids, strict=True):
        per_cell = size // (grid[0] * grid[1])
        anchors, stride = predictions.anchors[start : start + per_cell], predictions.strides[start]
        fits = _ratio_fits(box[:, 2:], anchors, threshold)  # (anchors, T)
        cells, inside = _cells(box[:, :2] / stride, grid)  # (5, T, 2), (5, T)
        neighbour, anchor, target = (inside[:, None] & fits).nonzero(as_tuple=True)
        cell = cells[neighbour, target]
        prediction = start + (cell[:, 1] * grid[1] + cell[:, 0]) * per_cell + anchor
        parts.append((targets.image_index[target], prediction, target))
        start += size
    image, prediction, target = (torch.cat(column) for column in zip(*parts, strict=True))
    return Assignment(image, prediction, target)


def _ratio_fits(sizes: Tensor, anchors: Tensor, threshold: float) -> Tensor:
    """(T, 2) and (N, 2) px -> (N, T) bool."""
    ratio = sizes / anchors[:, None]
    return torch.maximum(ratio, 1 / ratio).amax(-1) < threshold


def _cells(centre: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(T, 2) centres in cells -> the (5, T, 2) int64 column, row of each neighbour and which (5, T) of them count.

    A neighbour counts when the centre lies in the half of its cell next to it and more than one cell from that border.
    """
    limit = centre.new_tensor([grid[1], grid[0]])
    low = (centre % 1 < 0.5) & (centre > 1)
    from_end = limit - centre
    high = (from_end % 1 < 0.5) & (from_end > 1)
    always = torch.ones_like(low[:, 0])
    counts = torch.stack((always, low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
    cells = (centre + centre.new_tensor(NEIGHBOURS)[:, None]).floor().long()
    return torch.minimum(cells.clamp(min=0), (limit - 1).long()), counts
