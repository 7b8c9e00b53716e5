"""A helper network that its owner uses and never trains, saves or copies."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn


class Frozen(nn.Module):
    """Holds `module` in eval mode without gradients, and keeps it to itself.

    The owner's `train()`, `parameters()`, `state_dict()`, `half()` and `requires_grad_()` do not reach it, and so
    neither do optimizer, checkpoint, EMA and DDP. `to(device)` does. A deep copy of the owner shares it: moving the
    copy to another device moves it for both.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        module.eval()
        module.requires_grad_(False)
        self._held = (module,)  # inside a tuple, torch does not register it as a submodule

    @property
    def module(self) -> nn.Module:
        """What is held."""
        return self._held[0]

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the held module returns, without gradient."""
        return self.module(*args, **kwargs)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Frozen:
        tensor = next(chain(self.module.parameters(), self.module.buffers()), None)
        if tensor is not None:
            # `fn` may move, cast or reallocate; only where it puts things is followed.
            self.module.to(fn(torch.empty(0, device=tensor.device)).device)
        super()._apply(fn, recurse)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self
