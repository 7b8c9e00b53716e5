"""The optimizer: which parameters decay, and which learn at a rate of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from utils.config.config import OptimConfig

GROUPS = ("weights", "norms", "biases")  # x/lr0, x/lr1, x/lr2 of results.csv


def build_optimizer(model: nn.Module, cfg: OptimConfig, batch_size: int) -> torch.optim.Optimizer:
    """Three parameter groups: weights (decayed); norm weights, other vectors and scalars; biases (not decayed).

    A module with an attribute `lr_factor`, such as a pretrained backbone, learns at that factor of the learning rate:
    its parameters are in groups of their own, after the three.
    """
    groups: dict[tuple[str, float], list[nn.Parameter]] = {(name, 1.0): [] for name in GROUPS}
    factors = _lr_factors(model)
    for module in model.modules():
        norm = isinstance(module, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm)
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                plain = norm or parameter.ndim < 2  # a gate's or temperature's scalar is no weight
                kind = "biases" if name.endswith("bias") else "norms" if plain else "weights"
                groups.setdefault((kind, factors[module]), []).append(parameter)
    # the configured decay is meant for updates of nominal_batch pictures
    decay = cfg.weight_decay * batch_size * accumulation(cfg, batch_size) / cfg.nominal_batch
    settings: list[dict[str, Any]] = [
        {"params": given, "lr": cfg.lr0 * factor, "weight_decay": decay if name == "weights" else 0.0, "name": name}
        | ({} if factor == 1.0 else {"lr_factor": factor})  # checkpoints keep this: the three stay as they always were
        for (name, factor), given in groups.items()
    ]
    if cfg.name == "SGD":
        # torch refuses Nesterov's step without momentum
        return torch.optim.SGD(settings, momentum=cfg.momentum, nesterov=cfg.momentum > 0, fused=True)
    adam: type[torch.optim.Adam] = torch.optim.AdamW if cfg.name == "AdamW" else torch.optim.Adam
    return adam(settings, betas=(cfg.momentum, 0.999), fused=True)  # one pass instead of a dozen: 0.6 of the time


def _lr_factors(model: nn.Module) -> dict[nn.Module, float]:
    """The factor of every module: its own `lr_factor`, or that of the nearest module around it, or 1."""
    factors = dict.fromkeys(model.modules(), 1.0)
    for module in model.modules():  # from the outside in, so that the nearest is the last to speak
        factor = getattr(module, "lr_factor", None)
        if isinstance(factor, float | int):
            factors |= dict.fromkeys(module.modules(), float(factor))
    return factors


def common_rates(optimizer: torch.optim.Optimizer) -> list[float]:
    """The learning rates of GROUPS as they stand, which hold wherever no module has a factor."""
    return [group["lr"] for group in optimizer.param_groups[: len(GROUPS)]]


def accumulation(cfg: OptimConfig, batch_size: int) -> int:
    """Steps whose gradients are added up after warm-up."""
    return cfg.accumulate or max(round(cfg.nominal_batch / batch_size), 1)
