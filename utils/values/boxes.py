"""Box arithmetic: formats, pairwise IoU, clipping, and how a letterbox fits.

Coordinates are continuous: a picture W wide spans 0..W, pixel i covers i..i+1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from utils.values.view import View


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """(..., 4) x1, y1, x2, y2 -> centre x, centre y, width, height."""
    top_left, bottom_right = boxes[..., :2], boxes[..., 2:]
    return torch.cat(((top_left + bottom_right) / 2, bottom_right - top_left), -1)


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height -> x1, y1, x2, y2."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((centre - half, centre + half), -1)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, 4) and (M, 4) xyxy -> (N, M) IoU; empty boxes overlap nothing."""
    size = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp_(min=0)
    intersection = size.prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return intersection / (area_a[:, None] + area_b - intersection).clamp_(min=1e-9)


def clip_boxes(boxes: np.ndarray, height: float, width: float) -> np.ndarray:
    """(N, 4) xyxy limited to a picture of that size."""
    return np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))


@dataclass(frozen=True)
class Letterbox:
    """How a picture was fitted into the network input: resized to `inner`, then padded at `left`, `top`.

    Sizes are (height, width) px. The two axes have their own scale because `inner` is whole pixels, so that the
    inverse is exact.
    """

    original: tuple[int, int]
    inner: tuple[int, int]
    canvas: tuple[int, int]
    top: int
    left: int

    @classmethod
    def fit(cls, original: tuple[int, int], canvas: tuple[int, int], enlarge: bool = True) -> Letterbox:
        """The largest centred fit of `original` into `canvas`; `enlarge=False` never scales up."""
        scale = min(canvas[0] / original[0], canvas[1] / original[1])
        if not enlarge:
            scale = min(scale, 1.0)
        height = min(max(round(original[0] * scale), 1), canvas[0])
        width = min(max(round(original[1] * scale), 1), canvas[1])
        top, left = (canvas[0] - height) // 2, (canvas[1] - width) // 2
        return cls(original, (height, width), canvas, top, left)

    def view(self, picture: int) -> View:
        """How the network input lies in the picture of that number."""
        scale = self.inner[1] / self.original[1], self.inner[0] / self.original[0]
        return View(picture, self.original, scale, (self.left, self.top))
