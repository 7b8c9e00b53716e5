"""The attention stream of IDFE-Net's first upload (networks C1, C2, C3, AblationC2), which GCM later replaced."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.context import feed_forward, space_to_depth
from models.layers.conv import Conv, batch_norm
from models.rows.registry import In, register


class ConvMHSA(nn.Module):
    """A gate per pixel from the product of its query and the mean key of the picture. (B, C, H, W) -> same.

    Published as convMHSA; it has one head, no softmax and no aggregation. The published code averages all H*W scores
    of a query; averaging the keys first is the same number at O(HW) cost.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.query, self.key = nn.Conv2d(channels, width, 1), nn.Conv2d(channels, width, 1)
        self.value = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        scores = torch.einsum("bdhw,bd->bhw", self.query(x), self.key(x).mean((2, 3)))
        return self.value(x) * scores.sigmoid()[:, None]


class _Transition(nn.Module):
    """What TR and TR2 share: fold 2x2 pixels into channels (published as erge), gate, feed forward."""

    def __init__(self, channels: int, reduction: int, shared_bn: bool) -> None:
        super().__init__()
        width = max(channels // reduction, 1)
        self.fold = Conv(4 * channels, channels)
        self.bn_in = batch_norm(channels)
        # Held once: under two names EMA would average its statistics twice a step.
        self.bn_out = None if shared_bn else batch_norm(channels)
        self.attention = ConvMHSA(channels, width)
        self.feed_forward = feed_forward(channels, width)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, 2H, 2W) -> the gated map and what the feed-forward makes of it, both (B, C, H, W)."""
        gated = self.attention(self.bn_in(self.fold(space_to_depth(x))))
        bn_out = self.bn_in if self.bn_out is None else self.bn_out
        return gated, self.feed_forward(bn_out(gated))


@register
class TR(_Transition):
    """Attention step that doubles the channels: gated map and its feed-forward side by side.

    (B, C, 2H, 2W) -> (B, 2C, H, W). Published as TR and, identical, as TR1. `shared_bn` repeats the
    published code's one BatchNorm for two different maps (True), or gives each its own (False).
    """

    def __init__(self, c_in: In, reduction: int = 8, *, shared_bn: bool = False) -> None:
        super().__init__(c_in, reduction, shared_bn)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return torch.cat(self.parts(x), 1)


@register
class TR2(_Transition):
    """Attention step that keeps the channels: gated map plus its feed-forward.

    (B, C, 2H, 2W) -> (B, C, H, W). `shared_bn` as in TR.
    """

    def __init__(self, c_in: In, reduction: int = 8, *, shared_bn: bool = False) -> None:
        super().__init__(c_in, reduction, shared_bn)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        gated, refined = self.parts(x)
        return gated + refined
