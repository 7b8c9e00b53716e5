"""The context stream of IDFE-Net: global context modules gated by the edge stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from models.layers.conv import Conv, batch_norm
from models.rows.registry import Ins, register

GateLayout = Literal["shuffle", "raw"]


@register
class GCM(nn.Module):
    """Global context module: the edge map of a stage gates the finer context map of the stage before.

    [guide (B, G, H, W), value (B, C, 2H, 2W)] -> (B, G, H, W).

    Each guide position compares itself with the mean key of each image quadrant, which gives four gate values, one for
    each of the 2x2 value pixels it covers. The published code compares with all H*W keys and pools afterwards;
    pooling is linear, so pooling the keys first is the same number at O(HW) cost.

    `gate_layout`: "shuffle" puts a position's four values on its own 2x2 pixels; "raw" repeats the published code,
    which lays them out in memory order (so that they do not line up with the picture).
    `shared_bn`: repeat the published code's one BatchNorm for guide and output (True), or give each its own (False).
    """

    def __init__(
        self, c_ins: Ins, reduction: int = 8, gate_layout: GateLayout = "shuffle", shared_bn: bool = False
    ) -> None:
        super().__init__()
        if len(c_ins) != 2:
            raise ValueError(f"takes 2 sources (guide, value), got {len(c_ins)}")
        guide, value = c_ins
        width = max(guide // reduction, 1)
        self.gate_layout = gate_layout
        self.bn_value, self.bn_guide = batch_norm(value), batch_norm(guide)
        self.query, self.key = nn.Conv2d(guide, width, 1), nn.Conv2d(guide, width, 1)
        self.value = nn.Conv2d(value, value, 1)
        self.fold = Conv(4 * value, guide)
        # Held once: under two names EMA would average its statistics twice a step.
        self.bn_out = None if shared_bn else batch_norm(guide)
        self.feed_forward = feed_forward(guide, width)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        guide, value = inputs
        gated = self.value(self.bn_value(value)) * self.gate(guide)
        bn_out = self.bn_guide if self.bn_out is None else self.bn_out
        return self.feed_forward(bn_out(self.fold(space_to_depth(gated))))

    def gate(self, guide: Tensor) -> Tensor:
        """(B, G, H, W) -> (B, 1, 2H, 2W) in 0..1."""
        normed = self.bn_guide(guide)
        query = self.query(normed)
        keys = quadrant_means(self.key(normed))
        batch, _, height, width = query.shape
        # (B, 4, H W): four quadrants k by all positions p
        scores = torch.einsum("bdp,bdk->bkp", query.flatten(2), keys.flatten(2))
        if self.gate_layout == "raw":
            scores = scores.transpose(1, 2).reshape(batch, 1, 2 * height, 2 * width)
        else:
            scores = nn.functional.pixel_shuffle(scores.reshape(batch, 4, height, width), 2)
        return scores.sigmoid()


def quadrant_means(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2, 2); the middle row of an odd number is in both halves, as is the middle column.

    In a trace it is written as four means: the windows of the pooling would become those of the traced size.
    """
    if not torch.jit.is_tracing():
        return nn.functional.adaptive_avg_pool2d(x, 2)
    height, width = x.shape[2:]
    rows = x[:, :, : (height + 1) // 2], x[:, :, height // 2 :]
    means = [half.mean((2, 3)) for row in rows for half in (row[..., : (width + 1) // 2], row[..., width // 2 :])]
    return torch.stack(means, -1).unflatten(-1, (2, 2))


def feed_forward(channels: int, width: int) -> nn.Sequential:
    """Squeeze to `width` channels and back: (B, C, H, W) -> same. As published, GELU follows Conv's own SiLU."""
    return nn.Sequential(Conv(channels, width), nn.GELU(), Conv(width, channels))


def space_to_depth(x: Tensor) -> Tensor:
    """(B, C, 2H, 2W) -> (B, 4C, H, W); phases in the order (row, column) = (0,0), (1,0), (0,1), (1,1)."""
    return torch.cat((x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]), 1)
