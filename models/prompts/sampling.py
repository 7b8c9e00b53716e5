"""Energy-based sparse sampling: how distinctive a position of an embedding is, which positions count (spec 2.6)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

SMALLEST_VARIANCE = 1e-4  # lambda: a channel that hardly varies says nothing
RAMP = 0.05  # part of the training over which the kept share falls from 1


def channel_norm(x: Tensor) -> Tensor:
    """(B, C, h, w) -> same, fp32: zero mean and unit variance over the channels of each position; zero stays zero."""
    return layer_norm(x.float().movedim(1, -1), x.shape[1:2], eps=1e-6).movedim(-1, 1)


def saliency(x: Tensor) -> Tensor:
    """(B, C, h, w) -> (B, h, w), mean 0 and standard deviation 1 over a picture's positions; high = distinctive.

    Mean over channels of the inverse of SimAM's minimal neuron energy 4 (v + l) / ((x - m)^2 + 2 v + 2 l), m and v the
    channel's mean and variance over the positions. An embedding that is the same everywhere gives 0.
    """
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    # ((x - m)^2 + 2 (v + l)) / (4 (v + l)): the second half is the constant 0.5
    inverse = (x - mean).square() / (4 * (variance + SMALLEST_VARIANCE)) + 0.5
    score = inverse.mean(1)
    return layer_norm(score, score.shape[1:], eps=1e-6)


def kept_share(final: float, progress: float) -> float:
    """The share of positions kept at `progress` 0..1 of the training: 1 at its start, `final` from RAMP on."""
    return 1 + (final - 1) * min(progress / RAMP, 1.0)


def sparse_mask(energy: Tensor, share: float) -> Tensor:
    """Energies (B, h, w) -> (B, 1, h, w): sigmoid(-E) at the ceil(share x h w) positions of lowest energy, else 0.

    The gradient flows through the kept positions.
    """
    flat = energy.flatten(1)
    count = math.ceil(share * flat.shape[1] - 1e-9)  # the ramp's shares are rounded floats
    lowest = flat.topk(count, largest=False).indices
    kept = torch.zeros_like(flat).scatter_(1, lowest, 1.0)
    return ((-flat).sigmoid() * kept).view_as(energy)[:, None]
