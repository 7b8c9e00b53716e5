"""Text decides where a map may pass: the max-sigmoid gate of a text-guided neck (spec: RTVPNet 2.8)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.rows.text_reader import TextReader

HEAD_WIDTH = 32
TEXTS_AT_ONCE = 256  # compared with every cell at a time: bounds the memory of a large vocabulary


class TextGate(TextReader):
    """Each head's channels of a 3x3 convolution, times how well the cell matches its best text.

    Map (B, C, H, W) and text (N, D) or (B, N, D) -> (B, C, H, W). Gate of head m: sigmoid(max over n of
    <x_m, k_nm> / sqrt(width) + bias_m), with keys k linear in the text. The result depends neither on the order of
    the texts nor on how many are compared at once.
    """

    def __init__(self, channels: int, text_dim: int) -> None:
        super().__init__()
        self.heads = max(channels // HEAD_WIDTH, 1)
        if channels % self.heads:
            raise ValueError(f"{channels} channels do not divide into {self.heads} heads")
        self.keys = nn.Linear(text_dim, channels)
        self.bias = nn.Parameter(torch.zeros(self.heads))
        self.project = Conv(channels, channels, 3, act=False)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """See the class."""
        text = self.guiding(text)
        if not text.shape[-2]:
            raise ValueError("needs at least one text")
        batch, channels, height, width = x.shape
        cells = x.permute(0, 2, 3, 1).reshape(batch, height * width, self.heads, -1).transpose(1, 2)
        keys = self.keys(text).unflatten(-1, (self.heads, -1)).movedim(-3, -1)  # (..., heads, width, N)
        best = torch.stack([(cells @ k).amax(-1) for k in keys.split(TEXTS_AT_ONCE, -1)]).amax(0)
        return self._gated(x, best.unflatten(-1, (height, width)))

    def _gated(self, x: Tensor, match: Tensor) -> Tensor:
        """`match` (B, heads, H, W): the best inner product of each cell."""
        gate = (match / math.sqrt(x.shape[1] // self.heads) + self.bias[:, None, None]).sigmoid()
        return (self.project(x).unflatten(1, (self.heads, -1)) * gate.unsqueeze(2)).flatten(1, 2)

    @torch.no_grad()
    def static(self, text: Tensor) -> StaticTextGate:
        """The gate for a text (N, D) known beforehand."""
        return StaticTextGate(self, self.keys(self.guiding(text)))


class StaticTextGate(nn.Module):
    """A TextGate whose keys are the weights of a grouped 1x1 convolution. (B, C, H, W) -> same."""

    def __init__(self, gate: TextGate, keys: Tensor) -> None:
        super().__init__()
        texts, channels = keys.shape
        self.heads, self.project = gate.heads, gate.project
        self.match = nn.Conv2d(channels, texts * gate.heads, 1, groups=gate.heads)
        width = channels // gate.heads
        # output channels ordered head, text: a group is one head and sees only that head's channels
        weight = keys.view(texts, gate.heads, width).transpose(0, 1) / math.sqrt(width)
        self.match.weight.data.copy_(weight.reshape(-1, width, 1, 1))
        assert self.match.bias is not None, "made above"
        self.match.bias.data.copy_(gate.bias.repeat_interleave(texts))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        gate = self.match(x).unflatten(1, (self.heads, -1)).amax(2).sigmoid()
        return (self.project(x).unflatten(1, (self.heads, -1)) * gate.unsqueeze(2)).flatten(1, 2)
