"""What a training run would do, in words, for --dry-run: its data and its schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from utils.config.config import Config
from utils.files.runs import planned_run
from utils.processes.launch import process_count
from utils.training.optimizer import accumulation
from utils.training.schedule import Schedule
from utils.values.record import Record
from utils.words.text import counted


class Split(Protocol):
    """The pictures of a split and its class names; see data.sets.split_reading.RecordSet."""

    @property
    def records(self) -> Sequence[Record]:
        """The pictures and their truth."""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes."""


def plan_lines(cfg: Config, train: Split, val: Split, steps: int, costs: Sequence[str]) -> list[str]:
    """What --dry-run says; `steps` make an epoch, `costs` are sentences about the network."""
    processes = process_count(cfg.run.device, cfg.run.nproc)
    folder = planned_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok)
    return [
        *data_lines(train.names, train.records, val.records),
        *schedule_lines(cfg, Schedule(cfg, steps), processes),
        *costs,
        f"dry run: nothing was written; the run would go to {folder}",
    ]


def data_lines(names: Sequence[str], train: Sequence[Record], val: Sequence[Record]) -> list[str]:
    """Boxes and pictures of every class in both splits, pictures and good pictures of both."""
    width = max(len("class"), *(len(name) for name in names))
    lines = [f"{'class':{width}} {'train boxes':>12} {'pictures':>9} {'val boxes':>12} {'pictures':>9}"]
    counts = [_counts(records, len(names)) for records in (train, val)]
    for k, name in enumerate(names):
        (boxes, pictures), (val_boxes, val_pictures) = (split[k] for split in counts)
        lines.append(f"{name:{width}} {boxes:>12,} {pictures:>9,} {val_boxes:>12,} {val_pictures:>9,}")
    for split, records in (("train", train), ("val", val)):
        good = sum(record.good for record in records)
        lines.append(f"{split}: {counted(len(records), 'picture')}, {good:,} good ({good / len(records):.0%})")
    return lines


def _counts(records: Sequence[Record], classes: int) -> list[tuple[int, int]]:
    """Boxes and pictures with at least one box, per class."""
    found = [[int((record.counted()[1] == k).sum()) for record in records] for k in range(classes)]
    return [(sum(row), sum(n > 0 for n in row)) for row in found]


def schedule_lines(cfg: Config, schedule: Schedule, processes: int) -> list[str]:
    """Batch, steps, optimizer and learning rates."""
    patience = counted(cfg.schedule.patience, "epoch") if cfg.schedule.patience else "off"
    optim, plan, batch = cfg.optim, cfg.schedule, cfg.data.batch_size
    steps, together = schedule.steps_per_epoch, accumulation(cfg.optim, cfg.data.batch_size)
    fall = "cosine" if plan.cosine else "linear"
    warmup = f"warm-up {counted(schedule.warmup, 'step')}" if schedule.warmup else "no warm-up"
    last = plan.epochs * steps - 1
    lines = [
        f"batch {batch} = {batch // processes} x {counted(processes, 'process')}; gradients of "
        f"{counted(together, 'step')} ({batch * together} pictures) make one update",
        f"steps: {steps:,} an epoch, {plan.epochs * steps:,} in {counted(plan.epochs, 'epoch')}",
        f"optimizer: {optim.name}, lr {optim.lr0:g}, momentum {optim.momentum:g}, weight decay {optim.weight_decay:g}",
        f"schedule: {fall} from {optim.lr0:g} to {schedule.learning_rates(last)[0]:.3g} at the last step, {warmup}, "
        f"mosaic off in the last {counted(min(plan.close_mosaic, plan.epochs), 'epoch')}",
        f"best.pt goes by {cfg.run.best_metric}, patience {patience}",
    ]
    return lines + ([f"ends by itself after {cfg.run.max_time:g} h at most"] if cfg.run.max_time else [])
