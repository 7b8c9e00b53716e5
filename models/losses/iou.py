"""Box overlaps for the box loss: elementwise, pure, differentiable in the prediction.

Every function takes (..., 4) xyxy `prediction` and `target` of one shape in one unit and returns (...,)
similarities, 1 for a perfect match; the box loss is 1 - similarity. Constants of a paper are keyword arguments.
Most overlaps are ratios and so have no unit; a docstring says where one matters, and `IOUS` says which one to give:
cells of the level for Inforced-IoU, as IDFE-Net does, pixels of the network input for those that compare with the
picture or with a length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

EPS = 1e-7  # keeps quotients and gradients finite for empty boxes
SHAPE_POWER = 4  # theta of SIoU and Shape-IoU: how sharply the shape cost sets in


@dataclass(frozen=True, eq=False)
class _Pair:
    """Quantities that several overlaps share; (...,), or (..., 2) for x and y."""

    iou: Tensor
    union: Tensor
    size_p: Tensor  # (..., 2) width, height
    size_t: Tensor
    hull: Tensor  # (..., 2) width, height of the smallest enclosing box
    offset: Tensor  # (..., 2) from the target's centre to the prediction's

    @classmethod
    def of(cls, p: Tensor, t: Tensor) -> _Pair:
        size_p, size_t = p[..., 2:] - p[..., :2], t[..., 2:] - t[..., :2]
        inner = torch.minimum(p[..., 2:], t[..., 2:]) - torch.maximum(p[..., :2], t[..., :2])
        # clamped side by side: boxes apart in both directions have two negative sides, and a positive product
        intersection = inner.clamp(min=0).prod(-1)
        union = size_p.prod(-1) + size_t.prod(-1) - intersection + EPS
        hull = torch.maximum(p[..., 2:], t[..., 2:]) - torch.minimum(p[..., :2], t[..., :2])
        offset = (p[..., :2] + p[..., 2:] - t[..., :2] - t[..., 2:]) / 2
        return cls(intersection / union, union, size_p, size_t, hull, offset)

    def hull_diagonal2(self) -> Tensor:
        """Squared diagonal of the hull."""
        return self.hull.square().sum(-1) + EPS

    def centre_penalty(self) -> Tensor:
        """Squared centre distance over the squared diagonal of the hull (DIoU)."""
        return self.offset.square().sum(-1) / self.hull_diagonal2()

    def aspect_penalty(self) -> Tensor:
        """CIoU's alpha x v, alpha without gradient."""
        # atan2 has no finite gradient at (0, 0), an empty box
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

    def shape_cost(self, weights: Tensor | float = 1.0) -> Tensor:
        """SIoU's shape cost: how far width and height are from the target's, relative to the larger of the two."""
        change = (self.size_p - self.size_t).abs() / (torch.maximum(self.size_p, self.size_t) + EPS)
        return (1 - (-weights * change).exp()).pow(SHAPE_POWER).sum(-1)


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


def eiou(prediction: Tensor, target: Tensor) -> Tensor:
    """Efficient IoU (arXiv 2101.08158): distance, and the errors of width and height relative to the hull's sides.
    The paper's focal weight over positives is not part of it.
    """
    pair = _Pair.of(prediction, target)
    sides = (pair.size_p - pair.size_t).square() / (pair.hull.square() + EPS)
    return pair.iou - pair.centre_penalty() - sides.sum(-1)


def siou(prediction: Tensor, target: Tensor) -> Tensor:
    """SCYLLA-IoU (arXiv 2205.12740): distance that weighs less where the offset is diagonal, and shape.

    The paper's angle cost 1 - 2 sin^2(arcsin x - pi/4), x the sine of the offset's angle, is sin(2 angle) =
    2 |dx dy| / (dx^2 + dy^2), which is smooth and the same for an angle and its complement.
    """
    pair = _Pair.of(prediction, target)
    angle = 2 * pair.offset.abs().prod(-1) / (pair.offset.square().sum(-1) + EPS)
    relative2 = pair.offset.square() / (pair.hull.square() + EPS)
    # the paper's 1 - exp(-gamma rho) with gamma = 2 - angle cost, summed over x and y
    distance = (1 - ((angle - 2)[..., None] * relative2).exp()).sum(-1)
    return pair.iou - (distance + pair.shape_cost()) / 2


def mpdiou(prediction: Tensor, target: Tensor, *, image_size: tuple[float | Tensor, float | Tensor]) -> Tensor:
    """IoU less the squared distances of both corners over the picture's squared diagonal (MPDIoU, arXiv 2307.07662).

    `image_size`: (height, width) of the network input in the unit of the boxes.
    """
    diagonal2 = image_size[0] ** 2 + image_size[1] ** 2
    return iou(prediction, target) - (prediction - target).square().sum(-1) / diagonal2


def nwd(prediction: Tensor, target: Tensor, *, nwd_constant: float) -> Tensor:
    """Normalised Gaussian Wasserstein distance (arXiv 2110.13389), 0..1: for tiny boxes, which need not overlap.

    exp(-W / C), W the distance of (centre, half the size). `nwd_constant` is C in the unit of the boxes: about the
    mean side of the set's boxes; the paper takes AI-TOD's, 12.8 px. Depends on the unit.
    """
    pair = _Pair.of(prediction, target)
    half = (pair.size_p - pair.size_t) / 2
    distance2 = pair.offset.square().sum(-1) + half.square().sum(-1)
    # the root has no finite slope at 0, a perfect match
    return (-distance2.clamp(min=EPS**2).sqrt() / nwd_constant).exp()


def inner_iou(prediction: Tensor, target: Tensor, *, inner_ratio: float) -> Tensor:
    """IoU of both boxes rescaled about their centres by `inner_ratio` (Inner-IoU, arXiv 2311.02877), 0..1.

    Below 1 it has no gradient for boxes that overlap little, above 1 it has one for some that do not touch.
    """
    return iou(_rescaled(prediction, inner_ratio), _rescaled(target, inner_ratio))


def inner_ciou(prediction: Tensor, target: Tensor, *, inner_ratio: float) -> Tensor:
    """Inner-CIoU (arXiv 2311.02877): CIoU with Inner-IoU in the place of the IoU; distance and aspect as in CIoU."""
    pair = _Pair.of(prediction, target)
    inner = inner_iou(prediction, target, inner_ratio=inner_ratio)
    return inner - pair.centre_penalty() - pair.aspect_penalty()


def _rescaled(boxes: Tensor, ratio: float) -> Tensor:
    centre, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) * (ratio / 2)
    return torch.cat((centre - half, centre + half), -1)


def shape_iou(prediction: Tensor, target: Tensor, *, shape_scale: float) -> Tensor:
    """Shape-IoU (arXiv 2312.17663): distance and shape cost, errors across the target's long side weighing more.

    `shape_scale` is the power of the target's sides in the weights; 0 weighs both directions alike.
    """
    pair = _Pair.of(prediction, target)
    sides = pair.size_t.clamp(min=EPS).pow(shape_scale)
    # the factor 2 makes both weights 1 for a square
    weights = (2 * sides / sides.sum(-1, keepdim=True)).flip(-1)  # x by the height, y by the width
    distance = (weights * pair.offset.square()).sum(-1) / pair.hull_diagonal2()
    return pair.iou - distance - pair.shape_cost(weights) / 2


def wise_iou_v1(prediction: Tensor, target: Tensor) -> Tensor:
    """Wise-IoU version 1 (arXiv 2301.10051): the loss 1 - IoU times exp(distance), the hull without gradient.

    At least 1 - e. Versions 2 and 3 also weigh by a running mean of the loss; that gain can be near 0 for the worst
    boxes, whose 1 - loss would then be no similarity, and it would be one more thing to resume.
    """
    pair = _Pair.of(prediction, target)
    # detached: otherwise a larger hull would be a way to a lower penalty
    distance = pair.offset.square().sum(-1) / pair.hull_diagonal2().detach()
    return 1 - distance.exp() * (1 - pair.iou)


def inforced(prediction: Tensor, target: Tensor) -> Tensor:
    """Inforced-IoU of IDFE-Net's V1.0 release: CIoU minus the diagonal penalty. Above -4.47. Depends on the unit."""
    pair = _Pair.of(prediction, target)
    return pair.iou - pair.centre_penalty() - pair.aspect_penalty() - pair.diagonal_penalty()


def inforced_basic(prediction: Tensor, target: Tensor) -> Tensor:
    """Inforced-IoU of IDFE-Net's BASIC release: the diagonal penalty weighted as CIoU weights the aspect's, the weight
    without gradient. Depends on the unit.
    """
    pair = _Pair.of(prediction, target)
    return pair.iou - pair.centre_penalty() - pair.aspect_penalty() - pair.weighted(pair.diagonal_penalty())


def inforced_norm(prediction: Tensor, target: Tensor) -> Tensor:
    """Inforced-IoU without a unit: CIoU minus 4/pi^2 (atan(ratio of the diagonals) - pi/4)^2, below 0.25 and the same
    for a ratio and its inverse. Ours, not IDFE-Net's.
    """
    pair = _Pair.of(prediction, target)
    # pi / 4 is the angle of equal diagonals
    penalty = (4 / math.pi**2) * (torch.atan2(*pair.diagonals()) - math.pi / 4).square()
    return pair.iou - pair.centre_penalty() - pair.aspect_penalty() - penalty


@dataclass(frozen=True)
class Overlap:
    """An entry of `IOUS`: the function, the unit that it needs the boxes in, the constants that it takes."""

    function: Callable[..., Tensor]
    unit: Literal["cells", "pixels"] = "cells"
    needs: tuple[str, ...] = ()

    def __call__(self, prediction: Tensor, target: Tensor, **constants: object) -> Tensor:
        """(..., 4) xyxy in `unit` -> (...,); of all `constants` the function gets those it needs."""
        return self.function(prediction, target, **{name: constants[name] for name in self.needs})


IOUS: dict[str, Overlap] = {
    "iou": Overlap(iou),
    "giou": Overlap(giou),
    "diou": Overlap(diou),
    "ciou": Overlap(ciou),
    "eiou": Overlap(eiou),
    "siou": Overlap(siou),
    "mpdiou": Overlap(mpdiou, "pixels", ("image_size",)),
    "nwd": Overlap(nwd, "pixels", ("nwd_constant",)),
    "inner-iou": Overlap(inner_iou, needs=("inner_ratio",)),
    "inner-ciou": Overlap(inner_ciou, needs=("inner_ratio",)),
    "shape-iou": Overlap(shape_iou, needs=("shape_scale",)),
    "wise-iou": Overlap(wise_iou_v1),
    "inforced": Overlap(inforced),
    "inforced_basic": Overlap(inforced_basic),
    "inforced_norm": Overlap(inforced_norm),
}
