"""Where visual prompts go: points and boxes from an energy map, without gradient (spec: RTVPNet 2.6)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad, unfold

from models.sam.prompt_encoder import NEGATIVE, NOT_A_POINT, POSITIVE, box_corners

POSITIVES, NEGATIVES, BOXES = 16, 4, 8
WINDOW = 9  # cells: what a box is measured in
SMALLEST, LARGEST = 0.5, 4.5  # half a box's side in cells: of one cell, and of the whole window


@dataclass(frozen=True, eq=False)
class PromptPoints:
    """36 tokens a picture: positive points by energy, negative points, then two corners of each box.

    `points` and `centres` (B, 36, 2) x, y in px of the network input, a corner's centre being its box's; `labels`
    (B, 36) int64 as in models.sam.prompt_encoder, NOT_A_POINT where there is none.
    """

    points: Tensor
    centres: Tensor
    labels: Tensor


@torch.no_grad()
def prompt_points(energy: Tensor, stride: int) -> PromptPoints:
    """Mean energies (B, h, w), low where a prompt is wanted, in cells of `stride` px.

    Positive: the lowest of the 3x3 minima. Negative: the highest cells. Boxes: around the first positive points.
    """
    columns = energy.shape[2]
    flat = energy.flatten(1)
    # infinite where there is no minimum: `_lowest` then reports that the prompt does not exist
    positive, found = _lowest(flat.masked_fill(~minima(energy).flatten(1), math.inf), POSITIVES)
    negative, below = _lowest(-flat, NEGATIVES)
    boxes = window_boxes(energy, positive[:, :BOXES]) * stride
    corners, corner_labels = box_corners(boxes)
    centres = ((boxes[..., :2] + boxes[..., 2:]) / 2).repeat_interleave(2, 1)
    cells = torch.cat((positive, negative), 1)
    # 0.5: the cell's centre, not its corner
    points = (torch.stack((cells % columns, cells // columns), -1) + 0.5) * stride
    labels = torch.tensor([POSITIVE] * POSITIVES + [NEGATIVE] * NEGATIVES, device=flat.device).expand(len(flat), -1)
    # a box exists with its positive point, and both its corners with the box
    exists = torch.cat((found, below, found[:, :BOXES].repeat_interleave(2, 1)), 1)
    labels = torch.cat((labels, corner_labels), 1).masked_fill(~exists, NOT_A_POINT)
    return PromptPoints(torch.cat((points, corners), 1), torch.cat((points, centres), 1), labels)


def minima(energy: Tensor) -> Tensor:
    """(B, h, w) -> bool, same shape: the cell is the lowest of the 3x3 around it; of equal ones the first."""
    _, highest = max_pool2d(-energy[:, None], 3, stride=1, padding=1, return_indices=True)
    cells = torch.arange(energy[0].numel(), device=energy.device).view_as(energy[0])
    return highest[:, 0] == cells


def _lowest(flat: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(B, n) -> the `count` lowest cells, ascending (B, count), and whether each exists: finite, and not beyond n."""
    missing = max(count - flat.shape[1], 0)
    values, cells = pad(flat, (0, missing), value=math.inf).topk(count, largest=False)
    return cells.clamp(max=flat.shape[1] - 1), values.isfinite()  # the padding's cell numbers would lie outside


def window_boxes(energy: Tensor, cells: Tensor) -> Tensor:
    """Energies (B, h, w) and cell numbers (B, M) -> boxes (B, M, 4) xyxy in cells, inside the map.

    Centre and standard deviations of sigmoid(-E) in a 9x9 window around the cell; half a side is two deviations.
    """
    rows, columns = energy.shape[1:]
    windows = unfold((-energy[:, None]).sigmoid(), WINDOW, padding=WINDOW // 2)  # (B, 81, h w), 0 outside the map
    weights = windows.gather(2, cells[:, None].expand(-1, WINDOW**2, -1))
    weights = (weights / weights.sum(1, keepdim=True)).transpose(1, 2)  # (B, M, 81)
    steps = torch.arange(WINDOW, device=energy.device, dtype=weights.dtype) - WINDOW // 2
    offsets = torch.stack((steps.repeat(WINDOW), steps.repeat_interleave(WINDOW)), -1)  # (81, 2) x, y
    mean = weights @ offsets
    # The clamp: E[x^2] - E[x]^2 of a sharp peak can round to below 0.
    deviation = (weights @ offsets.square() - mean.square()).clamp(min=0).sqrt()
    centre = torch.stack((cells % columns, cells // columns), -1) + 0.5 + mean
    half = (2 * deviation).clamp(SMALLEST, LARGEST)
    limit = torch.tensor([columns, rows], device=energy.device, dtype=weights.dtype)
    corners = ((centre - half).clamp(min=0), torch.minimum(centre + half, limit))
    return torch.cat(corners, -1)
