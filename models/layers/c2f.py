"""YOLOv8's cross-stage block, plain and guided by text (spec: RTVPNet 2.2 and 2.8)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.layers.text_gate import TextGate
from models.rows.folding import StaticRow
from models.rows.registry import In, Ins, Out, Repeats, TextDim, register


class WideBottleneck(nn.Module):
    """Two 3x3 convolutions at constant width, plus the input when `shortcut`. (B, C, H, W) -> same."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1, self.cv2 = Conv(channels, channels, 3), Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2fBody(nn.Module):
    """What both blocks share: 1x1 to two halves, a chain of bottlenecks on the second, all of them joined by a 1x1.

    `extra` maps of half the output's width are joined too.
    """

    def __init__(self, c_in: int, c_out: int, repeats: int, shortcut: bool, extra: int = 0) -> None:
        super().__init__()
        if c_out % 2:
            raise ValueError(f"needs an even number of channels, got {c_out}")
        self.hidden = c_out // 2
        self.cv1 = Conv(c_in, 2 * self.hidden)
        self.cv2 = Conv((2 + repeats + extra) * self.hidden, c_out)
        self.chain = nn.ModuleList(WideBottleneck(self.hidden, shortcut) for _ in range(repeats))

    def maps(self, x: Tensor) -> list[Tensor]:
        """The two halves and every bottleneck's output, (B, c_out / 2, H, W) each."""
        maps = list(self.cv1(x).chunk(2, 1))
        for block in self.chain:
            maps.append(block(maps[-1]))
        return maps


@register
class C2f(C2fBody):
    """(B, c_in, H, W) -> (B, c_out, H, W)."""

    def __init__(self, c_in: In, c_out: Out, repeats: Repeats = 1, shortcut: bool = True) -> None:
        super().__init__(c_in, c_out, repeats, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.cv2(torch.cat(self.maps(x), 1))


@register
class TextGuidedC2f(C2fBody):
    """C2f whose last bottleneck's output passes a TextGate too: [map (B, c_in, H, W), text] -> (B, c_out, H, W).

    Text is (N, D), or (B, N, D) where it differs from picture to picture.
    """

    def __init__(self, c_ins: Ins, c_out: Out, text_dim: TextDim, repeats: Repeats = 1, shortcut: bool = False) -> None:
        if len(c_ins) != 2:
            raise ValueError(f"takes 2 sources (map, text), got {len(c_ins)}")
        super().__init__(c_ins[0], c_out, repeats, shortcut, extra=1)
        self.gate = TextGate(self.hidden, text_dim)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        x, text = inputs
        maps = self.maps(x)
        maps.append(self.gate(maps[-1], text))
        return self.cv2(torch.cat(maps, 1))

    def static(self, inputs: Sequence[Tensor | None]) -> StaticRow:
        """See models.rows.folding."""
        return StaticRow(StaticC2f(self, inputs[1]), (0,))


class StaticC2f(nn.Module):
    """A TextGuidedC2f whose text has become the weights of a convolution. (B, c_in, H, W) -> (B, c_out, H, W)."""

    def __init__(self, block: TextGuidedC2f, text: Tensor | None) -> None:
        super().__init__()
        assert text is not None and text.ndim == 2, "a static text is (N, D)"
        self.block = block
        self.gate = block.gate.static(text)
        del self.block.gate  # or its text weights would stay in the network, unused

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        maps = self.block.maps(x)
        maps.append(self.gate(maps[-1]))
        return self.block.cv2(torch.cat(maps, 1))
