"""Cross-stage partial blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.rows.registry import In, Out, Repeats, register


class Bottleneck(nn.Module):
    """1x1 then 3x3 convolution at constant width, plus the input when `shortcut`. (B, C, H, W) -> same."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1, self.cv2 = Conv(channels, channels), Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class CSP(nn.Module):
    """Half the channels go through `inner`, half pass by; a 1x1 convolution joins them.

    (B, c_in, H, W) -> (B, c_out, H, W); `inner` keeps shape at c_out / 2 channels.
    """

    def __init__(self, c_in: int, c_out: int, inner: nn.Module) -> None:
        super().__init__()
        hidden = c_out // 2
        self.cv1, self.cv2, self.cv3 = Conv(c_in, hidden), Conv(c_in, hidden), Conv(2 * hidden, c_out)
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.cv3(torch.cat((self.inner(self.cv1(x)), self.cv2(x)), 1))


@register
class C3(CSP):
    """CSP block around `repeats` bottlenecks (the neck of YOLOv5; IDFE-Net keeps the shortcut on there too)."""

    def __init__(self, c_in: In, c_out: Out, repeats: Repeats = 1, shortcut: bool = True) -> None:
        inner = nn.Sequential(*(Bottleneck(c_out // 2, shortcut) for _ in range(repeats)))
        super().__init__(c_in, c_out, inner)
