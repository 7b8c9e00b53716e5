"""Train a defect detector. `python train.py --demo` for a first run on built-in pictures; `python train.py --help`."""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from data.batches.advice import advice
from data.batches.build import Loaders, Splits, lone_picture, new_loaders, read_splits, steps_per_epoch
from data.batches.preview import plot_detections, plot_start, show_pictures
from data.drawn.demo import demo_settings
from data.index.fingerprint import pictures_of
from data.scenes.cached_pictures import check_cache
from data.scenes.lost_pictures import DataBook
from data.tiles.tile_size import auto_words, check_tile, with_tile
from detect import detect_pictures
from models.graph.folded import without_norms
from models.graph.graph import Graph
from models.graph.open_vocabulary import Words, asked_words, set_words
from models.losses.terms import Criterion
from models.ready.evaluation_pass import EvaluationPass
from models.ready.load import about_network, checkpoint_network, network_name, network_of
from models.ready.lone_picture import check_lone_picture
from models.ready.new_model import new_model, new_training, size_line, start_advice, traits_of
from models.ready.trial import dry_run_lines
from utils.config.config import Config
from utils.config.idle_knobs import check_knobs
from utils.console.log import LOG
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.console.signals import Stop, Stopped, complete, saying
from utils.deciding.threshold_file import DetectionSettings
from utils.files.output_files import Extra, Results
from utils.flags.detect_flags import parse_detect
from utils.flags.train_config import configure
from utils.flags.train_flags import parse_train
from utils.inspection.inspection_config import inspection_config
from utils.processes.device import select_device
from utils.processes.distributed import World, find_place, joined
from utils.processes.exactness import Conditions, number_environment
from utils.processes.launch import device_of, follow_launcher, launch, process_count
from utils.processes.memory import keep_freed_memory
from utils.processes.mixed_precision import autocast_dtype
from utils.processes.resume import Resumed, check_resumed, first_that_fits, reading_data, restarted, resume
from utils.report.evaluation import ReportOptions
from utils.report.run_results import write_results
from utils.scoring import coco
from utils.scoring.frequency import frequency_scores
from utils.tracking.tools import check_tools, new_trackers
from utils.tracking.tracking import Tracking
from utils.training.alone import alone_in
from utils.training.best_epoch import best_average
from utils.training.doctor import Doctor
from utils.training.early_stopping import TimeBudget, out_of_patience, out_of_time
from utils.training.epoch import record_epoch
from utils.training.run_folder import close_run_folder, open_run_folder, shared_new_folder
from utils.training.saver import Saver
from utils.training.schedule import Schedule
from utils.training.state import TrainState
from utils.training.step import forward_backward, optimizer_step
from utils.values.report import Report
from utils.values.weights_identity import WeightsIdentity
from val import Evaluation, predict, score


@dataclass(frozen=True, eq=False)
class Judged:
    """What the results of a run are about: the evaluation of `weights`, of this epoch."""

    evaluation: Evaluation
    weights: WeightsIdentity
    epoch: int


@dataclass(frozen=True, eq=False)
class Run:
    """A training run, ready to start; `words` are what a network that reads text looks for, else None. Pictures that
    cannot be read on the way are entered in the `book` of the run folder. `conditions` are what its bits depend on
    beside its configuration, `warnings` what of them changed when it is resumed, or which knobs do nothing.
    """

    cfg: Config
    device: torch.device
    data: Splits
    state: TrainState[Graph]
    criterion: Criterion
    words: Words | None
    book: DataBook
    conditions: Conditions | None
    warnings: Sequence[str]


def train_one_epoch(run: Run, loaders: Loaders, saver: Saver, stop: Stop) -> None:
    """One pass over the training pictures, or the rest of one when a run resumes in the middle of an epoch.

    Raises Stopped, with everything saved, soon after `stop` has received a signal.
    """
    state, cfg, schedule = run.state, run.cfg, Schedule(run.cfg, len(loaders.train))
    state.model.train()
    loaders.sampler.set_epoch(state.epoch, state.batches)  # the order of this epoch, minus the batches already seen
    accumulated, pictures = 0, 0  # whose gradients are not used yet: batches, and the pictures in them
    steps = schedule.steps_per_epoch
    bar = progress(loaders.train.until(stop), f"epoch {state.epoch + 1}/{cfg.schedule.epochs}", steps, state.batches)
    with bar, saver.between_batches(state, stop, steps, lambda: accumulated):
        for batch in bar:
            schedule.apply(state.optimizer, state.step)  # learning rates and momentum change with every step
            if loaders.phrases:  # a text network: add the class names that this batch is compared with
                batch = loaders.phrases(batch, state.step, state.world)
            batch = batch.to(run.device, non_blocking=True)
            # Gradients left over at the end of an epoch make one last, smaller update, so that epochs stay independent.
            ends_epoch = state.batches + 1 == steps
            update = ends_epoch or accumulated + 1 >= schedule.accumulate(state.step + 1)
            info = schedule.step_info(state.step)
            result = forward_backward(state, run.criterion, batch, info, update, bool(stop.received))
            state.losses.add(result)
            if result.lost:  # by any process
                run.book.enter(run.book.train, batch.lost, state.world)
            state.step, state.batches = state.step + 1, state.batches + 1
            accumulated, pictures = accumulated + 1, pictures + result.pictures
            if update:
                state.losses.skipped += not optimizer_step(state, cfg.optim.clip_norm, pictures)
                accumulated, pictures = 0, 0
                saver.save_step(state)  # only after an update: checkpoints hold no accumulated gradients
                if result.stopping:  # agreed on by all processes, whichever of them received the signal
                    saver.save_and_stop(state, stop)
                if error := run.book.train.refusal():
                    saver.save_and_raise(state, error)
            bar.set_postfix_str(state.losses.words(), refresh=False)


def evaluate(
    run: Run, loaders: Loaders, saver: Saver, stop: Stop, average: Graph
) -> tuple[Evaluation | None, Report | None]:
    """Evaluate with all processes: the first one gets the details, all get the report; None when nothing can be read.

    `average` has averaged weights (EMA), because best.pt holds those: they fluctuate less than the raw weights.
    """
    state, world = run.state, run.state.world
    mine = predict(
        (without_norms(average),), loaders.val, run.data.val, run.cfg.val, criterion=run.criterion, stop=stop
    )
    found = EvaluationPass.joined(world.gather(mine))
    if world.broadcast(found.incomplete):
        saver.save_and_stop(state, stop)
    run.book.enter(run.book.val, mine.lost, world)
    if run.cfg.data.bad_data == "error" and (error := run.book.val.refusal()):
        saver.save_and_raise(state, error)
    # Scoring needs all detections at once: the first process does it alone and shares the report, so that all
    # processes agree on which epoch is the best.
    evaluation = score(found, run.data.val) if world.first and found.detections else None
    return evaluation, world.broadcast(evaluation.report if evaluation else None)


def fit(
    run: Run, loaders: Loaders, saver: Saver, tracking: Tracking, stop: Stop
) -> tuple[Evaluation | None, Report | None]:
    """All epochs: train, evaluate, record, save, stop early. Returns the last evaluation, see `evaluate`."""
    cfg, state, world = run.cfg, run.state, run.state.world
    if world.first:
        tracking.start(state.epoch + state.done)
    world.barrier()  # the others wait here, not in a step
    doctor = Doctor(cfg, *run.data.counts(), state.model)
    doctor_dtype = state.dtype if world.size == 1 else None  # a trial batch on one process would wait for the others
    budget, evaluation, report = TimeBudget(cfg.run.max_time), None, None
    while not state.done:
        started = time.perf_counter()
        budget.start_epoch()
        with doctor.watching(state.model, lambda: loaders.first_batch(state.epoch).to(run.device), doctor_dtype):
            train_one_epoch(run, loaders, saver, stop)
            final = state.epoch + 1 >= cfg.schedule.epochs
            last = final or world.broadcast(out_of_time(budget, cfg))  # clocks differ: rank 0 decides
            if last or not cfg.run.noval:
                state.synchronise_average()
                evaluation, report = evaluate(run, loaders, saver, stop, state.ema.module)
        if world.first:
            record_epoch(tracking, state, report, cfg, time.perf_counter() - started)
            doctor.after_epoch(state.epoch, state.losses.means(), evaluation)
        improved = report is not None and state.is_best(report.metric(cfg.run.best_metric))
        state.complete, state.done = True, out_of_patience(state, cfg) or final
        saver.save_epoch(state, improved, last or state.done)
        if last or state.done:
            break
        state.next_epoch()
    return evaluation, report


def judge(
    run: Run, loaders: Loaders, saver: Saver, stop: Stop, last: tuple[Evaluation | None, Report | None]
) -> Judged | None:
    """The evaluation of the weights that the run hands on, for the first process: those of best.pt, or of the `last`
    epoch.
    """
    state = run.state
    best = best_average(state, saver.folder / "best.pt")
    evaluation, report = last
    if best is not None:
        LOG.info("best.pt is of epoch %d: evaluated once more, for the results", state.best_epoch + 1)
        evaluation, report = evaluate(run, loaders, saver, stop, best)
    elif report is None:  # resumed after its last epoch: only the results were still missing
        state.synchronise_average()
        evaluation, report = evaluate(run, loaders, saver, stop, state.ema.module)
    if report is None:
        raise run.book.val.nothing_left()
    if evaluation is None:
        return None
    file = "best.pt" if best is not None or state.best_epoch == state.epoch else "last.pt"
    epoch = state.epoch if best is None else state.best_epoch
    return Judged(evaluation, WeightsIdentity.of(file, (best or state.ema.module).state_dict()), epoch)


def prepare(cfg: Config, origins: dict[str, str], device: torch.device, world: World, resumed: Resumed | None) -> Run:
    """Data, network and optimizer. No run folder yet, so that a mistake found here leaves nothing behind."""
    dtype = autocast_dtype(cfg.run, device)
    torch.manual_seed(cfg.run.seed)
    with reading_data(resumed):
        data = read_splits(cfg, resumed.folder if resumed else None)
    asked, cfg = cfg.data.tile, with_tile(cfg, data.train.records)
    if words_of_tile := auto_words(asked, cfg.data):
        LOG.info(words_of_tile)
    conditions = None  # only rank 0 writes checkpoints
    if world.first:
        conditions = Conditions(data_fingerprint=data.fingerprint(), environment=number_environment(device))
    vocabulary = data.train_vocabulary(cfg.data.as_defect > 0)
    if resumed:
        model, words = network_of(resumed.content, resumed.source, cfg, vocabulary)
        resumed.check_classes(data.train.names, cfg.data.data)
    else:
        cfg, model, words = new_model(cfg, vocabulary, data.train.channels, data.box_sizes(cfg.data))
        check_tile(cfg.data.tile, model.stride)
    where = str(resumed.source if resumed else model.spec.path)
    data = data.serving(model.channels, where, cfg.data.data, reads_text=words is not None)
    if not resumed:
        check_cache(cfg.data.cache, data.train.channels)
    cfg, state = new_training(model, cfg, data.samples(cfg.data), dtype, device, world)
    if lone := lone_picture(data, cfg, model.stride, world):
        check_lone_picture(state.model, *lone)
    if words and data.train.names != data.val.names:  # on the averaged weights only, as those are evaluated
        others = asked_words(words, data.val_vocabulary(), cfg.model.text_encoder, kept=words.vocabulary.names)
        set_words(state.ema.module, replace(others, guides=words.guides_of_others()))  # as val.py looks for them
    if resumed:
        state.restore(resumed.content, resumed.source)
    book = DataBook(data.train, data.val, cfg.data.bad_data)
    if resumed:
        warnings = resumed.inexact(conditions) if conditions else []
    else:
        warnings = check_knobs(cfg, origins, traits_of(state.model, len(data.train.names), cfg.model.weights))
    return Run(cfg, device, data, state, state.model.head.criterion(cfg), words, book, conditions, warnings)


def say_beforehand(run: Run) -> None:
    """What a user should know before the run: options that cannot act, and what would be learnt from more."""
    cfg, data, model = run.cfg, run.data, run.state.model
    for sentence in (*run.warnings, *advice(cfg, data.train.records, model.stride)):
        LOG.warning(sentence)
    if run.state.step == 0:
        for sentence in start_advice(model, cfg, data.train.pictures, data.samples(cfg.data)):
            LOG.info(sentence)


def dry_run(run: Run) -> int:
    """--dry-run: say what the run would do and what it would cost, measured on a copy of the network. Returns 0."""
    say_beforehand(run)
    steps = steps_per_epoch(run.data, run.cfg, run.state.model.stride)
    for line in dry_run_lines(run.state.model, run.cfg, run.state.dtype, run.data.counts(), steps):
        LOG.info(line)
    return 0


def finish(run: Run, folder: Path, loaders: Loaders, judged: Judged, tracking: Tracking) -> None:
    """The results of a run that has ended, as files and on the console."""
    cfg, truth, plots = run.cfg, run.data.val, not run.cfg.run.noplots
    inspection = inspection_config(None, cfg.val.conf, truth.mm_per_px, truth.records)
    nms = DetectionSettings.of(cfg.val, cfg.data)
    show = show_pictures(truth, cfg.data.max_pixels)
    lines = [*truth.data_report.lines(), *run.book.lines()]
    options = ReportOptions("train", inspection, show, nms, judged.weights, pictures_of(truth), lines, plots)
    about = {"weights": judged.weights.file, "epoch": judged.epoch + 1, **about_network(run.state.model, run.words)}
    scores = frequency_scores(judged.evaluation.report.classes, run.data.trained())
    with Results() as results:
        if plots:
            with Extra("val_batch pictures"):
                plot_detections(folder, loaders.val, truth, judged.evaluation.detections_in_split)
        write_results(folder, judged.evaluation, {**about, **scores}, options, results)
        for line in run.book.lines():
            LOG.warning(line)
        close_run_folder(folder, judged.weights.file, judged.epoch, cfg, run.state.best)
    tracking.results({**about, "weights_digest": judged.weights.digest})
    complete()


def train(run: Run, folder: Path, origins: dict[str, str], argv: Sequence[str] | None) -> None:
    """Train, and write everything that belongs in the run folder."""
    cfg, data, state, world = run.cfg, run.data, run.state, run.state.world
    run.book.open(folder / "data_report.json", resumed=state.step > 0)
    if world.first:  # only rank 0 writes files
        about = {"device": str(run.device), "processes": world.size, "evaluator": coco.evaluator()}
        open_run_folder(folder, cfg, origins, run.book.plain(), about, argv)
        LOG.info("%s, into %s", size_line(state.model, world), folder)
        say_beforehand(run)
    vocabulary = run.words.vocabulary if run.words else None
    loaders = new_loaders(data, cfg, state.model.stride, run.device, world, vocabulary)
    if world.first and not cfg.run.noplots and state.step == 0:
        with Extra("pictures of what training is shown"):
            plot_start(folder, loaders.train, loaders.sampler, data.train, cfg.data.max_pixels)
    world.barrier()  # the other processes wait until the run folder is ready
    network = checkpoint_network(state.model, data.train.names, run.words) | {"shown": [*data.trained().values()]}
    saver = Saver(folder / "weights", cfg, {**network, **(run.conditions or {}), "origins": origins}, state.step)
    trackers = new_trackers(cfg.run.log, folder) if world.first else []
    with saying(saver.words), Tracking(folder, cfg, trackers) as tracking:
        with Stop(impatient=world.size == 1) as stop:
            last = fit(run, loaders, saver, tracking, stop)
            judged = judge(run, loaders, saver, stop, last)
            if number := world.broadcast(stop.received):  # since the last step: what follows can be made another time
                raise Stopped(number)
        if judged is not None:  # on the first process
            finish(run, folder, loaders, judged, tracking)


def show_demo(folder: Path, data: Path) -> None:
    """Run detect.py on the demo's validation pictures with the network just trained."""
    argv = ["--weights", f"{folder}/weights/best.pt", "--source", f"{data.parent}/images/val", "--name", "demo"]
    found, _ = detect_pictures(parse_detect(argv), argv)
    LOG.info("look at %s (what it finds) and %s (how it learnt)", found, folder / "results.png")
    LOG.info("next, your own pictures: python train.py --data YOUR.yaml --cfg idfe-net-lite0-n.yaml --img 640")


def main_story(argv: Sequence[str] | None) -> int:
    """Flags, configuration, processes, training."""
    flags = parse_train(argv)
    place = find_place(flags.local_rank)
    resumed = resume(flags) if flags.resume is not None and not flags.demo else None
    cfg, origins = (
        resumed.settings if resumed else demo_settings(flags) if flags.demo else configure(flags, network_name)
    )
    if not place.rank:  # the launching process too: before anything is begun
        check_tools(cfg.run.log, origins.get("run.log", ""))
    if (processes := process_count(cfg.run.device, cfg.run.nproc)) > place.size == 1 and not flags.dry_run:
        return launch(__file__, sys.argv[1:] if argv is None else argv, processes)
    follow_launcher()
    keep_freed_memory()
    device = select_device(cfg.run.device.split(",")[0] if flags.dry_run else device_of(cfg.run.device, place))
    with joined(place, device, cfg.run.timeout) as world:
        resumed = restarted(cfg, world) or resumed
        if resumed:
            check_resumed(world, resumed)
            cfg, origins = resumed.settings
            if resumed.finished:
                LOG.info("%s: this run has ended; start another with --weights", resumed.last)
                return 0
        run = first_that_fits(resumed, lambda last: prepare(cfg, origins, device, world, last))
        if flags.dry_run:
            return dry_run(run)
        folder = world.broadcast(resumed.folder) if resumed else shared_new_folder(run.cfg, world)
        with alone_in(folder) if world.first else nullcontext():
            train(run, folder, origins, argv)
    if flags.demo and world.first:
        show_demo(folder, Path(run.cfg.data.data))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
