"""What number format a network computes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from utils.config.config import RunConfig
from utils.console.log import LOG
from utils.words.errors import ConfigError


def autocast_dtype(run: RunConfig, device: torch.device) -> torch.dtype | None:
    """The format of the forward pass under autocast, None for float32 throughout.

    --amp: on GPUs bfloat16 where the GPU has it, otherwise float16; on CPUs bfloat16 where the CPU has it, otherwise
    float32. --bf16 asks for bfloat16 on any device; a CPU without units for it is slower than in float32, which a
    warning says. Raises ConfigError for what contradicts itself or is not there.
    """
    if run.bf16 and not run.amp:
        raise ConfigError("--bf16: contradicts --no-amp; leave one out")
    if device.type != "cuda":
        return _cpu_dtype(run)
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if run.bf16 and not has_bf16:
        raise ConfigError(f"--bf16: {torch.cuda.get_device_name(device)} has no bfloat16; leave it out for float16")
    if not run.amp:
        return None
    return torch.bfloat16 if has_bf16 else torch.float16


def _cpu_dtype(run: RunConfig) -> torch.dtype | None:
    """See autocast_dtype."""
    if run.bf16 and not cpu_has_bf16():
        LOG.warning("--bf16: this CPU has no units for bfloat16 and imitates it, slower than float32; leave it out")
    elif run.amp and not run.bf16 and cpu_has_bf16():
        LOG.info("mixed precision: bfloat16, for which this CPU has units; --no-amp trains in float32")
    return torch.bfloat16 if run.bf16 or (run.amp and cpu_has_bf16()) else None


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies in bfloat16 (AVX512-BF16 or AMX) instead of imitating it."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # torch has no public question


@contextmanager
def mixed_precision(device: torch.device, dtype: torch.dtype | None) -> Iterator[None]:
    """Compute in `dtype` where that is exact enough, as torch.autocast does; None: in float32 throughout."""
    on_cpu = device.type == "cpu" and dtype is not None
    with torch.autocast(device.type, dtype, enabled=dtype is not None), _SlowDepthwise() if on_cpu else nullcontext():
        yield


class _SlowDepthwise(TorchFunctionMode):
    """Depthwise convolutions with a stride or a kernel larger than 3 in float32, within autocast on a CPU: torch 2.13
    has no fast kernel there for their gradients in bfloat16, and takes two to twenty times as long as in float32.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """See torch.overrides."""
        if func is torch.conv2d and torch.is_grad_enabled() and _is_slow(*args[1:]):
            with torch.autocast("cpu", enabled=False):
                return func(args[0].float(), *args[1:], **(kwargs or {})).to(torch.get_autocast_dtype("cpu"))
        return func(*args, **(kwargs or {}))


def _is_slow(weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, *_: Any) -> bool:
    """Whether a convolution with `weight` (out, in / groups, height, width) is a depthwise one of those."""
    depthwise = weight.shape[0] > 1 == weight.shape[1]
    return depthwise and (max(weight.shape[2:]) > 3 or stride not in (1, (1, 1)))
