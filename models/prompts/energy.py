"""Energy-based visual prompts: tokens for the positions that the detector should look at (spec: RTVPNet 2.6)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from models.prompts.embedding import SAMEmbedding, sam_row
from models.prompts.points import PromptPoints, prompt_points
from models.rows.float32 import at_least_fp32
from models.rows.registry import Ins, Peer, Strides, TextDim, register
from models.sam.prompt_encoder import BOTTOM_RIGHT, NOT_A_POINT


@register
class EnergyPrompts(nn.Module):
    """[energies (B, h, w) each, lifted map (B, 256, h, w)] -> tokens (B, 36, D), and which of them exist, (B, 36) bool.

    Points and boxes where the mean energy is low (see prompt_points), in Mobile-SAM's sparse prompt encoding, plus
    what the map holds there. Which cells are chosen has no gradient; what they hold has.

    `sam` names the SAMEmbedding row, whose frozen prompt encoder is used. Where it is off, positions are encoded by
    the same formula with a random matrix of a fixed seed. The learnt `types`, one per kind of token, are added either
    way and start at zero, so that the parameters are the same in every mode.
    """

    def __init__(self, sam: Peer, c_ins: Ins, strides: Strides, text_dim: TextDim) -> None:
        super().__init__()
        if len(c_ins) < 2 or len(strides) != 1:
            raise ValueError("takes energies and, last, one map")
        width = c_ins[-1]
        self.stride = strides[0]
        self.code = PointCode(sam_row(sam), width)
        self.types = nn.Parameter(torch.zeros(BOTTOM_RIGHT + 1, width))  # labels count from NEGATIVE = 0
        self.content = nn.Linear(width, width)
        self.out = nn.Sequential(nn.Linear(width, text_dim), nn.LayerNorm(text_dim))

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """See the class."""
        *energies, lifted = inputs
        prompts = prompt_points(torch.stack(energies).mean(0), self.stride)
        size = (lifted.shape[2] * self.stride, lifted.shape[3] * self.stride)
        valid = prompts.labels != NOT_A_POINT
        # NOT_A_POINT is -1, which would pick the last type; the factor removes what the clamp picks instead
        kinds = self.types[prompts.labels.clamp(min=0)] * valid[..., None]
        content = self.content(sample(lifted, prompts.centres, size))
        return self.out(self.code(prompts, size) + kinds + content), valid


class PointCode(nn.Module):
    """Sparse prompt embeddings (B, K, 256), fp32, without gradient: `row`'s prompt encoder, or its formula where that
    is off.
    """

    gaussian: Tensor

    def __init__(self, row: SAMEmbedding, width: int) -> None:
        super().__init__()
        self._row = (row,)  # in a tuple torch does not register it: it counts once, as a row
        matrix = torch.randn(2, width // 2, generator=torch.Generator().manual_seed(0))
        # not persistent: the seed gives it again, and the state dict is the same in every mode
        self.register_buffer("gaussian", matrix, persistent=False)

    def forward(self, prompts: PromptPoints, size: tuple[int, int]) -> Tensor:
        """`size` (height, width) px of the network input."""
        row = self._row[0]
        if not row.off:
            return row.sam.embed_points(prompts.points, prompts.labels, size)
        with torch.autocast(prompts.points.device.type, enabled=False):  # an angle is too fine for half precision
            extent = prompts.points.new_tensor((size[1], size[0]))
            angle = 2 * math.pi * ((2 * (prompts.points + 0.5) / extent - 1) @ self.gaussian.to(extent))
            code = torch.cat((angle.sin(), angle.cos()), -1)
        return code * (prompts.labels != NOT_A_POINT)[..., None]


def sample(x: Tensor, points: Tensor, size: tuple[int, int]) -> Tensor:
    """Map (B, C, h, w) over `size` (height, width) px, points (B, K, 2) px -> (B, K, C): bilinear between the cells'
    centres.
    """
    x = at_least_fp32(x)  # the grid takes its dtype, and half precision would round the positions
    # from the map's edge to its edge: what align_corners=False expects
    grid = 2 * points / points.new_tensor((size[1], size[0])) - 1
    found = grid_sample(x, grid[:, None].to(x), padding_mode="border", align_corners=False)
    return found[:, :, 0].transpose(1, 2)
