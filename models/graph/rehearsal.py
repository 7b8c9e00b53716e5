"""A row built and run on PyTorch's meta device first, where tensors have shapes but take no memory.

So a YAML that asks for too much is refused at its line before anything is allocated, whichever argument asks for it:
channels, a kernel, padding, a scale, bins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from models.graph.graph import Value, run_layer, takes_context
from models.rows.row_context import Context

MAX_TENSOR = 1 << 27  # numbers in one tensor, 512 MiB as float32; the measuring picture is a small one
MAX_PARAMETERS = 200_000_000


class TooLarge(Exception):
    """What a row asks for, in words for a message."""


class _Limits(TorchDispatchMode):
    """Refuses tensors of more than MAX_TENSOR numbers as soon as an operation makes one."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, Tensor) and tensor.numel() > MAX_TENSOR:
                shape = " x ".join(f"{side:,}" for side in tensor.shape)
                raise TooLarge(f"needs a tensor of {shape} numbers; take fewer channels, or a smaller kernel or scale")
        return made


def may_be_large(inputs: Sequence[Value], channels: int, numbers: Sequence[int]) -> bool:
    """Whether a row could exceed the limits: a rough bound, so that ordinary rows need not be rehearsed.

    `channels` that it gives (0: as many as it reads); `numbers` are its other arguments: each may be a side of a
    kernel, a scale or a padding, and counts twice; no layer multiplies more than two of them. A rehearsal costs 2 s
    the first time, as PyTorch then loads what the meta device needs.
    """
    maps = [value for value in inputs if isinstance(value, Tensor)]
    read = sum(value.shape[1] if value.ndim == 4 else value.shape[-1] for value in maps)
    area = max((value.shape[2] * value.shape[3] for value in maps if value.ndim == 4), default=1)
    growth = math.prod(sorted(max(abs(number), 1) for number in numbers)[-2:]) ** 2
    return max(read, channels) * max(read, channels, area) * growth > MAX_TENSOR


def rehearse(build: Callable[[], nn.Module], takes_list: bool, inputs: Sequence[Value]) -> None:
    """Build a row and run it on `inputs`, as far as the meta device can. Raises TooLarge.

    What else goes wrong is left to the real thing, which says it better: not everything can run on the meta device.
    """
    with torch.device("meta"), _Limits():
        try:
            module = build().eval()
            placed = [value.to("meta") if isinstance(value, Tensor) else value for value in inputs]
            run_layer(module, takes_list, placed, Context() if takes_context(module) else None)
        except TooLarge:
            raise
        except (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError):
            return
    parameters = sum(p.numel() for p in module.parameters())
    if parameters > MAX_PARAMETERS:
        raise TooLarge(f"has {parameters:,} parameters, at most {MAX_PARAMETERS:,} are possible")
