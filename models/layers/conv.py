"""Convolution, norm, activation: the unit everything else is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.rows.registry import In, Out, register


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """BatchNorm2d as the YOLO family sets it: eps 1e-3, momentum 0.03."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.03)


def set_bn_momentum(model: nn.Module, momentum: float) -> None:
    """Change how fast every BatchNorm2d's running statistics follow the batches."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = momentum


def gain_of(norm: nn.BatchNorm2d) -> Tensor:
    """(C,) float64: what `norm` multiplies its input by in eval mode."""
    assert norm.running_var is not None, "BatchNorm keeps statistics"
    return norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()


@torch.no_grad()
def scale(conv: nn.Conv2d, gain: Tensor) -> None:
    """Multiply each output channel of `conv` by `gain` (C,), without its bias."""
    conv.weight.copy_(conv.weight.double() * gain[:, None, None, None])


@torch.no_grad()
def fold(norm: nn.BatchNorm2d, *convs: nn.Conv2d) -> nn.Identity:
    """Make `norm`, in eval mode, part of the convolutions whose outputs, side by side, it takes -> what replaces it."""
    assert norm.running_mean is not None, "BatchNorm keeps statistics"
    sizes = [conv.out_channels for conv in convs]
    columns = (gain_of(norm), norm.running_mean.double(), norm.bias.double())
    for conv, gain, mean, shift in zip(convs, *(x.split(sizes) for x in columns), strict=True):
        # norm(W x + bias) = gain W x + shift + gain (bias - mean); in float64, to round only once
        bias = 0.0 if conv.bias is None else conv.bias.double()
        conv.bias = nn.Parameter((shift + gain * (bias - mean)).to(conv.weight.dtype))
        scale(conv, gain)
    return nn.Identity()


class SiLU(nn.SiLU):
    """x sigmoid(x): in place for inference, into a new tensor in training, which keeps x and would copy it first."""

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return nn.functional.silu(input, inplace=not input.requires_grad)


@register
class Conv(nn.Module):
    """Convolution without bias, BatchNorm, SiLU. "Same" padding for odd kernels unless given.

    (B, c_in, H, W) -> (B, c_out, H / stride, W / stride).
    """

    def __init__(
        self,
        c_in: In,
        c_out: Out,
        kernel: int = 1,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        # no bias: the norm would subtract it again, and has a shift of its own
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=groups, bias=False)
        self.bn: nn.Module = batch_norm(c_out)
        self.act = SiLU() if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.act(self.bn(self.conv(x)))

    def fold_norm(self) -> None:
        """See models.rows.folding."""
        if isinstance(self.bn, nn.BatchNorm2d):
            self.bn = fold(self.bn, self.conv)


@register
class Upsample(nn.Module):
    """Nearest-neighbour enlargement: (B, C, H, W) -> (B, C, H * scale, W * scale)."""

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return nn.functional.interpolate(x, scale_factor=float(self.scale), mode="nearest")
