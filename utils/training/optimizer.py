"""The optimizer and its schedule: learning rates, momentum and accumulation as pure functions of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from utils.config.config import Config, OptimConfig
from utils.values.step_info import StepInfo

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
    decay = cfg.weight_decay * batch_size * accumulation(cfg, batch_size) / cfg.nominal_batch
    settings: list[dict[str, Any]] = [
        {"params": given, "lr": cfg.lr0 * factor, "weight_decay": decay if name == "weights" else 0.0, "name": name}
        | ({} if factor == 1.0 else {"lr_factor": factor})  # checkpoints keep this: the three stay as they always were
        for (name, factor), given in groups.items()
    ]
    if cfg.name == "SGD":
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


@dataclass(frozen=True)
class Schedule:
    """Learning rates, momentum and accumulation at any step."""

    cfg: Config
    steps_per_epoch: int

    @property
    def warmup(self) -> int:
        """Steps of warm-up: as configured, but at most a third of the run, so that short runs train too."""
        schedule = self.cfg.schedule
        if schedule.warmup_epochs == 0:
            return 0
        wanted = max(round(schedule.warmup_epochs * self.steps_per_epoch), schedule.warmup_steps)
        return min(wanted, schedule.epochs * self.steps_per_epoch // 3)

    def factor(self, step: int) -> float:
        """Learning rate as a fraction of lr0, without warm-up: falls from 1 to lrf."""
        schedule = self.cfg.schedule
        done = min(step / (schedule.epochs * self.steps_per_epoch), 1.0)
        fall = (1 - math.cos(math.pi * done)) / 2 if schedule.cosine else done
        return 1 - fall * (1 - schedule.lrf)

    def step_info(self, step: int) -> StepInfo:
        """What the network is told about the time of a step."""
        total = self.cfg.schedule.epochs * self.steps_per_epoch
        return StepInfo(self.cfg.run.seed, step, min(step / total, 1.0))

    def learning_rates(self, step: int) -> tuple[float, ...]:
        """One per group of GROUPS. Under SGD biases warm up from warmup_bias_lr, everything else from 0.

        Adam's steps do not shrink with the gradient: at SGD's 0.1 each would move every bias by 0.1.
        """
        target = self.cfg.optim.lr0 * self.factor(step)
        starts = (0.0, 0.0, self.cfg.schedule.warmup_bias_lr if self.cfg.optim.name == "SGD" else 0.0)
        return tuple(self._ramp(step, start, target) for start in starts)

    def momentum(self, step: int) -> float:
        """Momentum of SGD."""
        return self._ramp(step, self.cfg.schedule.warmup_momentum, self.cfg.optim.momentum)

    def accumulate(self, step: int) -> int:
        """Steps whose gradients are added up."""
        return max(round(self._ramp(step, 1, accumulation(self.cfg.optim, self.cfg.data.batch_size))), 1)

    def apply(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Set the optimizer to `step`."""
        rates = dict(zip(GROUPS, self.learning_rates(step), strict=True))
        for group in optimizer.param_groups:
            group["lr"] = rates[group["name"]] * group.get("lr_factor", 1.0)
            if "momentum" in group:
                group["momentum"] = self.momentum(step)

    def _ramp(self, step: int, start: float, end: float) -> float:
        return float(np.interp(step, (0, self.warmup), (start, end))) if step < self.warmup else end
