"""Train a defect detector. `python train.py --demo` for a first run on built-in pictures; `python train.py --help`."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import torch
from torch.utils.data import DataLoader

from data.batches.advice import advice
from data.batches.build import eval_loader, read_splits, train_loader
from data.batches.phrases import PhraseDraw
from data.batches.preview import plot_detections, plot_start, show_pictures
from data.batches.sampler import EpochBatches
from data.drawn.demo import demo_settings
from data.index.flat_truth import flatten
from data.sets.split_reading import RecordSet
from detect import detect_pictures
from models.graph.folded import without_norms
from models.graph.freeze import freeze
from models.graph.open_vocabulary import Words, about_words, set_words, words_for
from models.graph.summary import summarise
from models.layers.conv import set_bn_momentum
from models.losses.terms import Criterion
from models.ready.evaluation_pass import EvaluationPass
from models.ready.load import network_of
from models.ready.new_model import new_model, synchronise
from models.ready.replay import replayed
from models.ready.trial import fit_batch, try_steps
from utils.config.cli import parse_detect, parse_train
from utils.config.config import Config
from utils.config.settings import as_yaml, hyp_yaml
from utils.config.time_budget import TimeBudget, out_of_time
from utils.console.log import LOG, log_to
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.console.stop import Stop, Stopped
from utils.drawing.plots import plot_results
from utils.files.runs import ResultsCsv, new_run, planned_run, provenance, write_json, write_text
from utils.inspection.inspection_config import inspection_config
from utils.inspection.threshold_file import DetectionSettings
from utils.processes.device import select_device
from utils.processes.dist import World, find_place, joined
from utils.processes.launch import (
    check_processes,
    check_resumed,
    device_of,
    interrupted_run,
    launch,
    launch_id,
    process_count,
)
from utils.processes.mixed_precision import autocast_dtype
from utils.processes.resolve import LAST_WRITTEN, Resumed, configure, resume
from utils.report.evaluation import ReportOptions
from utils.report.run_results import write_results
from utils.training.doctor import Doctor
from utils.training.dry_run import cost_line, data_lines, schedule_lines
from utils.training.epoch import results_row, score_words
from utils.training.optimizer import Schedule, common_rates
from utils.training.saver import Saver
from utils.training.state import TrainState, new_state, stops_early
from utils.training.step import forward_backward, optimizer_step
from utils.values.batch import Batch
from utils.values.report import Report
from utils.words.errors import ConfigError
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary
from val import Evaluation, predict, score

SAME_PICTURES = "the same pictures in the same order, but not bit for bit the numbers of an unbroken run"


@dataclass(frozen=True, eq=False)
class Job:
    """A run made ready: its configuration, data, network, processes, folder."""

    cfg: Config
    device: torch.device
    train: RecordSet
    val: RecordSet
    state: TrainState
    criterion: Criterion
    run: Path
    words: Words | None

    def about(self) -> dict[str, str]:
        """What results must name."""
        return about_words(self.state.model, self.words)


@dataclass(frozen=True, eq=False)
class Feed:
    """Training batches, the sampler behind them, validation batches, and the schedule that their number gives."""

    train: DataLoader[Batch]
    batches: EpochBatches
    val: DataLoader[Batch]
    schedule: Schedule
    phrases: PhraseDraw | None

    def some_batch(self, job: Job) -> Batch:
        """The first training batch of the epoch at hand, on the device."""
        self.batches.set_epoch(job.state.epoch)
        return next(iter(self.train)).to(job.device)


def train_one_epoch(job: Job, feed: Feed, saver: Saver, stop: Stop) -> None:
    """One pass over the training pictures, or its rest. Gradients left over at its end make a last, smaller step.

    Saves where --save-steps says so; raises Stopped, with everything saved, soon after `stop` received a signal.
    """
    state, cfg, schedule = job.state, job.cfg, feed.schedule
    state.model.train()
    feed.batches.set_epoch(state.epoch, state.batches)
    pending = 0
    title = f"epoch {state.epoch + 1}/{cfg.schedule.epochs}"
    with progress(feed.train, title, schedule.steps_per_epoch, state.batches) as bar:
        for batch in bar:
            schedule.apply(state.optimizer, state.step)
            if feed.phrases:
                batch = feed.phrases(batch, state.step, state.world)
            batch = batch.to(job.device, non_blocking=True)
            whole = state.batches + 1 == schedule.steps_per_epoch
            last = whole or pending + 1 >= schedule.accumulate(state.step + 1)
            step_info = schedule.step_info(state.step)
            result = forward_backward(state, job.criterion, batch, step_info, last, bool(stop.received))
            state.losses.add(result)
            state.step, state.batches, pending = state.step + 1, state.batches + 1, pending + 1
            if last:
                state.losses.skipped += not optimizer_step(state, cfg.optim.clip_norm)
                pending = 0
                saver.save_step(state)
                if result.stopping:
                    leave(state, saver, stop)
            bar.set_postfix_str(state.losses.words(), refresh=False)


def leave(state: TrainState, saver: Saver, stop: Stop) -> NoReturn:
    """Save, and end the run."""
    saver.save_now(state)
    raise Stopped(stop.received or signal.SIGTERM)


def assess(job: Job, feed: Feed, saver: Saver, stop: Stop) -> tuple[Evaluation | None, Report | None]:
    """Evaluate the averaged weights with all processes; the first one has the details, all have the report."""
    state, world = job.state, job.state.world
    state.agree()
    found = predict(without_norms(state.ema.module), feed.val, job.val, job.cfg.val, criterion=job.criterion, stop=stop)
    everything = EvaluationPass.joined(world.gather(found))
    if world.broadcast(everything.incomplete):
        leave(state, saver, stop)
    evaluation = score(everything, job.val) if world.first else None
    return evaluation, world.broadcast(evaluation.report if evaluation else None)


def fit(job: Job, feed: Feed, saver: Saver, stop: Stop) -> Evaluation | None:
    """All epochs: train, evaluate, record, save, stop early. Returns the last evaluation, on the first process."""
    cfg, state = job.cfg, job.state
    table = ResultsCsv(job.run / "results.csv")
    if state.world.first:
        table.start(state.epoch + state.done)
    evaluation, report, budget = None, None, TimeBudget(cfg.run.max_time)
    doctor = Doctor(cfg, job.train.records, job.val.records, state.model)
    alone = state.dtype if state.world.size == 1 else None  # the doctor's trial would wait for the other processes
    while not state.done:
        started = time.perf_counter()
        budget.start_epoch()
        with doctor.watching(state.model, lambda: feed.some_batch(job), alone):
            train_one_epoch(job, feed, saver, stop)
        final = state.epoch + 1 == cfg.schedule.epochs
        last = final or state.world.broadcast(out_of_time(budget, cfg))
        if last or not cfg.run.noval:
            with doctor.watching(state.model, lambda: feed.some_batch(job), alone):
                evaluation, report = assess(job, feed, saver, stop)
        record(table, job, report, time.perf_counter() - started)
        if state.world.first:
            doctor.after_epoch(state.epoch, state.losses.means(), evaluation)
        improved = report is not None and state.is_best(report.metric(cfg.run.best_metric))
        state.complete, state.done = True, stops_early(state, cfg) or final
        saver.save_epoch(state, improved, last or state.done)
        if last or state.done:
            break
        state.next_epoch()
    if report is None:  # ended after its last epoch, before its results
        evaluation, _ = assess(job, feed, saver, stop)
    return evaluation


def record(table: ResultsCsv, job: Job, report: Report | None, seconds: float) -> None:
    """One row of results.csv and one line on the console, by the first process."""
    state = job.state
    if not state.world.first:
        return
    table.append(results_row(state.epoch, state.losses, report, common_rates(state.optimizer)))
    words = state.losses.words() + score_words(report)
    LOG.info("epoch %d/%d: %s | %.1f s", state.epoch + 1, job.cfg.schedule.epochs, words, seconds)


def new_saver(job: Job, origins: dict[str, str]) -> Saver:
    """What writes the run's checkpoints."""
    about = {
        "model_spec": job.state.model.spec.plain(),
        "names": list(job.train.names),
        "channels": job.state.model.channels.plain(),
        "config": job.cfg.plain(),
        "origins": dict(origins),
        "launch": launch_id(),
        **({"vocabulary": job.words.plain()} if job.words else {}),
    }
    return Saver(job.run / "weights", job.cfg.run, about)


def new_feed(job: Job) -> Feed:
    """The loaders of a run."""
    cfg, model, world, pin = job.cfg, job.state.model, job.state.world, job.device.type == "cuda"
    train, batches = train_loader(job.train.records, cfg, model.stride, pin, job.train.channels, world)
    size = max(2 * cfg.data.batch_size // world.size, 1)
    val = eval_loader(job.val.records, cfg.data, model.stride, size, pin, job.val.channels, world)
    phrases = PhraseDraw(job.words.vocabulary, cfg.run.seed) if job.words else None
    return Feed(train, batches, val, Schedule(cfg, len(train)), phrases)


def check_names(train: RecordSet, val: RecordSet, words: Words | None) -> None:
    """Only a network that reads text can be trained on some classes and evaluated on others."""
    if words is None and train.names != val.names:
        raise ConfigError(
            f"validation has other classes ({', '.join(val.names[:3])}, ...) than training; "
            "that needs a model with text, such as --cfg rtvpnet-s.yaml"
        )


def prepare(cfg: Config, world: World, device: torch.device, resumed: Resumed | None = None) -> Job:
    """Data, network and optimizer, those of `resumed` when a run goes on, whose folder is not made yet."""
    dtype = autocast_dtype(cfg.run, device)
    torch.manual_seed(cfg.run.seed)
    train, val = read_splits(cfg)
    vocabulary = Vocabulary.from_lists(train.synonyms)
    if resumed:
        model, words = network_of(resumed.content, resumed.last, cfg, vocabulary)
    else:
        sizes = flatten(train.records).input_sizes(cfg.data.imgsz)
        cfg, model, words = new_model(cfg, vocabulary, train.channels, sizes)
    where = str(resumed.last if resumed else model.spec.path)
    train, val = (part.serving(model.channels, where, cfg.data.data) for part in (train, val))
    check_names(train, val, words)
    if cfg.model.freeze:
        scratch = "" if cfg.model.weights else "; without --weights they stay as random as they start"
        LOG.info(freeze(model, cfg.model.freeze) + scratch)
    set_bn_momentum(model, cfg.model.bn_momentum)
    model.to(device, memory_format=torch.channels_last)
    cfg = world.broadcast(fit_batch(cfg, model, len(train.records), dtype, world.size))
    check_processes(cfg, len(train.records), world.size)
    model = synchronise(model, cfg, world)
    state = new_state(model, cfg, dtype, world)
    state.network = replayed(model, cfg, world, state.network)
    if words and train.names != val.names:  # the averaged weights are the ones that are evaluated
        set_words(state.ema.module, words_for(words, Vocabulary.from_lists(val.synonyms), cfg.model.text_encoder))
    if resumed:
        state.restore(resumed.content, resumed.last)
        if world.first and len(resumed.content["rng"]) != world.size:
            before = counted(len(resumed.content["rng"]), "process")
            LOG.warning(f"begun by {before}, continued by {world.size}: {SAME_PICTURES}")
    return Job(cfg, device, train, val, state, model.head.criterion(cfg), Path(), words)


def say_plan(job: Job) -> None:
    """--dry-run: what the run would be, and what it would cost, measured on a copy of the network."""
    cfg, model, dtype = job.cfg, job.state.model, job.state.dtype
    without_cache = replace(cfg, data=replace(cfg.data, cache="none"))
    loader, _ = train_loader(job.train.records, without_cache, model.stride, pin=False, channels=job.train.channels)
    schedule = Schedule(cfg, len(loader))
    rows = summarise(model, cfg.data.imgsz)
    parameters, flops = sum(row.parameters for row in rows), sum(row.flops for row in rows)
    trial = try_steps(model, cfg, dtype)
    lines = data_lines(job.train.names, job.train.records, job.val.records)
    lines += schedule_lines(cfg, schedule, process_count(cfg.run.device, cfg.run.nproc))
    lines += [
        f"network: {model.spec.path.name}, {parameters:,} parameters, {flops / 1e9:.1f} GFLOPs at {cfg.data.imgsz} px, "
        f"on {job.device} in {str(dtype or torch.float32).removeprefix('torch.')}",
        cost_line(cfg, schedule.steps_per_epoch, len(job.val.records), trial.step_seconds, trial.forward_seconds),
        f"memory: {trial.peak_bytes / 2**30:.2f} GiB at the peak, without the loader's processes",
        f"dry run: nothing was written; the run would go to "
        f"{planned_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok)}",
    ]
    for line in lines:
        LOG.info(line)


def open_run(job: Job, origins: dict[str, str], argv: Sequence[str] | None) -> None:
    """The small files that explain a run, and its log; by the first process."""
    (job.run / "weights").mkdir(exist_ok=True)
    (job.run / LAST_WRITTEN).unlink(missing_ok=True)  # it says that the results are complete
    log_to(job.run / "train.log")
    write_text(job.run / "opt.yaml", as_yaml(job.cfg, origins))
    write_text(job.run / "hyp.yaml", hyp_yaml(job.cfg, origins))
    about = {"seed": job.cfg.run.seed, "device": str(job.device), "processes": job.state.world.size}
    write_json(job.run / "run.json", {**provenance(argv), **about, "launch": launch_id()})
    write_json(
        job.run / "data_report.json", {"train": job.train.data_report.plain(), "val": job.val.data_report.plain()}
    )
    parameters = sum(p.numel() for p in job.state.model.parameters())
    where = str(job.device) if job.state.world.size == 1 else f"{job.state.world.size} x {job.device.type}"
    LOG.info("%s: %s parameters, on %s, into %s", job.state.model.spec.path.name, f"{parameters:,}", where, job.run)
    for sentence in advice(job.cfg, job.train.records, job.state.model.stride):
        LOG.warning(sentence)


def finish(job: Job, feed: Feed, evaluation: Evaluation) -> None:
    """The results of a run that has ended, as files and on the console."""
    cfg, truth, plots = job.cfg, job.val, not job.cfg.run.noplots
    if plots:
        plot_results(job.run / "results.csv", job.run / "results.png")
        plot_detections(job.run, feed.val, truth, evaluation.detections)
    inspection = inspection_config(None, cfg.val.conf, truth.mm_per_px, truth.records)
    nms_settings = DetectionSettings(cfg.val.iou, cfg.val.max_det, cfg.data.imgsz)
    show = show_pictures(truth, cfg.data.max_pixels)
    options = ReportOptions("train", inspection, show, nms_settings, truth.data_report.lines(), plots)
    write_results(job.run, evaluation, job.about(), options)
    best = f"best.pt (epoch {job.state.best_epoch + 1})" if (job.run / "weights" / "best.pt").exists() else "last.pt"
    if job.state.best is None:
        LOG.info("%s is undefined on the validation pictures: no epoch is the best", job.cfg.run.best_metric)
    LOG.info("done: %s/weights/%s, results.csv, %s", job.run, best, "report.html, pictures" if plots else "report.json")


def run_job(job: Job, origins: dict[str, str], argv: Sequence[str] | None) -> None:
    """Train and leave the run folder complete."""
    state, first = job.state, job.state.world.first
    if first:
        open_run(job, origins, argv)
    feed = new_feed(job)
    if first and not job.cfg.run.noplots and state.step == 0:
        plot_start(job.run, feed.train, feed.batches, job.train, job.cfg.data.max_pixels)
    state.world.barrier()
    saver = new_saver(job, origins)
    saver.saved = state.step
    with Stop(impatient=state.world.size == 1) as stop:
        evaluation = fit(job, feed, saver, stop)
    if first and evaluation is not None:
        finish(job, feed, evaluation)


def show_demo(job: Job) -> None:
    """What the demo's network finds."""
    pictures = str(Path(job.cfg.data.data).parent / "images" / "val")
    words = ["--weights", str(job.run / "weights" / "best.pt"), "--source", pictures, "--name", "demo"]
    found, _ = detect_pictures(parse_detect(words), words)
    LOG.info("look at %s (what it finds) and %s (how it learnt)", found, job.run / "results.png")
    LOG.info("next, your own pictures: python train.py --data YOUR.yaml --cfg idfe-net-n.yaml --img 640")


def main_story(argv: Sequence[str] | None) -> int:
    """Flags, configuration, processes, training."""
    flags = parse_train(argv)
    place = find_place(flags.local_rank)
    resumed = None if flags.resume is None or flags.demo else resume(flags)
    settled = demo_settings(flags) if flags.demo else configure(flags) if resumed is None else None
    cfg, origins = settled if settled else (resumed.cfg, resumed.origins)
    processes = process_count(cfg.run.device, cfg.run.nproc)
    if processes > place.size == 1 and not flags.dry_run:
        return launch(__file__, sys.argv[1:] if argv is None else argv, processes)
    device = select_device(cfg.run.device.split(",")[0] if flags.dry_run else device_of(cfg.run.device, place))
    with joined(place, device, cfg.run.timeout) as world:
        run = interrupted_run(cfg, world)
        if run:
            resumed = resume(flags, run / "weights" / "last.pt")
        check_resumed(world, resumed)
        if resumed and resumed.finished:
            LOG.info("%s: this run has ended; start another with --weights", resumed.last)
            return 0
        job = prepare(resumed.cfg if resumed else cfg, world, device, resumed)
        if flags.dry_run:
            say_plan(job)
            return 0
        new = job.cfg.run
        run = resumed.run if resumed else new_run(new.project, new.name, new.exist_ok) if world.first else Path()
        run = world.broadcast(run)
        job = replace(job, run=run)
        run_job(job, origins, argv)
    if flags.demo and world.first:
        show_demo(job)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
