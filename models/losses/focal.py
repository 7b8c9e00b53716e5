"""Binary cross entropy that may turn away from what is easy (focal loss)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

ALPHA = 0.25  # the paper's weight of positives beside its best gamma, 2


def focal_bce(logits: Tensor, truth: Tensor, gamma: float = 0.0, positive_weight: float = 1.0) -> Tensor:
    """Focal loss (arXiv 1708.02002) of `logits` against `truth` in 0..1, elementwise and of their shape.

    With miss = |truth - p| for a truth of 0 or 1, it is the cross entropy times alpha miss^gamma for positives and
    (1 - alpha) miss^gamma for negatives; a truth in between mixes the two in its proportion. Gamma 0 is the plain
    cross entropy, without alpha.
    """
    weight = logits.new_tensor(positive_weight)
    loss = binary_cross_entropy_with_logits(logits, truth, reduction="none", pos_weight=weight)
    if gamma == 0:
        return loss
    miss = truth * (-logits).sigmoid() + (1 - truth) * logits.sigmoid()  # no 1 - p: that cancels where p is near 1
    balance = truth * ALPHA + (1 - truth) * (1 - ALPHA)
    # The clamp keeps the slope of miss^gamma finite for gamma below 1.
    return loss * balance * miss.clamp(min=torch.finfo(miss.dtype).eps) ** gamma
