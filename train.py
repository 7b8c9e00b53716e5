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
from data.phrases import PhraseDraw
from data.preview import plot_polarization, plot_train_batches, plot_truth, show_pictures
from data.records import RecordSet
from data.synthetic import write_glass
from detect import detect_pictures
from models.anchors import refit_spec
from models.criterion import Criterion, build_criterion
from models.freeze import freeze
from models.graph import Graph, build_graph
from models.layers.conv import set_bn_momentum
from models.load import load_matching, network_of, new_network
from models.open_vocabulary import Words, about_words, set_words, words_for
from models.summary import summarise
from models.trial import fit_batch, try_steps
from utils import checkpoint
from utils.budget import TimeBudget
from utils.cli import parse_train
from utils.conclusion import Manner, conclude
from utils.config import Config
from utils.device import select_device
from utils.dist import process_count
from utils.doctor import Doctor
from utils.dry_run import cost_line, data_lines, schedule_lines
from utils.epoch import EpochLosses, results_row, score_words
from utils.errors import ConfigError
from utils.flags import TrainFlags
from utils.inspection.options import inspection_config
from utils.inspection.threshold_file import Making
from utils.log import LOG, log_to, progress, run_script
from utils.optim import Schedule
from utils.paths import CFG
from utils.plots import plot_results
from utils.precision import autocast_dtype
from utils.resolve import Resumed, configure, resume
from utils.runs import ResultsCsv, new_run, planned_run, provenance, write_json, write_text
from utils.scores import as_lines
from utils.settings import Setting, as_yaml, build_config, hyp_yaml, settings_of_assignments, settings_of_document
from utils.state import TrainState, forward_backward, new_state, optimizer_step
from utils.structures import Batch, Report
from utils.vocabulary import Vocabulary
from utils.yamlio import read_yaml
from val import Evaluation, evaluate, plot_evaluation


@dataclass(frozen=True, eq=False)
class Job:
    """A run made ready: its configuration, data, network (its forward pass runs in `dtype`, None: float32), folder."""

    cfg: Config
    device: torch.device
    dtype: torch.dtype | None
    train: RecordSet
    val: RecordSet
    state: TrainState
    criterion: Criterion
    run: Path
    words: Words | None

    def about(self) -> dict[str, str]:
        """What results must name."""
        return about_words(self.state.model, self.words)


def train_one_epoch(job: Job, loader: DataLoader[Batch], schedule: Schedule) -> EpochLosses:
    """One pass over the training pictures. Gradients left over at its end make a last, smaller step."""
    state, cfg = job.state, job.cfg
    losses, pending = EpochLosses(), 0
    state.model.train()
    bar = progress(loader, f"epoch {state.epoch + 1}/{cfg.schedule.epochs}")
    for number, batch in enumerate(bar, 1):
        schedule.apply(state.optimizer, state.step)
        batch = batch.to(job.device, non_blocking=True)
        parts = forward_backward(state, job.criterion, batch, job.dtype, schedule.moment(state.step))
        losses.add(parts, batch)
        state.step, pending = state.step + 1, pending + 1
        if pending >= schedule.accumulate(state.step) or number == len(loader):
            losses.skipped += not optimizer_step(state, cfg.optim.clip_norm)
            pending = 0
        bar.set_postfix_str(losses.words(), refresh=False)
    return losses


def fit(job: Job, origins: dict[str, str]) -> Evaluation | None:
    """All epochs: train, evaluate, record, save, stop early. Returns the last evaluation."""
    cfg, state = job.cfg, job.state
    pin = job.device.type == "cuda"
    phrases = PhraseDraw(job.words.vocabulary, cfg.run.seed) if job.words else None
    loader, batches = train_loader(job.train.records, cfg, state.model.stride, pin, phrases, job.train.channels)
    twice = 2 * cfg.data.batch_size
    val_loader = eval_loader(job.val.records, cfg.data, state.model.stride, twice, pin, job.val.channels)
    schedule = Schedule(cfg, len(loader))
    table = ResultsCsv(job.run / "results.csv")
    table.start(state.epoch)
    if not cfg.run.noplots and state.epoch == 0:
        plot_truth(job.train, job.run / "labels.jpg")
        plot_train_batches(job.run, loader, batches, job.train)
        plot_polarization(job.run / "polarization_preview.png", job.train, cfg.data.max_pixels)
    evaluation, budget = None, TimeBudget(cfg.run.max_time)
    doctor = Doctor(cfg, job.train.records, job.val.records, state.model)
    for epoch in range(state.epoch, cfg.schedule.epochs):
        state.epoch = epoch
        started = time.perf_counter()
        budget.start_epoch()
        batches.set_epoch(state.epoch)
        with doctor.watching(state.model, lambda: next(iter(loader)).to(job.device), job.dtype):
            losses = train_one_epoch(job, loader, schedule)
        last = state.epoch + 1 == cfg.schedule.epochs or out_of_time(budget, cfg)
        if last or not cfg.run.noval:
            with doctor.watching(state.model, lambda: next(iter(loader)).to(job.device), job.dtype):
                evaluation = evaluate(state.ema.module, val_loader, job.val, cfg.val, criterion=job.criterion)
        report = evaluation.report if evaluation else None
        record(table, job, losses, report, time.perf_counter() - started)
        doctor.after_epoch(epoch, losses.means(), evaluation)
        improved = report is not None and state.is_best(report.metric(cfg.run.best_metric))
        done = last or stops_early(state, cfg)
        save(job, origins, improved, done)
        if done:
            break
    if evaluation and not cfg.run.noplots:
        plot_results(table.path, job.run / "results.png")
        plot_evaluation(job.run, val_loader, job.val, evaluation)
    return evaluation


def out_of_time(budget: TimeBudget, cfg: Config) -> bool:
    """Whether --max-time leaves no time for an epoch after this one; said aloud."""
    if not budget.is_last():
        return False
    LOG.info("stopping: another epoch does not fit in %g h; python train.py --resume goes on", cfg.run.max_time)
    return True


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
        **({"vocabulary": job.words.plain()} if job.words else {}),
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


def new_model(cfg: Config, train: RecordSet) -> tuple[Config, Graph, Words | None]:
    """The network of a new run with its first weights, and the configuration with --img fitted to its stride."""
    model, words = new_network(cfg, Vocabulary.from_lists(train.synonyms), train.channels)
    cfg = fit_stride(cfg, model.stride)
    if cfg.model.weights:
        LOG.info(load_matching(model, cfg.model.weights))
    elif not cfg.assign.noautoanchor:
        model = fit_anchors(model, train, cfg)
    return cfg, model, words


def check_names(train: RecordSet, val: RecordSet, words: Words | None) -> None:
    """Only a network that reads text can be trained on some classes and evaluated on others."""
    if words is None and train.names != val.names:
        raise ConfigError(
            f"validation has other classes ({', '.join(val.names[:3])}, ...) than training; "
            "that needs a model with text, such as --cfg rtvpnet-s.yaml"
        )


def prepare(cfg: Config, resumed: Resumed | None = None, dry: bool = False) -> Job:
    """Data, network, optimizer and run folder (not made when `dry`); those of `resumed` when a run goes on."""
    processes, device = process_count(), select_device(cfg.run.device)
    dtype = autocast_dtype(cfg.run, device)
    torch.manual_seed(cfg.run.seed)
    train, val = read_splits(cfg)
    if resumed:
        model, words = network_of(resumed.content, resumed.last, cfg, Vocabulary.from_lists(train.synonyms))
    else:
        cfg, model, words = new_model(cfg, train)
    where = str(resumed.last if resumed else model.spec.path)
    train, val = (part.serving(model.channels, where, cfg.data.data) for part in (train, val))
    check_names(train, val, words)
    if cfg.run.sync_bn:
        LOG.info("--sync-bn: %d process sees whole batches, there is nothing to synchronise", processes)
    if cfg.model.freeze:
        scratch = "" if cfg.model.weights else "; without --weights they stay as random as they start"
        LOG.info(freeze(model, cfg.model.freeze) + scratch)
    set_bn_momentum(model, cfg.model.bn_momentum)
    model.to(device, memory_format=torch.channels_last)
    cfg = fit_batch(cfg, model, len(train.records), dtype)
    state = new_state(model, cfg, dtype)
    if words and train.names != val.names:  # the averaged weights are the ones that are evaluated
        set_words(state.ema.module, words_for(words, Vocabulary.from_lists(val.synonyms), cfg.model.text_encoder))
    if resumed:
        state.restore(resumed.content, resumed.last)
        run = resumed.last.parent.parent
    elif dry:
        run = planned_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok)
    else:
        run = new_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok)
    return Job(cfg, device, dtype, train, val, state, build_criterion(model, cfg), run, words)


def say_plan(job: Job) -> None:
    """--dry-run: what the run would be, and what it would cost, measured on a copy of the network."""
    cfg, model = job.cfg, job.state.model
    without_cache = replace(cfg, data=replace(cfg.data, cache="none"))
    loader, _ = train_loader(job.train.records, without_cache, model.stride, pin=False, channels=job.train.channels)
    schedule = Schedule(cfg, len(loader))
    rows = summarise(model, cfg.data.imgsz)
    parameters, flops = sum(row.parameters for row in rows), sum(row.flops for row in rows)
    trial = try_steps(model, cfg, job.dtype)
    lines = data_lines(job.train.names, job.train.records, job.val.records) + schedule_lines(cfg, schedule)
    lines += [
        f"network: {model.spec.path.name}, {parameters:,} parameters, {flops / 1e9:.1f} GFLOPs at {cfg.data.imgsz} px, "
        f"on {job.device} in {str(job.dtype or torch.float32).removeprefix('torch.')}",
        cost_line(cfg, schedule.steps_per_epoch, len(job.val.records), trial.step_seconds, trial.forward_seconds),
        f"memory: {trial.peak_bytes / 2**30:.2f} GiB at the peak, without the loader's processes",
        f"dry run: nothing was written; the run would go to {job.run}",
    ]
    for line in lines:
        LOG.info(line)


def run_job(job: Job, origins: dict[str, str], argv: Sequence[str] | None) -> None:
    """Train and leave the run folder complete."""
    (job.run / "weights").mkdir(exist_ok=True)
    log_to(job.run / "train.log")
    write_text(job.run / "opt.yaml", as_yaml(job.cfg, origins))
    write_text(job.run / "hyp.yaml", hyp_yaml(job.cfg, origins))
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
    made = Making(job.cfg.val.iou, job.cfg.val.max_det, job.cfg.data.imgsz)
    looked = inspection_config(None, job.cfg.val.conf, job.val.mm_per_px, job.val.records)
    show = show_pictures(job.val, job.cfg.data.max_pixels)
    manner = Manner("train", looked, made, show, tuple(job.val.books.lines()), not job.cfg.run.noplots)
    conclude(job.run, evaluation, job.val, job.about(), manner)
    best = f"best.pt (epoch {job.state.best_epoch + 1})" if (job.run / "weights" / "best.pt").exists() else "last.pt"
    if job.state.best is None:
        LOG.info("%s is undefined on the validation pictures: no epoch is the best", job.cfg.run.best_metric)
    LOG.info("done: %s/weights/%s, results.csv, report.html, pictures", job.run, best)


def demo(flags: TrainFlags, argv: Sequence[str] | None) -> int:
    """Train a narrow net on built-in glass pictures for two to three minutes, and show what it finds."""
    if flags.hyp or flags.resume is not None or flags.dry_run:
        other = "--hyp" if flags.hyp else "--dry-run" if flags.dry_run else "--resume"
        raise ConfigError(f"--demo: a run of its own data and settings; leave out {other}")
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
    resumed = None if flags.resume is None else resume(flags)
    cfg, origins = (resumed.cfg, resumed.origins) if resumed else configure(flags)
    if resumed and resumed.finished:
        LOG.info("%s: this run has all its epochs; start another with --weights", resumed.last)
        return 0
    job = prepare(cfg, resumed, flags.dry_run)
    if flags.dry_run:
        say_plan(job)
    else:
        run_job(job, origins, argv)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
