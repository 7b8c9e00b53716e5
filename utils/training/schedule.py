"""Learning rates, momentum and accumulation as pure functions of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from utils.config.config import Config
from utils.training.optimizer import GROUPS, accumulation
from utils.values.step_info import StepInfo


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

    @property
    def frozen(self) -> int:
        """Steps at the start in which a backbone does not learn."""
        return round(self.cfg.schedule.freeze_backbone * self.steps_per_epoch)

    def factor(self, step: int) -> float:
        """Learning rate as a fraction of lr0, without warm-up: falls from 1 to lrf."""
        schedule = self.cfg.schedule
        done = min(step / (schedule.epochs * self.steps_per_epoch), 1.0)
        fall = (1 - math.cos(math.pi * done)) / 2 if schedule.cosine else done
        return 1 - fall * (1 - schedule.lrf)

    def step_info(self, step: int) -> StepInfo:
        """What the network gets to know about a step: seed, number, progress of the training."""
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
            group["lr"] = rates[group["name"]]
            if "lr_factor" in group:  # a backbone's
                group["lr"] *= group["lr_factor"] if step >= self.frozen else 0.0
            if "momentum" in group:  # SGD's; Adam keeps its own in betas, which stay
                group["momentum"] = self.momentum(step)

    def _ramp(self, step: int, start: float, end: float) -> float:
        return float(np.interp(step, (0, self.warmup), (start, end))) if step < self.warmup else end
