"""What anchor-free heads share: the box branch, cell centres, and boxes from distributions over distances.

A head that has class logits of any origin (a convolution, text embeddings) adds a BoxBranch and calls
`distance_predictions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.layers.conv import Conv
from models.rows.float32 import at_least_fp32
from utils.values.predictions import BoxCode, Predictions

START_DECAY = 0.5  # bias of bin i starts at -i / 2: a mean distance of 1.5 cells, a box of 3 x 3 cells


def tower(c_in: int, width: int, light: bool = False) -> nn.Sequential:
    """Two 3x3 convolutions to `width` channels; `light` makes each a depthwise 3x3 followed by a 1x1.

    (B, c_in, H, W) -> (B, width, H, W).
    """
    if not light:
        return nn.Sequential(Conv(c_in, width, 3), Conv(width, width, 3))
    pairs = [(Conv(c, c, 3, groups=c), Conv(c, width)) for c in (c_in, width)]
    return nn.Sequential(*(conv for pair in pairs for conv in pair))


def cells_last(maps: Sequence[Tensor]) -> Tensor:
    """One (B, C, H_l, W_l) per level -> (B, A, C), ordered level, row, column; free where maps are channels_last."""
    return torch.cat([m.permute(0, 2, 3, 1).flatten(1, 2) for m in maps], 1)


class BoxBranch(nn.Module):
    """Per level a tower and a 1x1 convolution to 4 x `bins` logits: left, top, right, bottom.

    Forward: one (B, C_l, H_l, W_l) per level -> (B, A, 4, bins). Bin i stands for a distance of i cells from the
    cell's centre to that side of the box (generalised focal loss, arXiv 2006.04388).
    """

    def __init__(self, c_ins: Sequence[int], bins: int = 16, light: bool = False) -> None:
        super().__init__()
        if bins < 2:
            raise ValueError(f"needs at least 2 bins, got {bins}")
        self.bins = bins
        width = max(16, c_ins[0] // 4, 4 * bins)  # as YOLOv8: never narrower than its own output
        self.towers = nn.ModuleList(tower(c, width, light) for c in c_ins)
        self.outs = nn.ModuleList(nn.Conv2d(width, 4 * bins, 1) for _ in c_ins)
        start = torch.arange(bins).repeat(4) * -START_DECAY  # channels are ordered side, bin
        for out in self.outs:
            assert isinstance(out, nn.Conv2d) and out.bias is not None, "made above"
            out.bias.data.copy_(start)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """See the class."""
        maps = [out(branch(x)) for branch, out, x in zip(self.towers, self.outs, inputs, strict=True)]
        return cells_last(maps).unflatten(-1, (4, self.bins))


def cell_centres(
    grids: Sequence[tuple[int, int]], strides: Sequence[int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """(height, width) per level -> (A, 2) centres x, y in px and (A,) strides, ordered level, row, column."""
    points, per_point = [], []
    for (height, width), stride in zip(grids, strides, strict=True):
        y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
        points.append((torch.stack((x, y), -1).view(-1, 2) + 0.5) * stride)
        per_point.append(torch.full((height * width,), float(stride), device=device))
    return torch.cat(points), torch.cat(per_point)


@dataclass(frozen=True, eq=False)
class DistanceCode(BoxCode):
    """`values` (B, A, 4, bins): logits over the distances left, top, right, bottom in cells, bin i for i cells.

    `points` (A, 2) px and `strides` (A,) are those of the cells.
    """

    points: Tensor
    strides: Tensor

    def decode(self, values: Tensor, index: Tensor | slice) -> Tensor:
        """See BoxCode."""
        return decode_distances(values, self.points[index], self.strides[index])


def decode_distances(distribution: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """(..., N, 4, bins) logits -> (..., N, 4) xyxy px: the expected distance of each side, times stride."""
    bins = torch.arange(distribution.shape[-1], device=distribution.device, dtype=torch.float32)
    # a sum, not a matrix product, which may run in bfloat16 or TF32
    distance = (at_least_fp32(distribution).softmax(-1) * bins).sum(-1) * strides[:, None]
    return torch.cat((points - distance[..., :2], points + distance[..., 2:]), -1)


def distance_predictions(
    distribution: Tensor, class_logits: Tensor, grids: tuple[tuple[int, int], ...], strides: Sequence[int]
) -> Predictions:
    """Predictions from (B, A, 4, bins) and (B, A, K) logits over levels of `grids` (height, width) and `strides`."""
    points, per_point = cell_centres(grids, strides, distribution.device)
    return Predictions(
        code=DistanceCode(distribution, points, per_point),
        class_logits=class_logits,
        objectness=None,
        points=points,
        strides=per_point,
        level_sizes=tuple(height * width for height, width in grids),
        grids=grids,
    )
