"""The running average of a model's weights that is evaluated and saved."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn


class EMA:
    """Exponential moving average of all floating-point state of `model`.

    The decay ramps up with the updates: decay x (1 - e^(-updates / tau)).
    """

    def __init__(self, model: nn.Module, decay: float, tau: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.tau, self.updates = decay, tau, 0
        # Walking the modules for their state costs as much as the update itself: the tensors are looked up once.
        mine, theirs = self.module.state_dict(), model.state_dict()
        self._floats = [(mine[n], theirs[n]) for n in mine if mine[n].is_floating_point()]
        self._others = [(mine[n], theirs[n]) for n in mine if not mine[n].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the model by one step."""
        self.updates += 1
        weight = 1 - self.decay * (1 - math.exp(-self.updates / self.tau))
        mine, theirs = (list(tensors) for tensors in zip(*self._floats, strict=True))
        torch._foreach_lerp_(mine, theirs, weight)
        for own, other in self._others:
            own.copy_(other)

    def state_dict(self) -> dict[str, Any]:
        """Plain state."""
        return {"module": self.module.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.module.load_state_dict(state["module"])
        self.updates = state["updates"]
