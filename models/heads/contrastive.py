"""The open-vocabulary head: a cell's class logit is how well it matches a text (spec: RTVPNet 2.9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from models.heads.distances import BoxBranch, cells_last, distance_predictions, tower
from models.heads.head import ClassRows
from models.layers.conv import batch_norm
from models.losses.anchor_free_criterion import FreeCriterion
from models.losses.terms import Criterion
from models.rows.folding import StaticRow
from models.rows.registry import Ins, Strides, TextDim, register
from models.rows.text_reader import TextReader
from utils.config.config import Config
from utils.values.predictions import Predictions

START_SCALE = -1.0  # of log scale


class ContrastiveBranch(nn.Module):
    """Per level: map (B, C, H, W) and text (N, D) or (B, N, D) -> logits (B, N, H, W).

    Logit of text n: <BN(v), T_n / |T_n|> exp(s) + b, with v the cell's D-wide embedding.
    """

    def __init__(self, c_in: int, width: int, text_dim: int, prior: float) -> None:
        super().__init__()
        self.tower = tower(c_in, width)
        self.embed = nn.Conv2d(width, text_dim, 1)
        assert self.embed.bias is not None, "made above"
        nn.init.zeros_(self.embed.bias)
        self.bn = batch_norm(text_dim)
        self.log_scale = nn.Parameter(torch.tensor(START_SCALE))
        self.bias = nn.Parameter(torch.tensor(prior))

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """See the class."""
        v = self.embedding(x)
        unit = normalize(text, dim=-1) * self.log_scale.exp()
        # cells (B, H W, D) against (D, N) or (B, D, N): the product broadcasts one text over all pictures
        logits = v.permute(0, 2, 3, 1).flatten(1, 2) @ unit.transpose(-1, -2) + self.bias
        return logits.unflatten(1, v.shape[2:]).permute(0, 3, 1, 2)

    def embedding(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) -> what is compared with text, (B, D, H, W)."""
        v: Tensor = self.bn(self.embed(self.tower(x)))
        return v

    @torch.no_grad()
    def static(self, text: Tensor) -> nn.Sequential:
        """The branch for a text (N, D) known beforehand: BatchNorm and text folded into one 1x1 convolution."""
        self.eval()
        # BN(v) = gain v + shift is linear, and so is the product with a fixed text; float64, to round only once
        assert self.bn.running_mean is not None and self.bn.running_var is not None, "BatchNorm keeps statistics"
        gain = self.bn.weight.double() / (self.bn.running_var.double() + self.bn.eps).sqrt()
        shift = self.bn.bias.double() - self.bn.running_mean.double() * gain
        unit = normalize(text.double(), dim=-1) * self.log_scale.double().exp()
        weight, bias = self.embed.weight.double().flatten(1), self.embed.bias
        assert bias is not None, "made with a bias"
        out = nn.Conv2d(weight.shape[1], len(text), 1)
        out.weight.data.copy_((unit @ (gain[:, None] * weight))[..., None, None])
        assert out.bias is not None, "made above"
        out.bias.data.copy_(unit @ (gain * bias.double() + shift) + self.bias.double())
        return nn.Sequential(self.tower, out.to(text.device))


@register
class ContrastiveDetect(TextReader):
    """Anchor-free head whose classes are texts: one map per level and, last, text (N, D) or (B, N, D) -> Predictions.

    `classes`: how many texts training compares at a time, for the first bias: about 5 objects per level of a 640-px
    picture. It limits nothing.
    """

    sections: ClassVar = ("loss", "free_loss", "free_assign")

    def __init__(self, classes: int, c_ins: Ins, strides: Strides, text_dim: TextDim, bins: int = 16) -> None:
        super().__init__()
        if len(c_ins) != len(strides) + 1:
            raise ValueError("takes one map per level and, last, text")
        self.strides, levels = tuple(strides), c_ins[:-1]
        self.box = BoxBranch(levels, bins)
        priors = [math.log(5 / classes / (640 / stride) ** 2) for stride in strides]
        self.classes = nn.ModuleList(
            ContrastiveBranch(c, levels[0], text_dim, prior) for c, prior in zip(levels, priors, strict=True)
        )

    def forward(self, inputs: Sequence[Tensor]) -> Predictions:
        """See the class."""
        *maps, text = inputs
        text = self.asking(text)
        logits = [branch(x, text) for branch, x in zip(self.classes, maps, strict=True)]
        return _predictions(self.box(maps), logits, self.strides)

    def embeddings(self, inputs: Sequence[Tensor]) -> Tensor:
        """What `forward` compares with text, (B, A, D) in the order of its predictions."""
        branches = [branch for branch in self.classes if isinstance(branch, ContrastiveBranch)]
        return cells_last([branch.embedding(x) for branch, x in zip(branches, inputs[:-1], strict=True)])

    def criterion(self, cfg: Config) -> Criterion:
        """See models.heads.head."""
        return FreeCriterion(cfg.loss, cfg.free_loss, cfg.free_assign)

    def class_rows(self) -> dict[str, ClassRows]:
        """See models.heads.head."""
        return {}

    def static(self, inputs: Sequence[Tensor | None]) -> StaticRow:
        """See models.rows.folding."""
        text = inputs[-1]
        assert text is not None and text.ndim == 2, "a static text is (N, D)"
        return StaticRow(StaticDetect(self, self.asking(text)), tuple(range(len(inputs) - 1)), takes_list=True)


class StaticDetect(nn.Module):
    """A ContrastiveDetect whose text has become the weights of its last convolutions. It has no criterion: a static
    network is for inference.
    """

    def __init__(self, head: ContrastiveDetect, text: Tensor) -> None:
        super().__init__()
        self.strides, self.box = head.strides, head.box
        branches = [branch for branch in head.classes if isinstance(branch, ContrastiveBranch)]
        self.classes = nn.ModuleList(branch.static(text) for branch in branches)

    def forward(self, maps: Sequence[Tensor]) -> Predictions:
        """See ContrastiveDetect."""
        return _predictions(self.box(maps), [f(x) for f, x in zip(self.classes, maps, strict=True)], self.strides)


def _predictions(distribution: Tensor, logits: Sequence[Tensor], strides: Sequence[int]) -> Predictions:
    grids = tuple((x.shape[2], x.shape[3]) for x in logits)
    return distance_predictions(distribution, cells_last(logits), grids, strides)
