"""The edge stream of IDFE-Net.

The block is CGNet's context-guided block (arXiv 1811.08201) with SiLU: "edge" names its place in IDFE-Net, there is no
edge operator in it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.conv import Conv, SiLU, batch_norm, fold
from models.layers.csp import CSP
from models.rows.registry import In, Out, register


class EdgeGuidedBlock(nn.Module):
    """A local and a dilated depthwise convolution side by side, re-weighted per channel, added to the input.

    (B, C, H, W) -> (B, C, H, W); C even. `edge_init`: the local convolution starts from edge operators.
    """

    def __init__(self, channels: int, dilation: int = 2, reduction: int = 16, edge_init: bool = False) -> None:
        super().__init__()
        half, squeezed = channels // 2, max(channels // reduction, 1)
        self.reduce = Conv(channels, half)
        self.local = nn.Conv2d(half, half, 3, padding=1, groups=half)
        self.surround = nn.Conv2d(half, half, 3, padding=dilation, dilation=dilation, groups=half)
        self.bn: nn.Module = batch_norm(2 * half)
        self.act = SiLU()
        self.squeeze, self.excite = nn.Linear(2 * half, squeezed), nn.Linear(squeezed, 2 * half)
        if edge_init:
            set_edge_kernels(self.local)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        reduced = self.reduce(x)
        joint = self.act(self.bn(torch.cat((self.local(reduced), self._surround(reduced)), 1)))
        weights = self.excite(self.squeeze(joint.mean((2, 3))).relu()).sigmoid()
        return x + joint * weights[:, :, None, None]

    def fold_norm(self) -> None:
        """See models.rows.folding."""
        if isinstance(self.bn, nn.BatchNorm2d):
            self.bn = fold(self.bn, self.local, self.surround)

    def _surround(self, x: Tensor) -> Tensor:
        # torch 2.13 on CPU: the weight gradient of a dilated depthwise convolution under bf16 autocast is garbage.
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return self.surround(x.float()).to(x.dtype)
        return self.surround(x)


@torch.no_grad()
def set_edge_kernels(conv: nn.Conv2d) -> None:
    """Start a 3x3 depthwise convolution from +-Sobel-x, +-Sobel-y and the Laplacian, channel after channel in turn.

    Each kernel has the norm that PyTorch's own start gives a 3x3 depthwise kernel on average: a BatchNorm follows, so
    the norm changes nothing but how fast the kernel turns.
    """
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    laplacian = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    bank = torch.stack((sobel, -sobel, sobel.T, -sobel.T, laplacian))
    # PyTorch draws the 9 weights from -1/3..1/3, variance 1/27: a norm of sqrt(9 / 27) = 1 / sqrt(3)
    bank = bank / bank.flatten(1).norm(dim=1)[:, None, None] / 3**0.5
    conv.weight.copy_(bank[torch.arange(conv.out_channels) % len(bank), None])


@register
class EGM(CSP):
    """Edge-guided module: a CSP block around one EdgeGuidedBlock. (B, c_in, H, W) -> (B, c_out, H, W).

    IDFE-Net's first upload calls the same module C3_ContextGuided. `edge_init` (ours): see set_edge_kernels.
    """

    def __init__(self, c_in: In, c_out: Out, *, edge_init: bool = False) -> None:
        super().__init__(c_in, c_out, EdgeGuidedBlock(c_out // 2, edge_init=edge_init))


@register
class C2f_ContextGuided(nn.Module):
    """Split in two, one EdgeGuidedBlock on the second half, all three parts joined (network C3 of IDFE-Net's first
    upload, which calls the block context-guided). (B, c_in, H, W) -> (B, c_out, H, W).
    """

    def __init__(self, c_in: In, c_out: Out) -> None:
        super().__init__()
        hidden = c_out // 2
        self.cv1, self.cv2 = Conv(c_in, 2 * hidden), Conv(3 * hidden, c_out)
        self.inner = EdgeGuidedBlock(hidden)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        first, second = self.cv1(x).chunk(2, 1)
        return self.cv2(torch.cat((first, second, self.inner(second)), 1))
