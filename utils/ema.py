"""The running average of a model's weights that is evaluated and saved."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn


class EMA:
    """Exponential moving average of all floating-point state, with a decay that ramps up: decay x (1 - e^(-updates
    / tau)).
    """

    def __init__(self, model: nn.Module, decay: float, tau: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.tau, self.updates = decay, tau, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards `model` by one step."""
        self.updates += 1
        weight = 1 - self.decay * (1 - math.exp(-self.updates / self.tau))
        mine, theirs = self.module.state_dict(), model.state_dict()
        floating = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floating], [theirs[n] for n in floating], weight)
        for name, value in mine.items():
            if not value.is_floating_point():
                value.copy_(theirs[name])

    def state_dict(self) -> dict[str, Any]:
        """Plain state."""
        return {"module": self.module.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.module.load_state_dict(state["module"])
        self.updates = state["updates"]
