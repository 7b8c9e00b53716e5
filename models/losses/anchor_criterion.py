"""The loss of anchor heads, YOLOv5's: assignment by anchor ratio, box, objectness and class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from models.losses.iou import iou
from models.losses.matches import matched_boxes, matched_overlap, not_ignored
from models.losses.terms import LossTerms
from models.rows.float32 import at_least_fp32
from utils.config.config import AnchorAssignConfig, AnchorLossConfig, LossConfig
from utils.values.batch import Targets
from utils.values.boxes import xyxy_to_cxcywh
from utils.values.predictions import Assignment, Predictions

# Own cell, then the left, top, right and bottom neighbour, as shifts of the centre in cells.
NEIGHBOURS = ((0.0, 0.0), (-0.5, 0.0), (0.0, -0.5), (0.5, 0.0), (0.0, 0.5))
CENTRE_REACH = 1.0  # strides: how far beyond the middle of its cell an anchor prediction's centre reaches
FOCAL_ALPHA = 0.25  # the paper's weight of positives beside its best gamma, 2
# YOLOv5's weights were found with three levels, at 640 px, with COCO's 80 classes. Other networks scale them, so that
# the three parts keep their proportion.
TUNED_LEVELS, TUNED_PX, TUNED_CLASSES = 3, 640, 80


class AnchorCriterion:
    """YOLOv5's loss for an anchor head, with any box overlap of models.losses.iou (spec: IDFE-Net section 4).

    Box: mean of 1 - overlap over the positives of a level, in the overlap's unit. Objectness: mean BCE over all
    predictions of a level against the overlap, balanced over levels. Class: mean BCE over positives x classes. Both
    BCEs are focal losses where `focal_gamma` is above 0. `image_size`: --img, px.
    """

    def __init__(
        self,
        shared: LossConfig,
        loss: AnchorLossConfig,
        assign: AnchorAssignConfig,
        classes: int,
        image_size: int,
    ) -> None:
        self.shared, self.loss, self.assign, self.classes = shared, loss, assign, classes
        self.object_gain = loss.obj * (image_size / TUNED_PX) ** 2
        self.class_gain = loss.cls * classes / TUNED_CLASSES

    def __call__(self, predictions: Predictions, targets: Targets) -> LossTerms:
        """Loss terms of a batch; a batch without targets has only objectness, and keeps the graph alive."""
        assigned = assign_by_anchor_ratio(predictions, targets, self.assign.max_ratio)
        level = _levels(predictions)
        positive_level = level[assigned.prediction_index]
        levels, scale = len(predictions.level_sizes), TUNED_LEVELS / len(predictions.level_sizes)
        positives = torch.bincount(positive_level, minlength=levels).float()
        overlap, object_target = self._overlaps(predictions, targets, assigned)
        box = _per_level(1 - overlap, positive_level, levels)
        cls = _per_level(self._class_loss(predictions, targets, assigned), positive_level, levels)
        taught = not_ignored(predictions, targets, assigned, reach=CENTRE_REACH)
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
        overlap = matched_overlap(predictions, targets, assigned, self.shared)
        quality = overlap
        if self.loss.obj_target == "iou":
            quality = iou(*matched_boxes(predictions, targets, assigned))
        # as a target of BCE it gets no gradient and starts at 0; many overlaps can be negative
        return overlap, quality.detach().clamp(min=0)

    def _class_loss(self, predictions: Predictions, targets: Targets, assigned: Assignment) -> Tensor:
        """(P,) BCE summed over classes; zero where there is only one class to choose."""
        logits = at_least_fp32(predictions.class_logits[assigned.image_index, assigned.prediction_index])
        if self.classes == 1:
            return logits.sum(-1) * 0  # not a constant: the class outputs stay part of the graph
        # YOLOv5's smoothing: every other class gets half of it, however many classes there are
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


def assign_by_anchor_ratio(predictions: Predictions, targets: Targets, max_ratio: float = 4.0) -> Assignment:
    """YOLOv5's assignment: a target takes every anchor whose sides are within `max_ratio` times its own.

    Each match counts in the target's own cell and in up to two neighbours on the nearer sides of its centre. A
    prediction may be given to several targets; the list is ordered level, neighbour, anchor, target.
    """
    assert predictions.anchors is not None, "anchor-ratio assignment needs an anchor head"
    box = xyxy_to_cxcywh(targets.boxes)
    parts, start = [], 0
    for size, grid in zip(predictions.level_sizes, predictions.grids, strict=True):
        per_cell = size // (grid[0] * grid[1])
        # those of the level's first cell; all its cells have the same
        anchors, stride = predictions.anchors[start : start + per_cell], predictions.strides[start]
        fits = _ratio_fits(box[:, 2:], anchors, max_ratio)  # (anchors, T)
        cells, inside = _cells(box[:, :2] / stride, grid)  # (5, T, 2), (5, T)
        # (5, anchors, T): nonzero walks it in this order, which decides who wins a shared prediction (_best_targets)
        neighbour, anchor, target = (inside[:, None] & fits).nonzero(as_tuple=True)
        cell = cells[neighbour, target]
        prediction = start + (cell[:, 1] * grid[1] + cell[:, 0]) * per_cell + anchor
        parts.append((targets.image_index[target], prediction, target))
        start += size
    image, prediction, target = (torch.cat(column) for column in zip(*parts, strict=True))
    return Assignment(image, prediction, target)


def _ratio_fits(sizes: Tensor, anchors: Tensor, max_ratio: float) -> Tensor:
    """(T, 2) and (N, 2) px -> (N, T) bool."""
    ratio = sizes / anchors[:, None]
    # too large or too small by a factor alike; a side of 0 gives 1 / 0 = inf and fits no anchor
    return torch.maximum(ratio, 1 / ratio).amax(-1) < max_ratio


def _cells(centre: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(T, 2) centres in cells -> the (5, T, 2) int64 column, row of each neighbour and which (5, T) of them count.

    A neighbour counts when the centre lies in the half of its cell next to it and more than one cell from that border.
    """
    limit = centre.new_tensor([grid[1], grid[0]])
    low = (centre % 1 < 0.5) & (centre > 1)
    from_end = limit - centre
    high = (from_end % 1 < 0.5) & (from_end > 1)
    always = torch.ones_like(low[:, 0])
    counts = torch.stack((always, low[:, 0], low[:, 1], high[:, 0], high[:, 1]))  # in the order of NEIGHBOURS
    cells = (centre + centre.new_tensor(NEIGHBOURS)[:, None]).floor().long()
    # a centre on the right or bottom border of the picture has no cell of its own
    return torch.minimum(cells.clamp(min=0), (limit - 1).long()), counts


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
    balance = truth * FOCAL_ALPHA + (1 - truth) * (1 - FOCAL_ALPHA)
    # The clamp keeps the slope of miss^gamma finite for gamma below 1.
    return loss * balance * miss.clamp(min=torch.finfo(miss.dtype).eps) ** gamma


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
    # truth[flat] = quality would leave the winner of a shared prediction to chance on a GPU
    last = torch.full((batch * size,), -1, device=flat.device).scatter_reduce(0, flat, order, "amax")
    wins = last[flat] == order
    truth = torch.zeros(batch * size, device=flat.device)
    truth[flat[wins]] = quality[wins].to(truth)
    return truth.view(batch, size)
