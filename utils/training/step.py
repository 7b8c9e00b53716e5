"""A training step: gradients of the losses of a batch, and the optimizer's answer to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from utils.training.epoch import StepResult
from utils.training.state import TrainState
from utils.values.batch import Batch
from utils.values.step_info import StepInfo
from utils.words.errors import NumericError

SKIP_LIMIT = 10  # non-finite steps in a row before training gives up


def forward_backward(
    state: TrainState,
    criterion: Callable[..., Any],
    batch: Batch,
    step_info: StepInfo,
    last: bool = True,
    stopping: bool = False,
) -> StepResult:
    """Add up the gradients of the sum of a batch's losses x its pictures, over all processes.

    criterion(predictions, targets) gives LossTerms. Losses are divided by the counts of all processes, so that it does
    not matter how the batch is spread. With `last` False more gradients follow before the optimizer's step, and the
    processes do not exchange theirs yet. `stopping`: this process has been told to stop.
    """
    network = state.network
    with network.no_sync() if isinstance(network, DistributedDataParallel) and not last else nullcontext():
        with torch.autocast(batch.images.device.type, dtype=state.dtype, enabled=state.dtype is not None):
            predictions = network(batch.inputs(), batch.phrases, step_info)
        terms = criterion(predictions, batch.targets)
        terms = terms if len(batch) else terms.silent()
        mine = terms.packed()
        more = mine.new_tensor([len(batch), batch.boxes_lost, stopping])
        everyone, pictures, lost, stop = state.world.all_reduce(torch.cat((mine, more))).split([len(mine), 1, 1, 1])
        whole = terms.unpacked(everyone)
        total = torch.stack(list(terms.parts(whole.counts).values())).sum()
        state.scaler.scale(total * pictures[0].to(total.dtype)).backward()
    parts = {name: float(value) for name, value in whole.parts().items()}
    return StepResult(parts, round(float(pictures)), round(float(lost)), float(stop) > 0)


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
