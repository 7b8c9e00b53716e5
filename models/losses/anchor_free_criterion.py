"""The loss of anchor-free heads: whatever made the class logits, boxes are distributions over distances.

It also covers the side results of a network's rows: reconstructions of an expert's embedding, and where visual prompts
are wanted (RTVPNet).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from models.losses.aligned_assignment import assign_aligned
from models.losses.matches import input_size, matched_overlap, not_ignored
from models.losses.terms import LossTerms
from models.rows.float32 import at_least_fp32
from utils.config.config import FreeAssignConfig, FreeLossConfig, LossConfig
from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions

BELOW_LAST = 0.01  # cells below the last bin at which a distance is kept, so that it lies between two bins


class FreeCriterion:
    """Task-aligned loss (TOOD, arXiv 2108.07755) of predictions without objectness whose box code has values (B, A, 4,
    bins): logits over the distances left, top, right, bottom in cells, bin i for i cells.

    Every part is divided by the sum of the soft targets of the batch. Class: BCE of all predictions x classes against
    the soft targets, without those in ignored regions. Box: 1 - overlap, in the overlap's unit, and distribution focal
    loss of distances in cells, both weighted by the soft target. Plus `side_losses`.
    """

    def __init__(self, shared: LossConfig, loss: FreeLossConfig, assign: FreeAssignConfig) -> None:
        self.shared, self.loss, self.assign = shared, loss, assign

    def __call__(self, predictions: Predictions, targets: Targets) -> LossTerms:
        """Loss terms of a batch; a batch without targets has only the class part, and keeps the graph alive."""
        assigned = assign_aligned(predictions, targets, self.assign)
        assert assigned.quality is not None, "task-aligned assignment has a quality"
        box, dfl = self._box_losses(predictions, targets, assigned)
        quality, best = assigned.quality, _target_logits(predictions, targets, assigned)
        # BCE(x, y) = softplus(x) - x y, summed without a table of the soft targets, most of which are 0
        cls = _background(predictions, targets, assigned) - (best * quality).sum()
        sums = {
            "box": (box * quality).sum() * self.loss.box,
            "cls": cls * self.loss.cls,
            "dfl": (dfl * quality).sum() * self.loss.dfl,
        }
        total = quality.sum(dtype=torch.float64).view(1)  # the same however a batch is spread
        side = side_losses(predictions, targets, self.shared)
        own = {name: value.view(1) for name, value in sums.items()}
        return LossTerms({**own, **side.sums}, {**dict.fromkeys(sums, total), **side.counts})

    def _box_losses(self, predictions: Predictions, targets: Targets, assigned: Assignment) -> tuple[Tensor, Tensor]:
        """(P,) 1 - overlap and (P,) distribution focal loss of the positives."""
        overlap = matched_overlap(predictions, targets, assigned, self.shared)
        image, index = assigned.image_index, assigned.prediction_index
        stride = predictions.strides[index][:, None]
        truth = targets.boxes[assigned.target_index] / stride
        points = predictions.points[index] / stride
        distances = torch.cat((points - truth[:, :2], truth[:, 2:] - points), -1)
        logits = at_least_fp32(predictions.code.values[image, index])
        assert logits.ndim == 3, "the anchor-free criterion needs (B, A, 4, bins) logits over distances"
        return 1 - overlap, distribution_focal(logits, distances).mean(-1)


def _background(predictions: Predictions, targets: Targets, assigned: Assignment) -> Tensor:
    """Sum of softplus over predictions x classes, without ignored ones: the cross entropy against an empty picture."""
    logits = at_least_fp32(predictions.class_logits)
    if not len(targets.ignored):
        return softplus(logits).sum()
    taught = not_ignored(predictions, targets, assigned, reach=0.0)
    return softplus(logits).sum(-1).where(taught, logits.new_zeros(())).sum()


def _target_logits(predictions: Predictions, targets: Targets, assigned: Assignment) -> Tensor:
    """(P,) each positive's logit of its target's class."""
    label = targets.labels[assigned.target_index]
    return at_least_fp32(predictions.class_logits[assigned.image_index, assigned.prediction_index, label])


def distribution_focal(logits: Tensor, distance: Tensor) -> Tensor:
    """(..., bins) logits and (...) distances in cells -> (...): cross-entropy with the two bins around the distance.

    The nearer bin weighs more: distance = weighted mean of the two (arXiv 2006.04388, eq. 6). Distances are clamped
    to what the bins can represent.
    """
    # below the last bin, so that `below + 1` is still a bin
    distance = distance.clamp(0, logits.shape[-1] - 1 - BELOW_LAST)
    below = distance.floor().long()
    above_weight = distance - below
    # cross_entropy expects the bins in the second dimension of two
    flat = logits.flatten(0, -2)
    low, high = (cross_entropy(flat, b.flatten(), reduction="none").view(b.shape) for b in (below, below + 1))
    return low * (1 - above_weight) + high * above_weight


def side_losses(predictions: Predictions, targets: Targets, cfg: LossConfig) -> LossTerms:
    """Parts "reconstruction" and "energy", means over pictures; none for a network without side results."""
    terms = LossTerms({}, {})
    if predictions.reconstructions:
        total = torch.stack([r.sum() for r in predictions.reconstructions]).sum() * cfg.reconstruction
        terms.sums["reconstruction"] = total.view(1)
    if predictions.energies:
        size = input_size(predictions)
        total = torch.stack([energy_loss(energy, targets, size).sum() for energy in predictions.energies]).sum()
        terms.sums["energy"] = (total * cfg.energy).view(1)
    pictures = predictions.strides.new_full((1,), float(len(predictions.class_logits)))
    terms.counts.update(dict.fromkeys(terms.sums, pictures))
    return terms


def energy_loss(energy: Tensor, targets: Targets, extent: tuple[float | Tensor, float | Tensor]) -> Tensor:
    """(B, h, w) energies over a network input of `extent` (height, width) px -> (B,).

    Cells that a box touches are taught a low energy, the others a high one: half the mean of softplus(E) over the
    former plus half that of softplus(-E) over the latter, 0 for a kind that a picture lacks (spec: RTVPNet 2.6).
    """
    inside = occupancy(targets, energy.shape, extent)
    wanted, unwanted = inside.float(), (~inside).float()
    # a mean for each kind: the few cells with a defect count as much as the many without
    low = (softplus(energy) * wanted).sum((1, 2)) / wanted.sum((1, 2)).clamp(min=1)
    high = (softplus(-energy) * unwanted).sum((1, 2)) / unwanted.sum((1, 2)).clamp(min=1)
    return (low + high) / 2


def occupancy(targets: Targets, shape: torch.Size, extent: tuple[float | Tensor, float | Tensor]) -> Tensor:
    """(B, h, w) bool: cells of the grid that some box touches; the grid covers `extent` (height, width) px."""
    batch, rows, columns = shape
    x1, y1, x2, y2 = targets.boxes.T
    height, width = extent[0] / rows, extent[1] / columns  # of a cell
    y = torch.arange(rows, device=x1.device) * height
    x = torch.arange(columns, device=x1.device) * width
    in_rows = (y[None] < y2[:, None]) & (y[None] + height > y1[:, None])
    in_columns = (x[None] < x2[:, None]) & (x[None] + width > x1[:, None])
    touched = (in_rows[:, :, None] & in_columns[:, None, :]).float()
    counts = torch.zeros(batch, rows, columns, device=x1.device)
    return counts.index_add(0, targets.image_index, touched) > 0
