"""Which predictions learn that there is nothing where no target is."""

from __future__ import annotations

import torch
from torch import Tensor

from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions


def learners(predictions: Predictions, targets: Targets, assigned: Assignment, reach: float) -> Tensor:
    """(B, A) bool: the predictions that learn whether there is an object.

    Not those that an ignored region could be about, whose point lies in it or at most `reach` strides outside, unless
    they answer for a target. Nobody says whether such a region shows a defect or background.
    """
    learn = torch.ones(predictions.class_logits.shape[:2], dtype=torch.bool, device=predictions.class_logits.device)
    if not len(targets.ignored):
        return learn
    low, high = targets.ignored[:, None, :2], targets.ignored[:, None, 2:]
    margin = predictions.strides[:, None] * reach
    touches = ((predictions.points + margin > low) & (predictions.points - margin < high)).all(-1)  # (R, A)
    unknown = torch.zeros(learn.shape, device=learn.device).index_add(0, targets.ignored_index, touches.float())
    learn &= unknown == 0
    learn[assigned.image_index, assigned.prediction_index] = True
    return learn
