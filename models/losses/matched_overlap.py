"""How well predictions overlap the targets they answer for: what every box loss starts from."""

from __future__ import annotations

from torch import Tensor

from models.losses.iou import IOUS
from utils.config.config import LossConfig
from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions


def matched_boxes(predictions: Predictions, targets: Targets, assigned: Assignment) -> tuple[Tensor, Tensor]:
    """(P, 4) xyxy px of the predictions of an assignment, and of their targets."""
    return predictions.boxes_at(assigned.image_index, assigned.prediction_index), targets.boxes[assigned.target_index]


def matched_overlap(predictions: Predictions, targets: Targets, assigned: Assignment, loss: LossConfig) -> Tensor:
    """(P,) the overlap `loss.iou` of each match, in the unit that it wants."""
    overlap = IOUS[loss.iou]
    boxes, truth = matched_boxes(predictions, targets, assigned)
    if overlap.unit == "cells":
        stride = predictions.strides[assigned.prediction_index][:, None]
        boxes, truth = boxes / stride, truth / stride
    constants = {name: getattr(loss, name) for name in ("inner_ratio", "nwd_constant", "shape_scale")}
    return overlap(boxes, truth, image_size=_image_size(predictions), **constants)


def _image_size(predictions: Predictions) -> tuple[Tensor, Tensor]:
    """Height and width of this batch's network input, px: a rectangle in validation."""
    height, width = predictions.grids[0]
    return height * predictions.strides[0], width * predictions.strides[0]
