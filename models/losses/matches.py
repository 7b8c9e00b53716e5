"""The matches of an assignment, a prediction and a target each: their boxes, how well these overlap, and which of the
predictions without a match are background.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.losses.iou import IOUS
from utils.config.config import LossConfig
from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions


def matched_boxes(predictions: Predictions, targets: Targets, assigned: Assignment) -> tuple[Tensor, Tensor]:
    """(P, 4) xyxy px of the predictions of an assignment, and of their targets."""
    return predictions.boxes_at(assigned.image_index, assigned.prediction_index), targets.boxes[assigned.target_index]


def matched_overlap(predictions: Predictions, targets: Targets, assigned: Assignment, cfg: LossConfig) -> Tensor:
    """(P,) the overlap `cfg.iou` of each match, in the unit that it needs."""
    overlap = IOUS[cfg.iou]
    boxes, truth = matched_boxes(predictions, targets, assigned)
    if overlap.unit == "cells":
        stride = predictions.strides[assigned.prediction_index][:, None]
        boxes, truth = boxes / stride, truth / stride
    constants = {name: getattr(cfg, name) for name in ("inner_ratio", "nwd_constant", "shape_scale")}
    return overlap(boxes, truth, image_size=input_size(predictions), **constants)


def input_size(predictions: Predictions) -> tuple[Tensor, Tensor]:
    """Height and width of this batch's network input, px; --img is not always it: in validation it is a rectangle.

    Tensors of one number, because reading a number off a GPU would wait for all its work.
    """
    height, width = predictions.grids[0]
    # predictions are ordered by level, so the first one's stride is that of the first grid
    return height * predictions.strides[0], width * predictions.strides[0]


def not_ignored(predictions: Predictions, targets: Targets, assigned: Assignment, reach: float) -> Tensor:
    """(B, A) bool: positives and background, the predictions whose object or class score is taught.

    False for those that have no target and whose point lies in an ignored region, or at most `reach` strides outside
    it: whether such a region shows a defect or background is unknown.
    """
    taught = torch.ones(predictions.class_logits.shape[:2], dtype=torch.bool, device=predictions.class_logits.device)
    if not len(targets.ignored):
        return taught
    low, high = targets.ignored[:, None, :2], targets.ignored[:, None, 2:]
    margin = predictions.strides[:, None] * reach
    touches = ((predictions.points + margin > low) & (predictions.points - margin < high)).all(-1)  # (R, A)
    regions = torch.zeros(taught.shape, device=taught.device).index_add(0, targets.ignored_index, touches.float())
    taught &= regions == 0
    # last: a labelled target inside an ignored region is still learnt
    taught[assigned.image_index, assigned.prediction_index] = True
    return taught
