"""Joining several feature maps of one size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.conv import Conv, batch_norm
from models.rows.registry import Ins, register


@register
class Concat(nn.Module):
    """Channels side by side: list of (B, C_i, H, W) -> (B, sum C_i, H, W).

    `dead_weights`: also own the 1x1 Conv that the published code's Concat_a builds and never calls, for the same
    number of parameters. It is frozen: no gradient, no optimizer, no all-reduce ever sees it.
    """

    def __init__(self, c_ins: Ins, *, dead_weights: bool = False) -> None:
        super().__init__()
        self.unused = Conv(sum(c_ins), sum(c_ins)).requires_grad_(False) if dead_weights else None

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        return torch.cat(list(inputs), 1)


@register
class ConcatConv(nn.Module):
    """Channels side by side, BatchNorm, 1x1 Conv: list of (B, C_i, H, W) -> (B, sum C_i, H, W).

    The Concat_b of IDFE-Net's first upload (networks C1 and C3). The later upload gave that name to another module,
    here TwoStepFusion; so neither is called Concat_b.
    """

    def __init__(self, c_ins: Ins) -> None:
        super().__init__()
        self.bn, self.join = batch_norm(sum(c_ins)), Conv(sum(c_ins), sum(c_ins))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        return self.join(self.bn(torch.cat(list(inputs), 1)))


@register
class TwoStepFusion(nn.Module):
    """IDFE-Net's neck fusion: the skip map is first reduced to the width of the path, then both are reduced together.

    The Concat_b of IDFE-Net's second upload. [path (B, C, H, W), skip (B, S, H, W)] -> (B, C, H, W).
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
