"""What training changes, and the step that changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from utils.checkpoint import restore
from utils.config import Config
from utils.ema import EMA
from utils.errors import NumericError
from utils.optim import build_optimizer
from utils.structures import Batch, Moment

SKIP_LIMIT = 10  # non-finite steps in a row before training gives up


@dataclass(eq=False)
class TrainState:
    """Everything that training changes."""

    model: nn.Module
    ema: EMA
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    epoch: int = 0
    step: int = 0
    best: float | None = None
    best_epoch: int = -1
    skipped_in_a_row: int = 0

    def plain(self) -> dict[str, Any]:
        """What a checkpoint needs to continue exactly."""
        return {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            **{name: getattr(self, name) for name in ("epoch", "step", "best", "best_epoch")},
            "rng": {"torch": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()},
        }

    def restore(self, content: dict[str, Any], path: Path) -> None:
        """Continue where `content` stopped, with the epoch after it."""
        restore(self.model, content["model"], path)
        restore(self.ema.module, content["ema"]["module"], path)
        self.ema.updates = content["ema"]["updates"]
        self.optimizer.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        self.epoch, self.step = content["epoch"] + 1, content["step"]
        self.best, self.best_epoch = content["best"], content["best_epoch"]
        torch.set_rng_state(content["rng"]["torch"])
        if torch.cuda.is_available() and len(content["rng"]["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(content["rng"]["cuda"])

    def is_best(self, fitness: float | None) -> bool:
        """Whether this epoch is the best so far; remembers it if so. An undefined fitness is never the best."""
        if fitness is None or (self.best is not None and fitness <= self.best):
            return False
        self.best, self.best_epoch = fitness, self.epoch
        return True


def new_state(model: nn.Module, cfg: Config, dtype: torch.dtype | None) -> TrainState:
    """The state in which training of `model` begins; `dtype` see forward_backward."""
    device = next(model.parameters()).device
    return TrainState(
        model=model,
        ema=EMA(model, cfg.optim.ema_decay, cfg.optim.ema_tau),
        optimizer=build_optimizer(model, cfg.optim, cfg.data.batch_size),
        scaler=torch.amp.GradScaler(device.type, enabled=dtype is torch.float16),
    )


def forward_backward(
    state: TrainState, criterion: Callable[..., Any], batch: Batch, dtype: torch.dtype | None, moment: Moment
) -> dict[str, Tensor]:
    """The losses of a batch on the model's device by name; the gradients of their sum x batch size are added up.

    The network runs in `dtype` under autocast (None: float32); criterion(predictions, targets) gives LossTerms.
    """
    with torch.autocast(batch.images.device.type, dtype=dtype, enabled=dtype is not None):
        predictions = state.model(batch.inputs(), batch.phrases, moment)
    parts: dict[str, Tensor] = criterion(predictions, batch.targets).parts()
    total = torch.stack(list(parts.values())).sum() * len(batch)
    state.scaler.scale(total).backward()
    return parts


def optimizer_step(state: TrainState, clip_norm: float) -> bool:
    """Clip, step, average. A non-finite gradient is not applied (False); several in a row raise NumericError."""
    state.scaler.unscale_(state.optimizer)
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), clip_norm or float("inf"))
    finite = bool(norm.isfinite())
    if finite or state.scaler.is_enabled():
        state.scaler.step(state.optimizer)  # skips non-finite gradients itself when it scales
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    if finite:
        state.ema.update()
        state.skipped_in_a_row = 0
        return True
    state.skipped_in_a_row += 1
    if state.skipped_in_a_row >= SKIP_LIMIT:
        rate = state.optimizer.param_groups[0]["lr"]
        raise NumericError(
            f"step {state.step}: {SKIP_LIMIT} non-finite gradients in a row at learning rate {rate:.3g}; "
            "lower --set optim.lr0, or try --no-amp"
        )
    return False
