"""The averaged weights of a run's best epoch, which best.pt holds and the run's results are about."""

from __future__ import annotations

import copy
from pathlib import Path

from torch import nn

from utils.console.log import LOG
from utils.files import checkpoint
from utils.training.state import N, TrainState
from utils.words.errors import CheckpointError


def best_average(state: TrainState[N], best: Path) -> N | None:
    """A copy of the averaged network with the weights of `best`, for all processes; None where the last epoch is the
    best one, where none is, or where there is no such file: --nosave writes none before the end.
    """
    if state.best_epoch in (-1, state.epoch):
        return None
    module = copy.deepcopy(state.ema.module)
    if not state.world.broadcast(state.world.first and _restored(module, best, state.best_epoch)):
        return None
    state.world.broadcast_tensors(module.state_dict().values())
    return module


def _restored(module: nn.Module, best: Path, epoch: int) -> bool:
    """Whether `module` has got the weights of that epoch."""
    if not best.exists():
        return False
    try:
        content = checkpoint.load(best)
        if content["epoch"] != epoch:
            raise CheckpointError(f"{best}: is of epoch {content['epoch'] + 1}, and epoch {epoch + 1} was the best")
        checkpoint.restore(module, content["ema"]["module"], best)
    except CheckpointError as error:
        LOG.warning("%s; the results are about last.pt", error)
        return False
    return True
