"""Box overlaps for the box loss: elementwise, pure, differentiable in the prediction.

Every function takes (..., 4) xyxy `prediction` and `target` of one shape in one unit and returns (...,)
similarities, 1 for a perfect match; the box loss is 1 - similarity. Inforced-IoU depends on the unit: IDFE-Net uses
grid cells of the level.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

EPS = 1e-7


@dataclass(frozen=True, eq=False)
class _Pair:
    """Quantities that several overlaps share; all (...,)."""

    iou: Tensor
    union: Tensor
    size_p: Tensor  # (..., 2) width, height
    size_t: Tensor
    hull: Tensor  # (..., 2) width, height of the smallest enclosing box
    centre_distance2: Tensor

    @classmethod
    def of(cls, p: Tensor, t: Tensor) -> _Pair:
        size_p, size_t = p[..., 2:] - p[..., :2], t[..., 2:] - t[..., :2]
        inner = torch.minimum(p[..., 2:], t[..., 2:]) - torch.maximum(p[..., :2], t[..., :2])
        intersection = inner.clamp(min=0).prod(-1)
        union = size_p.prod(-1) + size_t.prod(-1) - intersection + EPS
        hull = torch.maximum(p[..., 2:], t[..., 2:]) - torch.minimum(p[..., :2], t[..., :2])
        distance2 = ((p[..., :2] + p[..., 2:] - t[..., :2] - t[..., 2:]) / 2).square().sum(-1)
        return cls(intersection / union, union, size_p, size_t, hull, distance2)

    def centre_penalty(self) -> Tensor:
        """Squared centre distance over the squared diagonal of the hull (DIoU)."""
        return self.centre_distance2 / (self.hull.square().sum(-1) + EPS)

    def aspect_penalty(self) -> Tensor:
        """CIoU's alpha x v, alpha without gradient."""
        angle_t, angle_p = (torch.atan2(s[..., 0], s[..., 1].clamp(min=EPS)) for s in (self.size_t, self.size_p))
        v = (4 / math.pi**2) * (angle_t - angle_p).square()
        return self.weighted(v)

    def weighted(self, term: Tensor) -> Tensor:
        """term^2 / (term - IoU + 1), the weight without gradient."""
        return (term / (term - self.iou + 1 + EPS)).detach() * term

    def diagonals(self) -> tuple[Tensor, Tensor]:
        """Box diagonals; the clamp keeps the gradient finite at an empty box."""
        p, t = (s.square().sum(-1).clamp(min=EPS**2).sqrt() for s in (self.size_p, self.size_t))
        return p, t

    def diagonal_penalty(self) -> Tensor:
        """Inforced-IoU's t: squared difference of the arctangents of the diagonals. Not scale invariant."""
        p, t = self.diagonals()
        return (p.atan() - t.atan()).square()


def iou(prediction: Tensor, target: Tensor) -> Tensor:
    """Intersection over union, 0..1."""
    return _Pair.of(prediction, target).iou


def giou(prediction: Tensor, target: Tensor) -> Tensor:
    """Generalised IoU (arXiv 1902.09630), -1..1."""
    pair = _Pair.of(prediction, target)
    hull_area = pair.hull.prod(-1) + EPS
    return pair.iou - (hull_area - pair.union) / hull_area


def diou(prediction: Tensor, target: Tensor) -> Tensor:
    """Distance IoU (arXiv 1911.08287)."""
    pair = _Pair.of(prediction, target)
    return pair.iou - pair.centre_penalty()


def ciou(prediction: Tensor, target: Tensor) -> Tensor:
    """Complete IoU (arXiv 1911.08287): distance and aspect ratio."""
    pair = _Pair.of(prediction, target)
    return pair.iou - pair.centre_penalty() - pair.aspect_penalty()


def inforced(prediction: Tensor, target: Tensor) -> Tensor:
    """Inforced-IoU of IDFE-Net's V1.0 release: CIoU minus the diagonal penalty. Above -4.47."""
    pair = _Pair.of(prediction, target)
    return pair.iou - pair.centre_penalty() - pair.aspect_penalty() - pair.diagonal_penalty()


IOUS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "iou": iou,
    "giou": giou,
    "diou": diou,
    "ciou": ciou,
    "inforced": inforced,
}
