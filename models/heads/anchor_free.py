"""The anchor-free head: one prediction per cell, boxes and classes from branches of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from models.heads.distances import BoxBranch, cells_last, distance_predictions, tower
from models.heads.head import ClassRows
from models.losses.anchor_free_criterion import FreeCriterion
from models.losses.terms import Criterion
from models.rows.registry import Ins, Strides, register
from utils.config.config import Config
from utils.values.predictions import Predictions


@register
class FreeDetect(nn.Module):
    """Decoupled anchor-free head: a box branch (4 x `bins` logits) and a class branch per level, no objectness.

    Sources: one map per level, (B, C_l, H_l, W_l). Predictions are ordered level, row, column; `distribution` holds
    the box logits, boxes are decoded in float32 (arXiv 2006.04388). `light` lists the branches, "box" or "class",
    that are built from depthwise convolutions: cheaper, for narrow networks.
    """

    sections: ClassVar = ("loss", "free_loss", "free_assign")

    def __init__(
        self, classes: int, c_ins: Ins, strides: Strides, bins: int = 16, light: list[str] | None = None
    ) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"needs at least 1 class, got {classes}")
        light = light or []
        if not set(light) <= {"box", "class"}:
            raise ValueError(f"light names the branches 'box' and 'class', got {light}")
        self.classes, self.strides = classes, tuple(strides)
        self.box = BoxBranch(c_ins, bins, "box" in light)
        width = c_ins[0]
        self.towers = nn.ModuleList(tower(c, width, "class" in light) for c in c_ins)
        self.outs = nn.ModuleList(nn.Conv2d(width, classes, 1) for _ in c_ins)
        self._set_priors()

    def _set_priors(self) -> None:
        """Start from about 5 objects per level of a 640-px picture, spread over the classes (RetinaNet's prior)."""
        for out, stride in zip(self.outs, self.strides, strict=True):
            assert isinstance(out, nn.Conv2d) and out.bias is not None, "made above"
            out.bias.data.fill_(math.log(5 / self.classes / (640 / stride) ** 2))

    def forward(self, inputs: Sequence[Tensor]) -> Predictions:
        """Maps of all levels -> Predictions."""
        classes = [out(branch(x)) for branch, out, x in zip(self.towers, self.outs, inputs, strict=True)]
        grids = tuple((x.shape[2], x.shape[3]) for x in inputs)
        return distance_predictions(self.box(inputs), cells_last(classes), grids, self.strides)

    def criterion(self, cfg: Config) -> Criterion:
        """See models.heads.head."""
        return FreeCriterion(cfg.loss, cfg.free_loss, cfg.free_assign)

    def class_rows(self) -> dict[str, ClassRows]:
        """See models.heads.head."""
        return {f"outs.{level}.{part}": ClassRows() for level in range(len(self.outs)) for part in ("weight", "bias")}
