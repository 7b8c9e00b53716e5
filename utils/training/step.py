"""A training step: forward, loss, backward; then, once gradients of enough batches are added up, the optimizer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from utils.processes.mixed_precision import mixed_precision
from utils.training.epoch_losses import StepResult
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
    """Add the gradients of a batch to those of the batches before; the loss is its mean x pictures of all processes.

    criterion(predictions, targets) gives LossTerms. Losses are divided by the counts of all processes, so that it does
    not matter how the batch is spread over them. `last`: the optimizer steps next, so the processes exchange their
    gradients now. `stopping`: this process has been told to stop.
    """
    network = state.network
    with network.no_sync() if isinstance(network, DistributedDataParallel) and not last else nullcontext():
        with mixed_precision(batch.images.device, state.dtype):
            info = replace(step_info, pictures=tuple(batch.indices))
            predictions = network(batch.inputs(), batch.phrases, info)
        terms = criterion(predictions, batch.targets)
        terms = terms if len(batch) else terms.silent()  # the blank picture of a process whose part is empty
        # One exchange a step: loss sums and their counts, and what every process must know alike.
        mine = terms.packed()
        more = mine.new_tensor([len(batch), batch.boxes_lost, stopping, len(batch.lost)])
        everyone, counts = state.world.all_reduce(torch.cat((mine, more))).split([len(mine), len(more)])
        pictures, boxes_lost, stop, unread = counts
        whole = terms.unpacked(everyone)
        # this process's sums over everyone's counts: summed over the processes, the gradients are the whole batch's
        total = torch.stack(list(terms.parts(whole.counts).values())).sum()
        state.scaler.scale(total * pictures.to(total.dtype)).backward()
    parts = {name: float(value) for name, value in whole.parts().items()}
    return StepResult(parts, round(float(pictures)), round(float(boxes_lost)), float(stop) > 0, round(float(unread)))


def optimizer_step(state: TrainState, clip_norm: float, pictures: int) -> bool:
    """Clip the gradients, step, update the EMA. False: the gradients were not finite, and the step was skipped.

    The gradients are summed over so many `pictures` of all processes. `clip_norm` limits the norm of their mean, so
    that it means the same whatever the batch and the accumulation are; 0: no limit. Raises NumericError after
    SKIP_LIMIT skipped steps in a row.
    """
    state.scaler.unscale_(state.optimizer)  # clip_norm is meant for the true gradients
    # without clipping the norm is still wanted: it shows whether all gradients are finite
    limit = clip_norm * max(pictures, 1) or float("inf")
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), limit)
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
