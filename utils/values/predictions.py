"""What a head says before NMS, and which targets its predictions answer for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class BoxCode:
    """Boxes as a head says them, `values` (B, A, ...). This one says them in full: (B, A, 4) float32 xyxy px."""

    values: Tensor

    def decode(self, values: Tensor, index: Tensor | slice) -> Tensor:
        """(..., N, *) values of the predictions numbered `index` (N,) -> (..., N, 4) float32 xyxy px."""
        return values


@dataclass(frozen=True, eq=False)
class BoxPredictions:
    """Boxes and their logits, which is all that NMS needs to know. A = all predictions of all levels.

    `code` the boxes, decoded where somebody looks; `class_logits` (B, A, K); `objectness` (B, A) logits, None without
    an anchor head.
    """

    code: BoxCode
    class_logits: Tensor
    objectness: Tensor | None

    @property
    def boxes(self) -> Tensor:
        """(B, A, 4) float32 xyxy px, every one of them decoded."""
        return self.code.decode(self.code.values, slice(None))

    def boxes_at(self, image: Tensor, index: Tensor) -> Tensor:
        """(N,) pictures and (N,) predictions -> (N, 4) float32 xyxy px."""
        return self.code.decode(self.code.values[image, index], index)

    def finite(self) -> Tensor:
        """Whether every number is finite, a bool tensor."""
        said = [x for x in (self.code.values, self.class_logits, self.objectness) if x is not None]
        return torch.stack([x.isfinite().all() for x in said]).all()


@dataclass(frozen=True, eq=False)
class Predictions(BoxPredictions):
    """What a head says, before NMS, the same in train and eval mode: boxes, and what their losses need to know.

    `points` (A, 2) cell centres px; `strides` (A,); `level_sizes` predictions per level, summing to A; `grids` (height,
    width) per level; `anchors` (A, 2) width and height px or None.

    Side results of rows, for their own losses: `reconstructions` (B,) each, a loss per picture; `energies` (B, h, w)
    each, over a grid that covers the network input, low where a visual prompt is wanted.
    """

    points: Tensor
    strides: Tensor
    level_sizes: tuple[int, ...]
    grids: tuple[tuple[int, int], ...]
    anchors: Tensor | None = None
    reconstructions: tuple[Tensor, ...] = ()
    energies: tuple[Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class Assignment:
    """Which prediction answers for which target: three (P,) int64 tensors, plus an optional (P,) target quality.

    `image_index` and `prediction_index` address Predictions (B, A); `target_index` addresses Targets.
    """

    image_index: Tensor
    prediction_index: Tensor
    target_index: Tensor
    quality: Tensor | None = None

    def __len__(self) -> int:
        return len(self.target_index)
