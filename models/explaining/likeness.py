"""How much of one box is still found: what is compared between a picture and its copies with hidden parts."""

from __future__ import annotations

import torch
from torch import Tensor

from models.inference.backend import Backend, SuppressingBackend
from models.inference.nms import NMSConfig
from utils.values.boxes import pairwise_iou
from utils.values.predictions import Candidates

LEAST = 0.001  # a score below which a box counts as not found
# of a file that suppresses by itself: as little as it can, as the second best box may be the best match
OPEN = NMSConfig(conf=LEAST, iou=0.95, max_det=300)


def unsuppressed(backend: Backend) -> Backend:
    """The backend with everything that it can say before NMS. Raises ConfigError."""
    return backend.with_nms(OPEN, joined=False) if isinstance(backend, SuppressingBackend) else backend


def likeness(said: Candidates, box: Tensor, classes: Tensor) -> Tensor:
    """(B,) float32 in 0..1 on the CPU: for each input the best match to `box` (4,) xyxy px of the input, the largest
    overlap (IoU) x score of one of `classes` (N,) int64.

    D-RISE's measure (Petsiuk et al., CVPR 2021), over all boxes before NMS, where it changes without jumps.
    """
    image, index = said.reaching(LEAST)
    scores = said.scores_at(image, index).cpu()[:, classes].amax(1)
    overlaps = pairwise_iou(said.boxes_at(image, index).cpu(), box[None])[:, 0]
    matches = (overlaps * scores).nan_to_num(0.0)  # a box that is not finite matches nothing
    return torch.zeros(len(said)).scatter_reduce(0, image.cpu(), matches, "amax")
