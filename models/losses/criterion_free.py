"""The loss of anchor-free heads: whatever made the class logits, boxes are distributions over distances."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from models.heads.distances import DistanceCode
from models.losses.assign_aligned import assign_aligned
from models.losses.learners import learners
from models.losses.loss_terms import LossTerms
from models.losses.matched_overlap import matched_overlap
from models.losses.side_losses import side_losses
from models.rows.float32 import at_least_fp32
from utils.config.config import AssignConfig, LossConfig
from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions

ROOM = 0.01  # how far below the last bin a distance is kept, so that it lies between two bins


class FreeCriterion:
    """Task-aligned loss (TOOD, arXiv 2108.07755) of predictions with a DistanceCode and no objectness.

    Every part is divided by the sum of the soft targets of the batch. Class: BCE of all predictions x classes against
    the soft targets, without those in ignored regions. Box: 1 - overlap, in the overlap's unit, and distribution focal
    loss of distances in cells, both weighted by the soft target. Plus the losses of what the network's rows leave, see
    side_losses.
    """

    def __init__(self, loss: LossConfig, assign: AssignConfig) -> None:
        self.loss, self.assign = loss, assign

    def __call__(self, predictions: Predictions, targets: Targets) -> LossTerms:
        """Loss terms of a batch; a batch without targets has only the class part, and keeps the graph alive."""
        assigned = assign_aligned(predictions, targets, self.assign)
        assert assigned.quality is not None, "task-aligned assignment has a quality"
        box, dfl = self._box_losses(predictions, targets, assigned)
        quality, best = assigned.quality, _target_logits(predictions, targets, assigned)
        # BCE(x, y) = softplus(x) - x y, summed without a table of the soft targets, most of which are 0
        cls = self._background(predictions, targets, assigned) - (best * quality).sum()
        sums = {
            "box": (box * quality).sum() * self.loss.free_box,
            "cls": cls * self.loss.free_cls,
            "dfl": (dfl * quality).sum() * self.loss.free_dfl,
        }
        total = quality.sum(dtype=torch.float64).view(1)  # the same however a batch is spread
        side = side_losses(predictions, targets, self.loss)
        own = {name: value.view(1) for name, value in sums.items()}
        return LossTerms({**own, **side.sums}, {**dict.fromkeys(sums, total), **side.counts})

    def _background(self, predictions: Predictions, targets: Targets, assigned: Assignment) -> Tensor:
        """Sum of softplus over the predictions that learn: the cross-entropy against an empty picture."""
        logits = at_least_fp32(predictions.class_logits)
        if not len(targets.ignored):
            return softplus(logits).sum()
        learn = learners(predictions, targets, assigned, reach=0.0)
        return softplus(logits).sum(-1).where(learn, logits.new_zeros(())).sum()

    def _box_losses(self, predictions: Predictions, targets: Targets, assigned: Assignment) -> tuple[Tensor, Tensor]:
        """(P,) 1 - overlap and (P,) distribution focal loss of the positives."""
        assert isinstance(predictions.code, DistanceCode), "the anchor-free criterion needs distances"
        overlap = matched_overlap(predictions, targets, assigned, self.loss)
        image, index = assigned.image_index, assigned.prediction_index
        stride = predictions.strides[index][:, None]
        truth = targets.boxes[assigned.target_index] / stride
        points = predictions.points[index] / stride
        distances = torch.cat((points - truth[:, :2], truth[:, 2:] - points), -1)
        logits = at_least_fp32(predictions.code.values[image, index])
        return 1 - overlap, distribution_focal(logits, distances).mean(-1)


def _target_logits(predictions: Predictions, targets: Targets, assigned: Assignment) -> Tensor:
    """(P,) each positive's logit of its target's class."""
    label = targets.labels[assigned.target_index]
    return at_least_fp32(predictions.class_logits[assigned.image_index, assigned.prediction_index, label])


def distribution_focal(logits: Tensor, distance: Tensor) -> Tensor:
    """(..., bins) logits and (...) distances in cells -> (...): cross-entropy with the two bins around the distance.

    The nearer bin weighs more: distance = weighted mean of the two (arXiv 2006.04388, eq. 6). Distances are clamped
    to what the bins can say.
    """
    distance = distance.clamp(0, logits.shape[-1] - 1 - ROOM)
    below = distance.floor().long()
    above_weight = distance - below
    flat = logits.flatten(0, -2)
    low, high = (cross_entropy(flat, b.flatten(), reduction="none").view(b.shape) for b in (below, below + 1))
    return low * (1 - above_weight) + high * above_weight
