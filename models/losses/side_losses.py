"""Losses of what rows leave beside the predictions: reconstructions of an expert, and where visual prompts belong."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from models.losses.loss_terms import LossTerms
from utils.config.config import LossConfig
from utils.values.batch import Targets
from utils.values.predictions import Predictions


def side_losses(predictions: Predictions, targets: Targets, cfg: LossConfig) -> LossTerms:
    """Parts "reconstruction" and "energy", means over pictures; none for a network that leaves nothing."""
    terms = LossTerms({}, {})
    if predictions.reconstructions:
        total = torch.stack([r.sum() for r in predictions.reconstructions]).sum() * cfg.reconstruction
        terms.sums["reconstruction"] = total.view(1)
    if predictions.energies:
        losses = [energy_loss(e, targets, _extent(predictions)).sum() for e in predictions.energies]
        terms.sums["energy"] = (torch.stack(losses).sum() * cfg.energy).view(1)
    pictures = predictions.strides.new_full((1,), float(len(predictions.class_logits)))
    terms.counts.update(dict.fromkeys(terms.sums, pictures))
    return terms


def _extent(predictions: Predictions) -> tuple[int, int]:
    """(height, width) of the network input in px."""
    height, width = predictions.grids[0]
    stride = int(predictions.strides[0])
    return height * stride, width * stride


def energy_loss(energy: Tensor, targets: Targets, extent: tuple[int, int]) -> Tensor:
    """(B, h, w) energies over a network input of `extent` (height, width) px -> (B,).

    Low energy is asked for in cells that a box touches, high elsewhere: half the mean of softplus(E) over the former
    plus half that of softplus(-E) over the latter, 0 for a kind that a picture does not have (spec: RTVPNet 2.6).
    """
    inside = occupancy(targets, energy.shape, extent)
    wanted, unwanted = inside.float(), (~inside).float()
    low = (softplus(energy) * wanted).sum((1, 2)) / wanted.sum((1, 2)).clamp(min=1)
    high = (softplus(-energy) * unwanted).sum((1, 2)) / unwanted.sum((1, 2)).clamp(min=1)
    return (low + high) / 2


def occupancy(targets: Targets, shape: torch.Size, extent: tuple[int, int]) -> Tensor:
    """(B, h, w) bool: cells of the grid that some box touches."""
    batch, rows, columns = shape
    x1, y1, x2, y2 = targets.boxes.T
    y = torch.arange(rows, device=x1.device) * (extent[0] / rows)
    x = torch.arange(columns, device=x1.device) * (extent[1] / columns)
    in_rows = (y[None] < y2[:, None]) & (y[None] + extent[0] / rows > y1[:, None])
    in_columns = (x[None] < x2[:, None]) & (x[None] + extent[1] / columns > x1[:, None])
    touched = (in_rows[:, :, None] & in_columns[:, None, :]).float()
    counts = torch.zeros(batch, rows, columns, device=x1.device)
    return counts.index_add(0, targets.image_index, touched) > 0
