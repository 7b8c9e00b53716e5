"""What can take a network's place in front of NMS."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from utils.values.channels import Channels
from utils.values.predictions import BoxPredictions


class Backend(Protocol):
    """Whatever finds objects in pictures: a network of models/graph, or a file made from one.

    `stride`: height and width of its inputs are multiples of it; `channels`: the planes that it takes.
    """

    stride: int
    channels: Channels

    @property
    def device(self) -> torch.device:
        """Where it computes, and where its inputs must be."""
        ...

    def __call__(self, images: Tensor, /) -> BoxPredictions:
        """(B, C, H, W) float32 in 0..1, on `device` -> predictions before NMS, in pixels of the input."""
        ...
