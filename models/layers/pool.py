"""Spatial pyramid pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.rows.registry import In, Out, register


@register
class SPPF(nn.Module):
    """Three chained max pools, so that one map sees 1, 1, 2 and 3 pool widths. (B, c_in, H, W) -> (B, c_out, H, W)."""

    def __init__(self, c_in: In, c_out: Out, kernel: int = 5) -> None:
        super().__init__()
        hidden = c_in // 2
        self.cv1, self.cv2 = Conv(c_in, hidden), Conv(4 * hidden, c_out)
        self.pool = nn.MaxPool2d(kernel, 1, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        maps = [self.cv1(x)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        return self.cv2(torch.cat(maps, 1))
