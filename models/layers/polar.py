"""Fusion of polarization with the picture, in front of an unchanged network (spec: IDFE-Net 8.4).

Every row takes [image, polar], (B, C, H, W) and (B, P, H, W) in 0..1. While training, each picture's polarization is
withheld with the chance `dropout`, so that one network serves with and without the second camera.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.conv import Conv, fold, gain_of, scale
from models.rows.registry import Ins, Out, register
from models.rows.row_context import Context

HIDDEN = 8  # channels in the gate


class Fusion(nn.Module):
    """What the fusions share: two sources, and polarization withheld while training."""

    takes_context = True

    def __init__(self, c_ins: Sequence[int], dropout: float) -> None:
        super().__init__()
        if len(c_ins) != 2:
            raise ValueError(f"takes 2 sources (image, polar), got {len(c_ins)}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout is a chance from 0 to 1, got {dropout}")
        self.dropout = dropout

    def shown(self, polar: Tensor, context: Context) -> Tensor:
        """`polar`, zero for the pictures from which it is withheld."""
        if not self.training or context.step_info is None or not self.dropout:
            return polar
        keep = [draw >= self.dropout for draw in context.chances("polar", len(polar))]
        return polar * polar.new_tensor(keep).view(-1, 1, 1, 1)


@register
class PolarAdd(Fusion):
    """Average with weight `share` for polarization, which has one plane or as many as the picture. No parameters.

    Where all of a picture's polarization is 0 there is none, and the picture stays as it is.
    """

    def __init__(self, c_ins: Ins, share: float = 0.5, dropout: float = 0.1) -> None:
        super().__init__(c_ins, dropout)
        if c_ins[1] not in (1, c_ins[0]):
            raise ValueError(f"cannot add {c_ins[1]} planes of polar to {c_ins[0]} of the image; take PolarGate")
        self.share = share

    def forward(self, inputs: Sequence[Tensor], context: Context) -> Tensor:
        """-> (B, C, H, W) in 0..1."""
        image, polar = inputs
        polar = self.shown(polar, context)
        # per picture: averaging with missing polarization would only darken the image
        share = self.share * polar.flatten(1).ne(0).any(1).to(image.dtype).view(-1, 1, 1, 1)
        return ((1 - share) * image + share * polar).clamp(0, 1)


@register
class PolarGate(Fusion):
    """Image + gamma * gate * projected polarization; gamma starts at 0, so that the network starts without it.

    The projection has no bias: without polarization the output is the image, exactly. One gate serves a tile of
    `stride` x `stride` px, whose means it is computed from; polarization keeps every pixel. Stride 1, a gate
    for each pixel, takes 60 times the arithmetic. 481 parameters for one plane.
    """

    def __init__(self, c_ins: Ins, dropout: float = 0.1, stride: int = 8) -> None:
        super().__init__(c_ins, dropout)
        if not isinstance(stride, int) or stride < 1:
            raise ValueError(f"stride is a whole number of px from 1, got {stride}")
        image, polar = c_ins
        self.stride = stride
        self.project = nn.Conv2d(polar, image, 1, bias=False)
        self.mix = Conv(2 * image, HIDDEN, 3)
        self.gate = nn.Conv2d(HIDDEN, image, 1)
        self.gamma = nn.Parameter(torch.zeros(image))

    def forward(self, inputs: Sequence[Tensor], context: Context) -> Tensor:
        """-> (B, C, H, W); H and W are multiples of `stride`."""
        image, polar = inputs
        polar = self.shown(polar, context)
        gate = self._gate(self._means(image), self._means(polar)).to(image.dtype)
        fused = self._tiles(image)
        for plane, weight in zip(self._tiles(polar).split(1, 1), self.project.weight.split(1, 1), strict=True):
            # one pass over the picture for each plane, and none for projections or gates of its full size
            fused = torch.addcmul(fused, (gate * weight.view(1, -1, 1, 1))[:, :, :, None, :, None], plane)
        return fused.flatten(4, 5).flatten(2, 3)

    def _gate(self, image: Tensor, polar: Tensor) -> Tensor:
        """Gamma * gate, (B, C, h, w), of tiles' means (B, C, h, w) and (B, P, h, w)."""
        gate = self.gate(self.mix(torch.cat((image, self.project(polar)), 1))).sigmoid()
        return self.gamma.view(1, -1, 1, 1) * gate

    def _tiles(self, x: Tensor) -> Tensor:
        """(B, C, H, W) seen as (B, C, H / stride, stride, W / stride, stride)."""
        return x.unflatten(3, (-1, self.stride)).unflatten(2, (-1, self.stride))

    def _means(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / stride, W / stride); rows first, twice as fast as both at once."""
        return x.unflatten(2, (-1, self.stride)).mean(3).unflatten(3, (-1, self.stride)).mean(4)


@register
class PolarConv(Fusion):
    """A stem `Conv` of image and polarization side by side; the weights of polarization start at 0.

    They are a convolution of their own: the same sum, and the weights of a `Conv` without polarization fit.
    """

    def __init__(
        self,
        c_ins: Ins,
        c_out: Out,
        kernel: int = 1,
        stride: int = 1,
        padding: int | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(c_ins, dropout)
        stem = Conv(c_ins[0], c_out, kernel, stride, padding)
        self.conv, self.bn, self.act = stem.conv, stem.bn, stem.act
        padding = kernel // 2 if padding is None else padding
        self.polar = nn.Conv2d(c_ins[1], c_out, kernel, stride, padding, bias=False)
        nn.init.zeros_(self.polar.weight)

    def forward(self, inputs: Sequence[Tensor], context: Context) -> Tensor:
        """-> (B, c_out, H / stride, W / stride)."""
        image, polar = inputs
        return self.act(self.bn(self.conv(image) + self.polar(self.shown(polar, context))))

    def fold_norm(self) -> None:
        """See models.rows.folding."""
        if isinstance(self.bn, nn.BatchNorm2d):
            norm = self.bn
            # the norm takes the sum of two convolutions: both need its gain, one alone its shift
            self.bn = fold(norm, self.conv)
            scale(self.polar, gain_of(norm))
