"""Predictions + Targets -> losses, as sums and counts per level."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from models.graph.graph import Graph
from models.heads.anchor import AnchorDetect
from models.heads.contrastive import ContrastiveDetect
from models.heads.free import FreeDetect
from models.losses.assign_by_anchor import assign_by_anchor_ratio
from models.losses.criterion_free import FreeCriterion
from models.losses.focal import focal_bce
from models.losses.iou import iou
from models.losses.learners import learners
from models.losses.loss_terms import LossTerms
from models.losses.matched_overlap import matched_boxes, matched_overlap
from models.rows.float32 import at_least_fp32
from utils.config.config import AssignConfig, Config, LossConfig
from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions

CENTRE_REACH = 1.0  # strides: how far beyond the middle of its cell an anchor prediction's centre reaches


class Criterion(Protocol):
    """What the training loop knows of a criterion."""

    def __call__(self, predictions: Predictions, targets: Targets) -> LossTerms:
        """Loss terms of a batch."""
        ...


def build_criterion(graph: Graph, cfg: Config) -> Criterion:
    """The criterion that belongs to the graph's head."""
    head = graph.head
    if isinstance(head, FreeDetect | ContrastiveDetect):
        return FreeCriterion(cfg.loss, cfg.assign)
    assert isinstance(head, AnchorDetect), f"no criterion for {type(head).__name__}"
    return AnchorCriterion(cfg.loss, cfg.assign, head.classes, cfg.data.imgsz)


class AnchorCriterion:
    """YOLOv5's loss for an anchor head, with any box overlap of models.losses.iou (spec: IDFE-Net section 4).

    Box: mean of 1 - overlap over the positives of a level, in the overlap's unit. Objectness: mean BCE over all
    predictions of a level against the overlap, balanced over levels. Class: mean BCE over positives x classes. Both
    BCEs are focal losses where `loss.focal_gamma` is above 0.
    """

    def __init__(self, loss: LossConfig, assign: AssignConfig, classes: int, image_size: int) -> None:
        self.loss, self.assign, self.classes = loss, assign, classes
        self.object_gain = loss.obj * (image_size / 640) ** 2
        self.class_gain = loss.cls * classes / 80

    def __call__(self, predictions: Predictions, targets: Targets) -> LossTerms:
        """Loss terms of a batch; a batch without targets has only objectness, and keeps the graph alive."""
        assigned = assign_by_anchor_ratio(predictions, targets, self.assign.anchor_t)
        level = _levels(predictions)
        positive_level = level[assigned.prediction_index]
        levels, scale = len(predictions.level_sizes), 3 / len(predictions.level_sizes)
        positives = torch.bincount(positive_level, minlength=levels).float()
        overlap, object_target = self._overlaps(predictions, targets, assigned)
        box = _per_level(1 - overlap, positive_level, levels)
        cls = _per_level(self._class_loss(predictions, targets, assigned), positive_level, levels)
        taught = learners(predictions, targets, assigned, reach=CENTRE_REACH)
        obj = self._object_loss(predictions, _best_targets(predictions, assigned, object_target), taught)
        cells = torch.stack([part.sum() for part in taught.split(list(predictions.level_sizes), 1)]).float()
        return LossTerms(
            sums={
                "box": box * (self.loss.box * scale),
                "obj": obj * (self.object_gain * scale),
                "cls": cls * (self.class_gain * scale),
            },
            counts={"box": positives, "obj": cells, "cls": positives * self.classes},
        )

    def _overlaps(self, predictions: Predictions, targets: Targets, assigned: Assignment) -> tuple[Tensor, Tensor]:
        """(P,) overlap for the box loss, and (P,) objectness target."""
        overlap = matched_overlap(predictions, targets, assigned, self.loss)
        quality = overlap
        if self.loss.obj_target == "iou":
            quality = iou(*matched_boxes(predictions, targets, assigned))
        return overlap, quality.detach().clamp(min=0)

    def _class_loss(self, predictions: Predictions, targets: Targets, assigned: Assignment) -> Tensor:
        """(P,) BCE summed over classes; zero where there is only one class to choose."""
        logits = at_least_fp32(predictions.class_logits[assigned.image_index, assigned.prediction_index])
        if self.classes == 1:
            return logits.sum(-1) * 0
        off = 0.5 * self.loss.label_smoothing
        truth = torch.full_like(logits, off)
        truth.scatter_(1, targets.labels[assigned.target_index][:, None], 1 - off)
        return focal_bce(logits, truth, self.loss.focal_gamma, self.loss.cls_pw).sum(-1)

    def _object_loss(self, predictions: Predictions, truth: Tensor, taught: Tensor) -> Tensor:
        """(L,) BCE summed over the `taught` predictions of each level and weighted by the level's balance."""
        assert predictions.objectness is not None, "the anchor criterion needs an objectness"
        loss = focal_bce(at_least_fp32(predictions.objectness), truth, self.loss.focal_gamma, self.loss.obj_pw)
        loss = loss.where(taught, loss.new_zeros(()))
        sums = torch.stack([part.sum() for part in loss.split(list(predictions.level_sizes), 1)])
        return sums * sums.new_tensor(_balance(self.loss.balance, len(sums)))


def _balance(weights: tuple[float, ...], levels: int) -> list[float]:
    """One weight per level; levels beyond the list share its last."""
    return [weights[min(i, len(weights) - 1)] for i in range(levels)]


def _levels(predictions: Predictions) -> Tensor:
    """(A,) level number of each prediction."""
    sizes = torch.tensor(predictions.level_sizes, device=predictions.class_logits.device)
    return torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)


def _per_level(values: Tensor, level: Tensor, levels: int) -> Tensor:
    """(P,) -> (levels,) sums."""
    return values.new_zeros(levels).index_add(0, level, values)


def _best_targets(predictions: Predictions, assigned: Assignment, quality: Tensor) -> Tensor:
    """(B, A) objectness targets. Where several targets share a prediction the last of the list wins, on any device."""
    batch, size = predictions.class_logits.shape[:2]
    flat = assigned.image_index * size + assigned.prediction_index
    order = torch.arange(len(flat), device=flat.device)
    last = torch.full((batch * size,), -1, device=flat.device).scatter_reduce(0, flat, order, "amax")
    wins = last[flat] == order
    truth = torch.zeros(batch * size, device=flat.device)
    truth[flat[wins]] = quality[wins].to(truth)
    return truth.view(batch, size)
