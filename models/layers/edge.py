"""The edge stream of IDFE-Net.

The block is CGNet's context-guided block (arXiv 1811.08201) with SiLU: "edge" names its place in IDFE-Net, there is no
edge operator in it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.conv import Conv, batch_norm
from models.layers.csp import CSP
from models.registry import In, Out, register


class EdgeGuidedBlock(nn.Module):
    """A local and a dilated depthwise convolution side by side, re-weighted per channel, added to the input.

    (B, C, H, W) -> (B, C, H, W); C even.
    """

    def __init__(self, channels: int, dilation: int = 2, reduction: int = 16) -> None:
        super().__init__()
        half, squeezed = channels // 2, max(channels // reduction, 1)
        self.reduce = Conv(channels, half)
        self.local = nn.Conv2d(half, half, 3, padding=1, groups=half)
        self.surround = nn.Conv2d(half, half, 3, padding=dilation, dilation=dilation, groups=half)
        self.bn = batch_norm(2 * half)
        self.act = nn.SiLU(inplace=True)
        self.squeeze, self.excite = nn.Linear(2 * half, squeezed), nn.Linear(squeezed, 2 * half)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        reduced = self.reduce(x)
        joint = self.act(self.bn(torch.cat((self.local(reduced), self._surround(reduced)), 1)))
        weights = self.excite(self.squeeze(joint.mean((2, 3))).relu()).sigmoid()
        return x + joint * weights[:, :, None, None]

    def _surround(self, x: Tensor) -> Tensor:
        # torch 2.13 on CPU: the weight gradient of a dilated depthwise convolution under bf16 autocast is garbage.
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return self.surround(x.float()).to(x.dtype)
        return self.surround(x)


@register
class EGM(CSP):
    """Edge-guided module: a CSP block around one EdgeGuidedBlock. (B, c_in, H, W) -> (B, c_out, H, W)."""

    def __init__(self, c_in: In, c_out: Out) -> None:
        super().__init__(c_in, c_out, EdgeGuidedBlock(c_out // 2))
