"""Train a defect detector. `python train.py --demo` for a first run on built-in pictures; `python train.py --help`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from data.advice import advice
from data.build import eval_loader, read_splits, train_loader
from data.preview import plot_polarization, plot_train_batches, plot_truth
from data.records import RecordSet
from data.synthetic import write_glass
from detect import detect_pictures
from models.anchors import refit_spec
from models.criterion import Criterion, build_criterion
from models.graph import Graph, build_graph
from models.layers.conv import set_bn_momentum
from models.load import load_matching, model_spec
from models.spec import read_spec
from utils import checkpoint
from utils.channels import channels_of_plain
from utils.cli import parse_train
from utils.config import Config
from utils.device import select_device
from utils.ema import EMA
from utils.epoch import EpochLosses, results_row, score_words
from utils.flags import TrainFlags
from utils.log import LOG, log_to, progress, run_script
from utils.optim import Schedule, build_optimizer
from utils.paths import CFG, find_yaml
from utils.plots import plot_results
from utils.resolve import Resumed, configure, resume
from utils.runs import ResultsCsv, new_run, provenance, write_json, write_text
from utils.scores import as_lines
from utils.settings import Setting, as_yaml, build_config, settings_of_assignments, settings_of_document
from utils.state import TrainState, optimizer_step
from utils.structures import Batch, Moment, Report
from utils.yamlio import read_yaml
from val import Evaluation, evaluate, plot_evaluation, write_evaluation


@dataclass(frozen=True, eq=False)
class Job:
    """A run made ready: its configuration, data, network and folder."""

    cfg: Config
    device: torch.device
    train: RecordSet
    val: RecordSet
    state: TrainState
    criterion: Criterion
    run: Path


def train_one_epoch(job: Job, loader: DataLoader[Batch], schedule: Schedule) -> EpochLosses:
    """One pass over the training pictures. Gradients left over at its end make a last, smaller step."""
    state, device, cfg = job.state, job.device, job.cfg
    autocast = torch.autocast(device.type, dtype=_amp_dtype(device), enabled=cfg.run.amp and device.type == "cuda")
    losses, pending = EpochLosses(), 0
    state.model.train()
    bar = progress(loader, f"epoch {state.epoch + 1}/{cfg.schedule.epochs}")
    for number, batch in enumerate(bar, 1):
        schedule.apply(state.optimizer, state.step)
        batch = batch.to(device, non_blocking=True)
        with autocast:
            progressed = state.step / max(cfg.schedule.epochs * len(loader), 1)
            moment = Moment(cfg.run.seed, state.step, progressed)
            predictions = state.model(batch.inputs(), moment=moment)
        parts = job.criterion(predictions, batch.targets).parts()
        total = torch.stack(list(parts.values())).sum() * len(batch)
        state.scaler.scale(total).backward()
        losses.add(parts, batch)
        state.step, pending = state.step + 1, pending + 1
        if pending >= schedule.accumulate(state.step) or number == len(loader):
            losses.skipped += not optimizer_step(state, cfg.optim.clip_norm)
            pending = 0
        bar.set_postfix_str(losses.words(), refresh=False)
    return losses


def _amp_dtype(device: torch.device) -> torch.dtype:
    bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if bf16 else torch.float16


def fit(job: Job, origins: dict[str, str]) -> Evaluation | None:
    """All epochs: train, evaluate, record, save, stop early. Returns the last evaluation."""
    cfg, state = job.cfg, job.state
    pin = job.device.type == "cuda"
    loader, batches = train_loader(job.train.records, cfg, state.model.stride, pin, job.train.channels)
    twice = 2 * cfg.data.batch_size
    val_loader = eval_loader(job.val.records, cfg.data, state.model.stride, twice, pin, job.val.channels)
    schedule = Schedule(cfg, len(loader))
    table = ResultsCsv(job.run / "results.csv")
    table.start(state.epoch)
    if not cfg.run.noplots and state.epoch == 0:
        plot_truth(job.train, job.run / "labels.jpg")
        plot_train_batches(job.run, loader, batches, job.train)
        plot_polarization(job.run / "polarization_preview.png", job.train, cfg.data.max_pixels)
    evaluation = None
    for epoch in range(state.epoch, cfg.schedule.epochs):
        state.epoch = epoch
        started = time.perf_counter()
        batches.set_epoch(state.epoch)
        losses = train_one_epoch(job, loader, schedule)
        last = state.epoch + 1 == cfg.schedule.epochs
        if last or not cfg.run.noval:
            evaluation = evaluate(state.ema.module, val_loader, job.val, cfg.val, criterion=job.criterion)
        report = evaluation.report if evaluation else None
        record(table, job, losses, report, time.perf_counter() - started)
        improved = report is not None and state.is_best(report.fitness)
        done = last or stops_early(state, cfg)
        save(job, origins, improved, done)
        if done:
            break
    if evaluation and not cfg.run.noplots:
        plot_results(table.path, job.run / "results.png")
        plot_evaluation(job.run, val_loader, job.val, evaluation)
    return evaluation


def stops_early(state: TrainState, cfg: Config) -> bool:
    """Whether `patience` epochs went by without improvement."""
    patience = cfg.schedule.patience
    if cfg.run.noval or not patience or state.best is None or state.epoch - state.best_epoch < patience:
        return False
    LOG.info("stopping: no improvement for %d epochs since epoch %d", patience, state.best_epoch + 1)
    return True


def record(table: ResultsCsv, job: Job, losses: EpochLosses, report: Report | None, seconds: float) -> None:
    """One row of results.csv and one line on the console."""
    state = job.state
    rates = [group["lr"] for group in state.optimizer.param_groups]
    table.append(results_row(state.epoch, losses, report, rates, seconds))
    scores = score_words(report)
    LOG.info("epoch %d/%d: %s%s | %.1f s", state.epoch + 1, job.cfg.schedule.epochs, losses.words(), scores, seconds)


def save(job: Job, origins: dict[str, str], improved: bool, last: bool) -> None:
    """last.pt with everything needed to continue; best.pt and epochN.pt with the averaged weights only."""
    cfg, state, folder = job.cfg, job.state, job.run / "weights"
    if cfg.run.nosave and not last:
        return
    about = {
        "model_spec": state.model.spec.plain(),
        "names": list(job.train.names),
        "channels": state.model.channels.plain(),
        "config": cfg.plain(),
        "origins": dict(origins),
    }
    everything = {**state.plain(), **about}
    checkpoint.save(folder / "last.pt", everything, keep_previous=True)
    small = {name: everything[name] for name in ("ema", "epoch", "step", "best", *about)}
    if improved:
        checkpoint.save(folder / "best.pt", small)
    period = cfg.run.save_period
    if period > 0 and (state.epoch + 1) % period == 0:
        checkpoint.save(folder / f"epoch{state.epoch + 1}.pt", small)


def fit_stride(cfg: Config, stride: int) -> Config:
    """The configuration with --img rounded up to a multiple of the network's stride, said aloud."""
    size = -(-cfg.data.imgsz // stride) * stride
    if size != cfg.data.imgsz:
        LOG.info("--img %d is no multiple of %d: using %d", cfg.data.imgsz, stride, size)
    return replace(cfg, data=replace(cfg.data, imgsz=size))


def fit_anchors(model: Graph, train: RecordSet, cfg: Config) -> Graph:
    """The model, built anew with anchors that fit the training boxes where its own do not; said aloud."""
    sizes = np.concatenate([record.input_sizes(cfg.data.imgsz) for record in train.records])
    seen = sizes[(sizes >= max(cfg.augment.min_box_px, 1e-3)).all(1)]
    spec, words = refit_spec(model, seen, cfg.assign.anchor_t, cfg.run.seed)
    if words:
        LOG.info(words)
    if spec is model.spec:
        return model
    torch.manual_seed(cfg.run.seed)  # the same first weights as if the YAML had these anchors
    return build_graph(spec, model.channels, image_size=cfg.data.imgsz)


def prepare(cfg: Config, resumed: Resumed | None = None) -> Job:
    """Data, network, optimizer and run folder; those of `resumed` when a run goes on."""
    torch.manual_seed(cfg.run.seed)
    device = select_device(cfg.run.device)
    train, val = read_splits(cfg)
    if resumed:
        spec, where = model_spec(resumed.content, resumed.last), str(resumed.last)
        channels = channels_of_plain(resumed.content["channels"], where)
        train, val = (part.serving(channels, where, cfg.data.data) for part in (train, val))
    else:
        spec = read_spec(find_yaml(cfg.model.cfg, "models", "--cfg")).with_values(nc=len(train.names))
        if train.channels.polar and not spec.reads("polar"):
            LOG.info("%s reads no polar: trained on %s alone", spec.path.name, ", ".join(train.channels.image))
            train, val = train.image_only(), val.image_only()
    model = build_graph(spec, train.channels, image_size=cfg.data.imgsz)
    cfg = fit_stride(cfg, model.stride)
    if cfg.model.weights and not resumed:
        LOG.info(load_matching(model, cfg.model.weights))
    elif not resumed and not cfg.assign.noautoanchor:
        model = fit_anchors(model, train, cfg)
    set_bn_momentum(model, cfg.model.bn_momentum)
    model.to(device, memory_format=torch.channels_last)
    fp16 = cfg.run.amp and device.type == "cuda" and _amp_dtype(device) is torch.float16
    state = TrainState(
        model=model,
        ema=EMA(model, cfg.optim.ema_decay, cfg.optim.ema_tau),
        optimizer=build_optimizer(model, cfg.optim, cfg.data.batch_size),
        scaler=torch.amp.GradScaler(device.type, enabled=fp16),
    )
    if resumed:
        state.restore(resumed.content, resumed.last)
        run = resumed.last.parent.parent
    else:
        run = new_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok)
    (run / "weights").mkdir(exist_ok=True)
    return Job(cfg, device, train, val, state, build_criterion(model, cfg), run)


def run_job(job: Job, origins: dict[str, str], argv: Sequence[str] | None) -> None:
    """Train and leave the run folder complete."""
    log_to(job.run / "train.log")
    write_text(job.run / "opt.yaml", as_yaml(job.cfg, origins))
    write_json(job.run / "run.json", {**provenance(argv), "seed": job.cfg.run.seed, "device": str(job.device)})
    write_json(job.run / "data_report.json", {"train": job.train.books.plain(), "val": job.val.books.plain()})
    parameters = sum(p.numel() for p in job.state.model.parameters())
    LOG.info(
        "%s: %s parameters, on %s, into %s", job.state.model.spec.path.name, f"{parameters:,}", job.device, job.run
    )
    for sentence in advice(job.cfg, job.train.records, job.state.model.stride):
        LOG.warning(sentence)
    evaluation = fit(job, origins)
    if evaluation is None:
        return
    for line in as_lines(evaluation.report):
        LOG.info(line)
    write_evaluation(job.run, evaluation, job.val)
    best = f"best.pt (epoch {job.state.best_epoch + 1})" if (job.run / "weights" / "best.pt").exists() else "last.pt"
    LOG.info("done: %s/weights/%s, results.csv, pictures", job.run, best)


def demo(flags: TrainFlags, argv: Sequence[str] | None) -> int:
    """Train a narrow net on built-in glass pictures for two to three minutes, and show what it finds."""
    data = write_glass(Path("runs/glass"))
    settings = settings_of_document(read_yaml(CFG / "train" / "demo.yaml"))
    settings.append(Setting("data.data", str(data), "--demo"))
    cfg, origins = build_config([*settings, *flags.settings, *settings_of_assignments(list(flags.assignments))])
    job = prepare(cfg)
    run_job(job, origins, argv)
    pictures = str(data.parent / "images" / "val")
    found, _ = detect_pictures(
        ["--weights", str(job.run / "weights" / "best.pt"), "--source", pictures, "--name", "demo"]
    )
    LOG.info("look at %s (what it finds) and %s (how it learnt)", found, job.run / "results.png")
    LOG.info("next, your own pictures: python train.py --data YOUR.yaml --cfg idfe-net-n.yaml --img 640")
    return 0


def main_story(argv: Sequence[str] | None) -> int:
    """Flags, configuration, training."""
    flags = parse_train(argv)
    if flags.demo:
        return demo(flags, argv)
    if flags.resume is None:
        cfg, origins = configure(flags)
        run_job(prepare(cfg), origins, argv)
        return 0
    resumed = resume(flags)
    if resumed.finished:
        LOG.info("%s: this run has all its epochs; start another with --weights", resumed.last)
        return 0
    run_job(prepare(resumed.cfg, resumed), resumed.origins, argv)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
