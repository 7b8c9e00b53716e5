"""What number format a network computes in."""

from __future__ import annotations

import torch

from utils.config import RunConfig
from utils.errors import ConfigError


def autocast_dtype(run: RunConfig, device: torch.device) -> torch.dtype | None:
    """The format of the forward pass under autocast, None for float32 throughout.

    --amp means GPUs only: bfloat16 where the GPU has it, otherwise float16. --bf16 asks for bfloat16 on any device.
    Raises ConfigError for what contradicts itself or is not there.
    """
    if run.bf16 and not run.amp:
        raise ConfigError("--bf16: contradicts --no-amp; leave one out")
    if device.type != "cuda":
        return torch.bfloat16 if run.bf16 else None
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if run.bf16 and not has_bf16:
        raise ConfigError(f"--bf16: {torch.cuda.get_device_name(device)} has no bfloat16; leave it out for float16")
    if not run.amp:
        return None
    return torch.bfloat16 if has_bf16 else torch.float16
