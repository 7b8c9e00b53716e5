"""What can take a network's place in front of NMS."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from models.inference.nms import NMSConfig
from utils.values.channels import Channels
from utils.values.predictions import Candidates


class Backend(Protocol):
    """Whatever finds objects in pictures: a network of models/graph, or a file made from one.

    `stride`: height and width of its inputs are multiples of it; `channels`: the planes that it takes.
    """

    @property
    def stride(self) -> int:
        """See the class."""
        ...

    @property
    def channels(self) -> Channels:
        """See the class."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes, and where its inputs must be."""
        ...

    def __call__(self, images: Tensor, /) -> Candidates:
        """(B, C, H, W) float32 in 0..1, on `device` -> what NMS chooses from, in pixels of the input."""
        ...


@runtime_checkable
class SuppressingBackend(Protocol):
    """A Backend that may suppress by itself, as far as its file does."""

    def with_nms(self, cfg: NMSConfig, joined: bool) -> Backend:
        """The same, suppressing so. What it lets through passes NMS of these settings unchanged. `joined`: some of its
        classes are reported as one. Raises ConfigError for what it cannot do.
        """
        ...
