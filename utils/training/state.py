"""The state of a training: everything that a step changes, the averaged weights included."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar

import torch
from torch import nn

from utils.config.config import Config
from utils.console.log import LOG
from utils.files.checkpoint import restore
from utils.processes.distributed import ALONE, World
from utils.training.epoch_losses import EpochLosses
from utils.training.optimizer import build_optimizer, restore_optimizer
from utils.words.errors import DamagedError
from utils.words.schema import misfit
from utils.words.text import counted

COUNTERS = ("epoch", "step", "batches", "best", "best_epoch", "skipped_in_a_row")
N = TypeVar("N", bound=nn.Module)  # the network that is trained
SAME_PICTURES = "the same pictures in the same order, but not bit for bit the numbers of an unbroken run"


class ScalerState(TypedDict):
    """As torch's GradScaler gives it."""

    scale: float
    growth_factor: float
    backoff_factor: float
    growth_interval: int
    _growth_tracker: int


class EMA(Generic[N]):
    """Exponential moving average of all floating-point state of `model`.

    The decay ramps up with the updates: decay x (1 - e^(-updates / tau)).
    """

    def __init__(self, model: N, decay: float, tau: float) -> None:
        self.module: N = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.tau, self.updates = decay, tau, 0
        # Walking the modules for their state costs as much as the update itself, so the tensors are looked up once.
        mine, theirs = self.module.state_dict(), model.state_dict()
        floats = [name for name, tensor in mine.items() if tensor.is_floating_point()]
        counts = [name for name in mine if name not in floats]
        self._floats = [mine[n] for n in floats], [theirs[n] for n in floats]
        self._counts = [mine[n] for n in counts], [theirs[n] for n in counts]

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the model by one step."""
        self.updates += 1
        # lerp takes the model's share, which is 1 minus the decay
        weight = 1 - self.decay * (1 - math.exp(-self.updates / self.tau))
        torch._foreach_lerp_(*self._floats, weight)
        if self._counts[0]:  # none without BatchNorm
            torch._foreach_copy_(*self._counts)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"module": self.module.state_dict(), "updates": self.updates}


@dataclass(eq=False)
class TrainState(Generic[N]):
    """Everything that training changes, and how this process takes part.

    `network` is what is called in training: `model` itself, or the wrapper that exchanges its gradients with the other
    processes of `world`; its forward pass runs in `dtype` under autocast (None: float32). `epoch` and `step` count
    from 0; `batches` of the current epoch are done, with these `losses`. `complete`: the epoch is evaluated and in
    results.csv too; `done`: no other follows. `source` is the checkpoint that it was last read from or saved in.
    """

    model: N
    network: nn.Module
    ema: EMA[N]
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
    source: Path | None = None

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
        """Continue where `content` stopped: with the next batch, or the next epoch when one is complete.

        Raises DamagedError for what does not fit. With another number of processes the random state does not fit, which
        a warning says.
        """
        restore(self.model, content["model"], path)
        restore(self.ema.module, content["ema"]["module"], path)
        self.ema.updates = content["ema"]["updates"]
        if found := restore_optimizer(self.optimizer, content["optimizer"]):
            raise DamagedError(path, f"its optimizer does not fit its network: {found}")
        if content["scaler"] and self.scaler.is_enabled():  # the run may have begun without
            if found := misfit(content["scaler"], ScalerState, "scaler"):
                raise DamagedError(path, found)
            self.scaler.load_state_dict(content["scaler"])
        for name in COUNTERS:
            setattr(self, name, content[name])
        self.source = path
        self.losses = EpochLosses.from_plain(content["losses"])
        self.complete, self.done = content["complete"], content["done"]
        if self.complete and not self.done:
            self.next_epoch()
        if len(content["rng"]) == self.world.size:
            try:
                set_random_state(content["rng"][self.world.rank])
            except (RuntimeError, TypeError) as error:
                raise DamagedError(path, f"rng is no state of a random generator: {error}") from error
        elif self.world.first:
            before = counted(len(content["rng"]), "process")
            LOG.warning("begun by %s, continued by %d: %s", before, self.world.size, SAME_PICTURES)

    def next_epoch(self) -> None:
        """Begin the next epoch."""
        self.epoch, self.batches, self.losses, self.complete = self.epoch + 1, 0, EpochLosses(), False

    def synchronise_average(self) -> None:
        """Give all processes the first one's average: without --sync-bn the statistics of BatchNorm differ."""
        self.world.broadcast_tensors(self.ema.module.state_dict().values())

    def is_best(self, fitness: float | None) -> bool:
        """Whether this epoch is the best so far; remembers it if so. An undefined fitness is never the best."""
        if fitness is None or (self.best is not None and fitness <= self.best):
            return False
        self.best, self.best_epoch = fitness, self.epoch
        return True


def random_state() -> dict[str, Any]:
    """The random state of this process, on the CPU and the GPUs."""
    return {"torch": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}


def set_random_state(state: dict[str, Any]) -> None:
    """Restore what `random_state` gave."""
    torch.set_rng_state(state["torch"])
    # a run may go on where there are other GPUs, or none
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def new_state(model: N, cfg: Config, dtype: torch.dtype | None, world: World = ALONE) -> TrainState[N]:
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
