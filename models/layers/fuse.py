"""Joining several feature maps of one size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.registry import Ins, register


@register
class Concat(nn.Module):
    """Channels side by side: list of (B, C_i, H, W) -> (B, sum C_i, H, W)."""

    def __init__(self, c_ins: Ins) -> None:
        super().__init__()

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        return torch.cat(list(inputs), 1)


@register
class TwoStepFusion(nn.Module):
    """IDFE-Net's neck fusion: the skip map is first reduced to the width of the path, then both are reduced together.

    [path (B, C, H, W), skip (B, S, H, W)] -> (B, C, H, W).
    """

    def __init__(self, c_ins: Ins) -> None:
        super().__init__()
        if len(c_ins) != 2:
            raise ValueError(f"takes 2 sources (path, skip), got {len(c_ins)}")
        path, skip = c_ins
        self.reduce, self.join = Conv(skip, path), Conv(2 * path, path)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        path, skip = inputs
        return self.join(torch.cat((path, self.reduce(skip)), 1))
