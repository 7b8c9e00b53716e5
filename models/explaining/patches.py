"""Patches that cover a box and its surroundings: what is hidden, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LEAST_SIDE = 4.0  # px of a patch's step: finer ones hide nothing that a network would miss


@dataclass(frozen=True)
class Scale:
    """A grid of `steps` x `steps` patches over a box that was made `grow` times as wide and as high."""

    grow: float
    steps: int


@dataclass(frozen=True, eq=False)
class Patches:
    """N soft rectangles in an input of H x W px, each a column times a row: `down` (N, H), `across` (N, W) in 0..1."""

    down: Tensor
    across: Tensor

    def __len__(self) -> int:
        return len(self.down)

    def masks(self, start: int, end: int) -> Tensor:
        """(end - start, H, W): how far each place is hidden by the patches of these numbers."""
        return self.down[start:end, :, None] * self.across[start:end, None]

    def covered(self) -> Tensor:
        """(H, W): how often each place is hidden altogether."""
        return self.down.T @ self.across

    def weighted(self, weights: Tensor) -> Tensor:
        """(H, W): the sum of all patches, each times its one of `weights` (N,)."""
        return (self.down * weights[:, None]).T @ self.across


def patches_over(box: Tensor, size: tuple[int, int], scale: Scale, side: float = 1.5) -> Patches:
    """The patches over a box (4,) xyxy px of an input of `size` (height, width) px: each `side` steps wide and high, so
    that neighbours overlap, with edges that run out over half a step. Those beyond the input are left out.
    """
    steps = scale.steps
    half = torch.maximum((box[2:] - box[:2]) * scale.grow, torch.full((2,), LEAST_SIDE * steps)) / 2
    low = (box[:2] + box[2:]) / 2 - half
    step = half * 2 / steps
    centres = low[:, None] + (torch.arange(steps) + 0.5) * step[:, None]  # (2, steps): x, y
    reach, edge = step[:, None] * side / 2, max(float(step.min()) / 2, 1.0)
    across, down = (
        _ramp(torch.arange(length) + 0.5, one - far, one + far, edge)
        for length, one, far in zip(size[::-1], centres, reach, strict=True)
    )
    across, down = across[across.sum(1) > 0], down[down.sum(1) > 0]
    return Patches(down.repeat_interleave(len(across), 0), across.repeat(len(down), 1))


def rectangle(box: Tensor, size: tuple[int, int], grow: float = 1.0) -> Tensor:
    """(H, W) float32 of `size`: the part of each pixel that a box (4,) xyxy px covers, made `grow` times as large."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * grow / 2
    low, high = middle - half, middle + half
    (across,), (down,) = (
        _ramp(torch.arange(length) + 0.5, low[axis, None], high[axis, None], 1.0)
        for axis, length in ((0, size[1]), (1, size[0]))
    )
    return down[:, None] * across


def _ramp(places: Tensor, low: Tensor, high: Tensor, edge: float) -> Tensor:
    """(N, P): how far each of `places` (P,) lies in low..high (N,), from 0 to 1 over `edge` px around each end."""
    low, high = low.reshape(-1, 1), high.reshape(-1, 1)
    rising, falling = (places - low) / edge + 0.5, (high - places) / edge + 0.5
    return (rising.clamp(0, 1) + falling.clamp(0, 1) - 1).clamp(min=0)
