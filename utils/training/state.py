"""What training changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from utils.config.config import Config
from utils.console.log import LOG
from utils.files.checkpoint import restore
from utils.processes.dist import ALONE, World
from utils.training.ema import EMA
from utils.training.epoch import EpochLosses
from utils.training.optimizer import build_optimizer

COUNTERS = ("epoch", "step", "batches", "best", "best_epoch", "skipped_in_a_row")


@dataclass(eq=False)
class TrainState:
    """Everything that training changes, and how this process takes part.

    `network` is what is called in training: the model, or the model in step with those of other processes in `world`;
    its forward pass runs in `dtype` under autocast (None: float32). `epoch` is the one at hand, `batches` how many of
    its batches are done, with what `losses`; `complete`: it is evaluated and entered in results.csv too;
    `done`: no other follows.
    """

    model: nn.Module
    network: nn.Module
    ema: EMA
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    dtype: torch.dtype | None = None
    world: World = ALONE
    epoch: int = 0
    step: int = 0
    batches: int = 0
    losses: EpochLosses = field(default_factory=EpochLosses)
    complete: bool = False
    done: bool = False
    best: float | None = None
    best_epoch: int = -1
    skipped_in_a_row: int = 0

    def plain(self, rng: list[dict[str, Any]]) -> dict[str, Any]:
        """What a checkpoint needs to continue exactly; `rng` is `random_state` of every process."""
        return {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            **{name: getattr(self, name) for name in (*COUNTERS, "complete", "done")},
            "losses": self.losses.plain(),
            "rng": rng,
        }

    def restore(self, content: dict[str, Any], path: Path) -> None:
        """Continue where `content` stopped: with the next batch, or the next epoch when one is complete."""
        restore(self.model, content["model"], path)
        restore(self.ema.module, content["ema"]["module"], path)
        self.ema.updates = content["ema"]["updates"]
        self.optimizer.load_state_dict(content["optimizer"])
        if content["scaler"] and self.scaler.is_enabled():  # where the run began nothing may have been scaled
            self.scaler.load_state_dict(content["scaler"])
        for name in COUNTERS:
            setattr(self, name, content[name])
        self.losses = EpochLosses.from_plain(content["losses"])
        self.complete, self.done = content["complete"], content["done"]
        if self.complete and not self.done:
            self.next_epoch()
        if len(content["rng"]) == self.world.size:
            set_random_state(content["rng"][self.world.rank])

    def next_epoch(self) -> None:
        """Begin another epoch."""
        self.epoch, self.batches, self.losses, self.complete = self.epoch + 1, 0, EpochLosses(), False

    def agree(self) -> None:
        """The average of all processes becomes the first one's: BatchNorm's statistics differ without --sync-bn."""
        self.world.broadcast_tensors(self.ema.module.state_dict().values())

    def is_best(self, fitness: float | None) -> bool:
        """Whether this epoch is the best so far; remembers it if so. An undefined fitness is never the best."""
        if fitness is None or (self.best is not None and fitness <= self.best):
            return False
        self.best, self.best_epoch = fitness, self.epoch
        return True


def random_state() -> dict[str, Any]:
    """Where the generators of this process are."""
    return {"torch": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}


def set_random_state(state: dict[str, Any]) -> None:
    """Go on drawing where `random_state` was."""
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def new_state(model: nn.Module, cfg: Config, dtype: torch.dtype | None, world: World = ALONE) -> TrainState:
    """The state in which training of `model` begins."""
    device = next(model.parameters()).device
    return TrainState(
        model=model,
        network=world.data_parallel(model),
        ema=EMA(model, cfg.optim.ema_decay, cfg.optim.ema_tau),
        optimizer=build_optimizer(model, cfg.optim, cfg.data.batch_size),
        scaler=torch.amp.GradScaler(device.type, enabled=dtype is torch.float16),
        dtype=dtype,
        world=world,
    )


def stops_early(state: TrainState, cfg: Config) -> bool:
    """Whether `patience` epochs went by without improvement."""
    patience = cfg.schedule.patience
    if cfg.run.noval or not patience or state.best is None or state.epoch - state.best_epoch < patience:
        return False
    LOG.info("stopping: no improvement for %d epochs since epoch %d", patience, state.best_epoch + 1)
    return True
