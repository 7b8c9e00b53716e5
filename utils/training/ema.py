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
        floats = [name for name, tensor in mine.items() if tensor.is_floating_point()]
        counts = [name for name in mine if name not in floats]
        self._floats = [mine[n] for n in floats], [theirs[n] for n in floats]
        self._counts = [mine[n] for n in counts], [theirs[n] for n in counts]

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the model by one step."""
        self.updates += 1
        weight = 1 - self.decay * (1 - math.exp(-self.updates / self.tau))
        torch._foreach_lerp_(*self._floats, weight)
        if self._counts[0]:  # none without BatchNorm
            torch._foreach_copy_(*self._counts)

    def state_dict(self) -> dict[str, Any]:
        """Plain state."""
        return {"module": self.module.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.module.load_state_dict(state["module"])
        self.updates = state["updates"]
