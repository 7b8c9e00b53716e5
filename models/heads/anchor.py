"""The anchor head of YOLOv5, as IDFE-Net uses it: boxes as offsets from anchors, one objectness, K classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from models.heads.head import ClassRows
from models.losses.anchor_criterion import AnchorCriterion
from models.losses.terms import Criterion
from models.rows.float32 import at_least_fp32
from models.rows.registry import Ins, Strides, register
from utils.config.config import Config
from utils.values.predictions import BoxCode, Predictions


@dataclass(frozen=True, eq=False)
class Grid:
    """Constants of one set of map sizes: `cells` (A, 2) in cells, `points` (A, 2) centres px, `strides` (A,),
    `anchors` px.
    """

    cells: Tensor
    points: Tensor
    strides: Tensor
    anchors: Tensor


@dataclass(frozen=True, eq=False)
class AnchorCode(BoxCode):
    """`values` (B, A, 4): offsets from the cells and anchors of `grid`. YOLOv5 v6: centre = (2 sigmoid(t) - 0.5 + cell)
    x stride, size = (2 sigmoid(t))^2 x anchor.
    """

    grid: Grid

    def decode(self, values: Tensor, index: Tensor | slice) -> Tensor:
        """See BoxCode."""
        # 0..2: centres reach half a cell beyond their own, sizes up to 4 anchors
        t, grid = at_least_fp32(values).sigmoid() * 2, self.grid
        centre = (t[..., :2] - 0.5 + grid.cells[index]) * grid.strides[index][:, None]
        half = t[..., 2:].square() * grid.anchors[index] / 2
        return torch.cat((centre - half, centre + half), -1)


LARGEST, MOST = 65_536, 32  # px of an anchor's side; anchors of a level


@register
class AnchorDetect(nn.Module):
    """A 1x1 convolution per level to `anchors x (4 + 1 + classes)`, boxes in an AnchorCode.

    Sources: one map per level, (B, C_l, H_l, W_l). `anchors`: per level a flat list w1, h1, w2, h2, ... in pixels.
    Predictions are ordered level, row, column, anchor.
    """

    anchors: Tensor  # (levels, anchors per cell, 2) width, height px

    sections: ClassVar = ("loss", "anchor_loss", "anchor_assign")

    def __init__(self, classes: int, anchors: list[list[float]], c_ins: Ins, strides: Strides) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"needs at least 1 class, got {classes}")
        if len(anchors) != len(c_ins):
            raise ValueError(f"{len(anchors)} rows of anchors for {len(c_ins)} levels")
        if any(len(row) % 2 or len(row) != len(anchors[0]) or not row for row in anchors):
            raise ValueError("each level needs the same number of width, height pairs")
        if not all(0 < side <= LARGEST for row in anchors for side in row) or len(anchors[0]) > 2 * MOST:
            raise ValueError(f"anchors are widths and heights in px above 0, up to {LARGEST:,}; at most {MOST} a level")
        self.classes, self.strides = classes, tuple(strides)
        self.per_cell = len(anchors[0]) // 2
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32).view(len(anchors), -1, 2))
        self.convs = nn.ModuleList(nn.Conv2d(c, self.per_cell * (5 + classes), 1) for c in c_ins)
        self._set_priors()

    def _set_priors(self) -> None:
        """Start from about 8 objects per 640-px picture and 0.6 objects' worth of class (RetinaNet's prior, per
        level).
        """
        for conv, stride in zip(self.convs, self.strides, strict=True):
            assert isinstance(conv, nn.Conv2d) and conv.bias is not None, "made above"
            bias = conv.bias.detach().view(self.per_cell, -1)  # a view: written in place
            bias[:, 4] += math.log(8 / (640 / stride) ** 2)
            # 0.99999 (YOLOv5's) instead of 1 keeps the logarithm finite for a single class
            bias[:, 5:] += math.log(0.6 / (self.classes - 0.99999))

    def forward(self, inputs: Sequence[Tensor]) -> Predictions:
        """Maps of all levels -> Predictions."""
        return self.decode(self.raw(inputs))

    def raw(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Per level (B, H, W, anchors, 5 + classes), undecoded."""
        maps = []
        for conv, x in zip(self.convs, inputs, strict=True):
            y = conv(x).permute(0, 2, 3, 1)  # free where the maps are channels_last
            maps.append(y.unflatten(-1, (self.per_cell, 5 + self.classes)))
        return maps

    def decode(self, maps: Sequence[Tensor]) -> Predictions:
        """What `raw` returned -> Predictions."""
        grids = tuple((m.shape[1], m.shape[2]) for m in maps)
        grid = self._grid(grids, maps[0].device)
        flat = torch.cat([m.flatten(1, 3) for m in maps], 1)
        return Predictions(
            code=AnchorCode(flat[..., :4], grid),
            class_logits=flat[..., 5:],
            objectness=flat[..., 4],
            points=grid.points,
            strides=grid.strides,
            level_sizes=tuple(h * w * self.per_cell for h, w in grids),
            grids=grids,
            anchors=grid.anchors,
        )

    def criterion(self, cfg: Config) -> Criterion:
        """See models.heads.head."""
        return AnchorCriterion(cfg.loss, cfg.anchor_loss, cfg.anchor_assign, self.classes, cfg.data.imgsz)

    def class_rows(self) -> dict[str, ClassRows]:
        """See models.heads.head."""
        rows = ClassRows(groups=self.per_cell, shared=5)  # box and objectness come before the classes
        return {f"convs.{level}.{part}": rows for level in range(len(self.convs)) for part in ("weight", "bias")}

    def _grid(self, grids: tuple[tuple[int, int], ...], device: torch.device) -> Grid:
        cells, strides, anchors = [], [], []
        for (height, width), stride, level_anchors in zip(grids, self.strides, self.anchors, strict=True):
            y, x = torch.meshgrid(
                torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
            )
            # each cell once per anchor, the anchor running fastest, as in the flattened maps
            cell = torch.stack((x, y), -1).view(-1, 1, 2).expand(-1, self.per_cell, 2).reshape(-1, 2)
            cells.append(cell.float())
            strides.append(torch.full((height * width * self.per_cell,), float(stride), device=device))
            anchors.append(level_anchors.to(device).repeat(height * width, 1))
        joined_cells, joined_strides = torch.cat(cells), torch.cat(strides)
        points = (joined_cells + 0.5) * joined_strides[:, None]
        return Grid(joined_cells, points, joined_strides, torch.cat(anchors))
