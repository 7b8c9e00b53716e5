"""Whether a network can train on one picture alone: PyTorch refuses BatchNorm over one value per channel."""

from __future__ import annotations

import copy

import torch

from models.graph.graph import Graph
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError

REFUSAL = "Expected more than 1 value per channel when training"  # how PyTorch's ValueError begins


@torch.no_grad()
def check_lone_picture(model: Graph, shape: tuple[int, int], why: str) -> None:
    """Raise ConfigError when a training step of one picture of `shape` (height, width) would fail; `why` there is one.

    It is tried on a copy: `model` and the random state stay as they are. BatchNorm over all processes
    (SyncBatchNorm) has the others' pictures, too, and is never refused.
    """
    if any(isinstance(module, torch.nn.SyncBatchNorm) for module in model.modules()):
        return
    device = next(model.parameters()).device
    trial = copy.deepcopy(model).train()
    image = torch.zeros(1, len(model.channels.names), *shape, device=device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            trial(image, None, StepInfo(seed=0, step=0, progress=0.0))
        except ValueError as error:
            if not str(error).startswith(REFUSAL):
                raise
            size = f"{shape[1]} x {shape[0]} px"
            reason = f"at {size} BatchNorm would get one value per channel, which PyTorch cannot train on"
            raise ConfigError(f"{why}, and {reason}; take another --batch-size or a larger --img-size") from error
