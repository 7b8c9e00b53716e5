"""What a training run would do, in words, for --dry-run: its data and its schedule."""

from __future__ import annotations

from collections.abc import Sequence

from utils.config.config import Config
from utils.files.runs import planned_run
from utils.processes.launch import process_count
from utils.training.optimizer import accumulation
from utils.training.schedule import Schedule
from utils.values.class_counts import ClassCounts
from utils.words.text import counted


def plan_lines(cfg: Config, train: ClassCounts, val: ClassCounts, steps: int, costs: Sequence[str]) -> list[str]:
    """What --dry-run says; `steps` make an epoch, `costs` are sentences about the network."""
    processes = process_count(cfg.run.device, cfg.run.nproc)
    folder = planned_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok)
    return [
        *data_lines(train, val),
        *schedule_lines(cfg, Schedule(cfg, steps), processes),
        *costs,
        f"dry run: nothing was written; the run would go to {folder}",
    ]


def data_lines(train: ClassCounts, val: ClassCounts) -> list[str]:
    """Boxes and pictures of every class in both splits, pictures and good pictures of both."""
    names = list(dict.fromkeys((*train.names, *val.names)))
    width = max(len("class"), *(len(name) for name in names))
    lines = [f"{'class':{width}} {'train boxes':>12} {'pictures':>9} {'val boxes':>12} {'pictures':>9}"]
    for name in names:
        (boxes, pictures), (val_boxes, val_pictures) = train.of(name), val.of(name)
        lines.append(f"{name:{width}} {boxes:>12,} {pictures:>9,} {val_boxes:>12,} {val_pictures:>9,}")
    for split, one in (("train", train), ("val", val)):
        lines.append(f"{split}: {counted(one.pictures, 'picture')}, {one.good:,} good ({one.good / one.pictures:.0%})")
    return lines


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
