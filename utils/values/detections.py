"""What is found in a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from utils.values.masks import Rle


@dataclass(frozen=True, eq=False)
class Detections:
    """What remains after NMS for one picture: `boxes` (M, 4) xyxy, `scores` (M,) descending, `labels` (M,) int64.

    Boxes are in pixels of the original picture. `names` maps a label to its word, and `masks` holds one mask each, at
    the size of the picture, if they were asked for.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    names: tuple[str, ...] = ()
    masks: tuple[Rle, ...] = ()

    def __len__(self) -> int:
        return len(self.scores)

    def keep(self, mask: Tensor) -> Detections:
        """The detections where `mask` (M,) bool, or at those indices."""
        masks = tuple(self.masks[i] for i in torch.arange(len(self))[mask].tolist()) if self.masks else ()
        return replace(self, boxes=self.boxes[mask], scores=self.scores[mask], labels=self.labels[mask], masks=masks)
