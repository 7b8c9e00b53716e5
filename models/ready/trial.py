"""A few real training steps on random pictures: how long they take, how much memory, how many pictures fit."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from models.graph.graph import Graph
from models.graph.model_summary import summarise
from models.ready.replay import replayed
from utils.config.config import Config, DataConfig
from utils.console.log import LOG
from utils.processes.device import peak_device_memory
from utils.processes.distributed import ALONE
from utils.training.dry_run import plan_lines
from utils.training.optimizer import accumulation
from utils.training.state import new_state
from utils.training.step import forward_backward, optimizer_step
from utils.values.batch import Batch, Targets
from utils.values.class_counts import ClassCounts
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError, ResourceError

BOXES = 8  # per random picture
MOST = 1024  # pictures per step that --batch -1 tries at most
SPARE = 0.1  # share of a GPU's memory that --batch -1 leaves free


@dataclass(frozen=True)
class Trial:
    """Seconds of a training step and of an evaluating forward pass of as many pictures; `peak_device_memory`."""

    step_seconds: float
    forward_seconds: float
    peak_bytes: int


def try_steps(model: Graph, cfg: Config, dtype: torch.dtype | None, steps: int = 3) -> Trial:
    """Train a copy of `model` for `steps` steps after one to warm up; `model` itself stays as it is.

    With --cuda-graph they are replayed as often as in training, where of several batches that make an update only the
    first one is; raises ConfigError where they cannot be.
    """
    model = copy.deepcopy(model)
    device = next(model.parameters()).device
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    size, classes, planes = cfg.data.imgsz, model.spec.classes, len(model.channels.names)
    batch = random_batch(cfg.data.batch_size, size, classes, cfg.run.seed, planes).to(device)
    state, criterion = new_state(model, cfg, dtype), model.head.criterion(cfg)
    state.network = replayed(model, cfg, ALONE, state.network)
    model.train()

    together = accumulation(cfg.optim, cfg.data.batch_size) if cfg.run.cuda_graph else 1

    def update() -> None:
        for _ in range(together):
            forward_backward(state, criterion, batch, StepInfo(cfg.run.seed, step=0, progress=1.0))
        optimizer_step(state, cfg.optim.clip_norm, together * len(batch))

    @torch.inference_mode()
    def forward() -> None:
        state.ema.module(batch.inputs())

    seconds = [_seconds(update, device) for _ in range(steps + 1)][1:]
    forward_seconds = _seconds(forward, device)
    return Trial(statistics.median(seconds) / together, forward_seconds, peak_device_memory(device))


def dry_run_lines(
    model: Graph, cfg: Config, dtype: torch.dtype | None, counts: tuple[ClassCounts, ClassCounts], steps: int
) -> list[str]:
    """What --dry-run says of training `model`, with costs that are measured on a copy; `counts` are those of train
    and val, `steps` make an epoch.
    """
    rows = summarise(model, cfg.data.imgsz)
    parameters, flops = sum(row.parameters for row in rows), sum(row.flops for row in rows)
    device, trial = next(model.parameters()).device, try_steps(model, cfg, dtype)
    costs = [
        f"network: {model.spec.path.name}, {parameters:,} parameters, {flops / 1e9:.1f} GFLOPs at {cfg.data.imgsz} px, "
        f"on {device} in {str(dtype or torch.float32).removeprefix('torch.')}",
        minutes_line(cfg, steps, counts[1].pictures, trial.step_seconds, trial.forward_seconds),
        f"memory: {trial.peak_bytes / 2**30:.2f} GiB at the peak, without the loader's processes",
    ]
    return plan_lines(cfg, *counts, steps, costs)


def minutes_line(cfg: Config, steps: int, val_pictures: int, step_seconds: float, forward_seconds: float) -> str:
    """Expected minutes: all training steps and forward passes of evaluation, without reading pictures and NMS."""
    training = cfg.schedule.epochs * steps * step_seconds
    passes = (1 if cfg.run.noval else cfg.schedule.epochs) * val_pictures / cfg.data.batch_size
    minutes = (training + passes * forward_seconds) / 60
    return (
        f"expected: {minutes:,.1f} minutes ({step_seconds:.3g} s a step, measured on random pictures; reading pictures "
        "and NMS come on top)"
    )


def random_batch(pictures: int, size: int, classes: int, seed: int, planes: int = 3) -> Batch:
    """Noise of (pictures, planes, size, size) with BOXES boxes on each, a tenth to a third of a side long."""
    rng = torch.Generator().manual_seed(seed)
    count = pictures * BOXES
    images = torch.randint(0, 256, (pictures, planes, size, size), dtype=torch.uint8, generator=rng)
    corner, side = torch.rand(count, 2, generator=rng) * 0.6, 0.1 + torch.rand(count, 2, generator=rng) * 0.23
    targets = Targets(
        image_index=torch.arange(pictures).repeat_interleave(BOXES),
        labels=torch.randint(0, classes, (count,), generator=rng),
        boxes=torch.cat((corner, corner + side), 1) * size,
    )
    return Batch(images, targets, tuple(range(pictures)))


def _seconds(action: Callable[[], None], device: torch.device) -> float:
    started = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def fit_batch(cfg: Config, model: Graph, pictures: int, dtype: torch.dtype | None, processes: int = 1) -> Config:
    """The configuration with --batch -1 replaced by the pictures per step that fit all processes; logs which.

    Raises ConfigError with --cuda-graph: what happens when memory runs out in a recording has never been tried.
    """
    if cfg.data.batch_size != -1:
        return cfg
    if cfg.run.cuda_graph:
        raise ConfigError(
            "--batch -1: does not go with --cuda-graph, whose recording needs memory of its own; name a number"
        )
    if next(model.parameters()).is_cuda:
        size = batch_that_fits(model, cfg, dtype, pictures)
        LOG.info("--batch -1: %d pictures of %d px a step fit each GPU", size, cfg.data.imgsz)
    else:
        size = DataConfig().batch_size
        LOG.info("--batch -1 measures the memory of a GPU; on the CPU a larger batch gains nothing: using %d", size)
        size = -(-size // processes)  # from here on of each process, as it is for a GPU
    return replace(cfg, data=replace(cfg.data, batch_size=size * processes))


def batch_that_fits(model: Graph, cfg: Config, dtype: torch.dtype | None, pictures: int) -> int:
    """The most pictures per step (at most `pictures`, the data's) whose training fits the memory of the model's GPU.

    Raises ResourceError when not even one does.
    """
    device = next(model.parameters()).device
    torch.cuda.empty_cache()
    # what is free, and what torch already holds (the model among it), which a trial's peak counts too
    budget = (torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)) * (1 - SPARE)

    def peak(size: int) -> float:
        try:
            return try_steps(model, replace(cfg, data=replace(cfg.data, batch_size=size)), dtype, steps=1).peak_bytes
        except torch.cuda.OutOfMemoryError:
            return math.inf

    found = largest_fitting(peak, budget, min(pictures, MOST))
    torch.cuda.empty_cache()
    if not found:
        raise ResourceError(f"--batch -1: not even one picture of {cfg.data.imgsz} px fits the GPU; lower --img")
    return found


def largest_fitting(peak: Callable[[int], float], budget: float, most: int) -> int:
    """A number of at most `most` whose `peak` is within `budget`, at most about an eighth below the largest; 0 if
    that of 1 is not.

    `peak` grows about in proportion. Few numbers are tried: cuDNN takes seconds to prepare for each of them.
    """
    fitting: list[tuple[int, float]] = []
    low, high, guess, gain = 0, most + 1, 1, 1
    while gain > low // 8:
        used = peak(guess)
        if used > budget:
            high = guess
        else:
            fitting.append((guess, used))
            low = guess
        # until something is too large, follow the line of memory upwards; then halve the gap
        guess = min(_next_guess(fitting, budget) if high > most else (low + high) // 2, high - 1)
        gain = (guess if high > most else high - 1) - low  # that is still possible
    return low


def _next_guess(fitting: list[tuple[int, float]], budget: float) -> int:
    """Where the line through the last two of (number, bytes) meets `budget`; eight times the last without a line."""
    (first, less), (last, more) = fitting[0] if len(fitting) == 1 else fitting[-2], fitting[-1]
    return last + int((budget - more) * (last - first) / (more - less)) if more > less else 8 * last
