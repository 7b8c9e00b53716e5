"""What a network is given: samples, and batches of them with their targets.

Arrays inside workers are numpy (Sample); everything from Batch on is torch. `eq=False`, because comparing arrays with
`==` has no single answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from utils.values.view import View


@dataclass(frozen=True, eq=False)
class Sample:
    """One network input before batching: `image` (H, W, C) uint8 RGB, `boxes` (N, 4) xyxy px, `labels` (N,).

    With other channels than RGB `image` may be uint16 or float32; `full` is the value that means 1.0.
    `view` says how it lies in its picture, where it is made for detections and not for learning: an augmented sample is
    made of several pictures, the first of which is record `index`.
    `ignored` (R, 4) xyxy px are regions about which nothing is known: they teach neither object nor background.
    `lost`: the pictures that were wanted for it and could not be read, by index of the record with the reason.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    index: int
    view: View | None = None
    boxes_lost: int = 0
    ignored: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    full: float = 255.0
    lost: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Targets:
    """Truth of a batch: `image_index` (T,) int64, `labels` (T,) int64, `boxes` (T, 4) xyxy px of the network input.

    `ignored_index` (R,) int64 and `ignored` (R, 4) xyxy px: regions in which nothing is taught, see Sample.
    """

    image_index: Tensor
    labels: Tensor
    boxes: Tensor
    ignored_index: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    ignored: Tensor = field(default_factory=lambda: torch.zeros(0, 4))

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Targets:
        """The same targets on `device`."""
        return Targets(*(tensor.to(device, non_blocking=non_blocking) for tensor in vars(self).values()))

    def pin_memory(self) -> Targets:
        """The same targets in page-locked memory."""
        return Targets(*(tensor.pin_memory() for tensor in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Batch:
    """`images` (B, C, H, W) uint8, `targets`, the record's index of every sample, boxes lost on the way.

    `views` (B,) say where the inputs lie in their pictures, of which several may show one; empty in training.
    `images` may be uint16 or float32, too; `full` is the value that means 1.0.
    `phrases` (N,) int64: the rows of the model's vocabulary that this batch asks for, of which `targets.labels` are
    the places; None: the labels are the classes themselves.
    `lost`: the pictures that could not be read for it, see Sample.
    """

    images: Tensor
    targets: Targets
    indices: tuple[int, ...]
    views: tuple[View, ...] = ()
    boxes_lost: int = 0
    phrases: Tensor | None = None
    full: float = 255.0
    lost: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Pictures; a blank sample, whose index is negative, is none."""
        return sum(index >= 0 for index in self.indices)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """The same batch on `device`; images stay as they are (uint8: a quarter of the bytes), see `inputs()`."""
        images = self.images.to(device, non_blocking=non_blocking)
        phrases = None if self.phrases is None else self.phrases.to(device, non_blocking=non_blocking)
        return replace(self, images=images, targets=self.targets.to(device, non_blocking), phrases=phrases)

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory."""
        phrases = None if self.phrases is None else self.phrases.pin_memory()
        return replace(self, images=self.images.pin_memory(), targets=self.targets.pin_memory(), phrases=phrases)

    def inputs(self) -> Tensor:
        """(B, C, H, W) float32 in 0..1, channels_last."""
        images = self.images.to(torch.float32, memory_format=torch.channels_last)
        if self.full == 1.0:
            return images  # floating point planes are in 0..1 already
        return images.div_(self.full)
