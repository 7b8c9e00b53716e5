"""Ghost layers (GhostNet, arXiv 1911.11907): half the channels are convolved, the other half made from them cheaply."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.layers.csp import CSP
from models.rows.registry import In, Out, Repeats, register


@register
class GhostConv(nn.Module):
    """A Conv to half the channels, and a 5x5 depthwise Conv of its output as the other half.

    (B, c_in, H, W) -> (B, c_out, H / stride, W / stride); c_out even.
    """

    def __init__(self, c_in: In, c_out: Out, kernel: int = 1, stride: int = 1, *, act: bool = True) -> None:
        super().__init__()
        half = c_out // 2
        self.primary = Conv(c_in, half, kernel, stride, act=act)
        self.cheap = Conv(half, half, 5, groups=half, act=act)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        primary = self.primary(x)
        return torch.cat((primary, self.cheap(primary)), 1)


class GhostBottleneck(nn.Module):
    """Two GhostConvs through half the width, the second without activation, plus the input.

    (B, C, H, W) -> same; C a multiple of 4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = GhostConv(channels, channels // 2), GhostConv(channels // 2, channels, act=False)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x + self.cv2(self.cv1(x))


@register
class C5Ghost(CSP):
    """CSP block around `repeats` GhostBottlenecks (network C1 of IDFE-Net's first upload).

    (B, c_in, H, W) -> (B, c_out, H, W); c_out a multiple of 8.
    """

    def __init__(self, c_in: In, c_out: Out, repeats: Repeats = 1) -> None:
        super().__init__(c_in, c_out, nn.Sequential(*(GhostBottleneck(c_out // 2) for _ in range(repeats))))
