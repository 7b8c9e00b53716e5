"""Evaluate a checkpoint: COCO's 12 numbers, precision and recall, overall and per class. `python val.py --help`."""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from data.augment.transforms import whole_cells
from data.batches.build import eval_loader, read_split
from data.batches.examples import read_examples
from data.batches.preview import plot_detections, show_pictures
from data.batches.watched_loader import WatchedLoader
from data.index.fingerprint import pictures_of
from data.scenes.lost_pictures import LostPictures
from data.sets.split_reading import RecordSet
from data.tiles.tile_size import check_tile
from models.graph.graph import Graph
from models.graph.model_summary import model_table
from models.inference.gathering import Merge
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from models.losses.terms import Criterion
from models.ready.asking import lexicon_for
from models.ready.ensemble import about_members, identity_of, load_members, shared_stride
from models.ready.evaluation_pass import EvaluationPass
from models.ready.examples import look_at
from models.ready.footprint import check_fits
from models.ready.load import Loaded, Network, for_inference, half_words
from models.ready.matched import match_members
from models.ready.prompted import with_permuted_names
from models.ready.timing import measure
from utils.answers.lexicon import Lexicon
from utils.config.config import DataConfig, RunConfig, ValConfig
from utils.console.log import LOG, log_to
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.console.signals import Stop, complete, saying
from utils.deciding.given_limits import asked_settings, given_limits, made_as
from utils.deciding.threshold_file import DetectionSettings, Limits
from utils.deciding.thresholds import LOWEST, least_known
from utils.files.checkpoint import find_weights, weights_about
from utils.files.earlier_run import OF_EVALUATION
from utils.files.output_files import Extra, Results
from utils.files.runs import new_run, planned_run, provenance, write_about
from utils.files.yolo_txt import write_label_files
from utils.flags.val_config import assigned_config, check_predictions, data_config, flag_notices, val_config
from utils.flags.val_flags import ValFlags, parse_val
from utils.inspection.comparison import report_comparison
from utils.inspection.inspection_config import InspectionConfig, inspection_config
from utils.processes.device import half_precision, select_device
from utils.processes.distributed import ALONE, World, find_place, joined
from utils.processes.launch import device_of
from utils.processes.memory import keep_freed_memory
from utils.quiz.quiz_run import quiz
from utils.report.evaluation import PAGE, ReportOptions
from utils.report.run_results import write_results, write_speed
from utils.scoring import coco
from utils.scoring.evaluation import Evaluation
from utils.scoring.frequency import frequency_scores, trained_as
from utils.scoring.novelty import chance_scores, group_scores
from utils.scoring.prediction_files import Known, read_parts
from utils.values.batch import Batch
from utils.values.predictions import Candidates, Predictions
from utils.values.record import Record
from utils.values.unknown_defect import UNKNOWN
from utils.values.weights_identity import WeightsIdentity
from utils.words.errors import ConfigError, NumericError
from utils.words.text import counted
from utils.zones.zones import counting_rows

WRITTEN = "results.json, report.json, thresholds.yaml, predictions.json (COCO format, with truth.json)"


def predict(
    models: tuple[Network, ...],
    loader: WatchedLoader,
    truth: RecordSet,
    cfg: ValConfig,
    labels: Sequence[int] | None = None,
    criterion: Criterion | None = None,
    stop: Stop | None = None,
    merge: Merge = "wbf",
) -> EvaluationPass:
    """Run `models`, one or an ensemble, over every picture of the loader; see `evaluate`. `criterion` adds the losses
    of one, `stop` ends it early. A class that `labels` numbers beyond those of the data is of what is none of them.
    """
    nms = NMSConfig(conf=cfg.conf, iou=cfg.iou, max_det=cfg.max_det)
    numbers = torch.arange(len(truth.names)) if labels is None else torch.tensor(labels)
    named, unnamed = _apart(Inference(models, nms, numbers, truth.names, merge))
    gathering, others = named.gathering(), unnamed.gathering() if unnamed else None
    found = EvaluationPass({}, {})
    for model in models:
        if isinstance(model, Graph):
            model.eval()
    left = len(loader)
    with saying(lambda: f"{len(found.detections)} of {counted(len(truth.records), 'picture')} evaluated"):
        for batch in progress(loader.until(stop), "evaluating", left):
            if stop is not None and stop.received:
                break
            left -= 1
            found.lost.update(batch.lost)
            if not len(batch):
                continue  # none of its pictures could be read
            batch = batch.to(named.device, non_blocking=True)
            predictions = named.predictions(batch)
            _check_finite(predictions, truth, batch)
            if criterion is not None:
                assert isinstance(predictions[0], Predictions), "a loss needs anchors and grids, not boxes alone"
                with torch.inference_mode():
                    first = batch.views[0]
                    found.terms[first.picture, first.part] = criterion(predictions[0], batch.targets).cpu()
            found.detections.update(gathering.add(named.found(predictions, batch.views)))
            if unnamed is not None and others is not None:
                found.unnamed.update(others.add(unnamed.found(predictions, batch.views)))
    assert left or gathering.waiting.keys() <= found.lost.keys(), "the loader has every view of a picture"
    return replace(found, incomplete=left > 0)


def _apart(inference: Inference) -> tuple[Inference, Inference | None]:
    """For the classes of the data, and for what is none of them where the network looks for it, as its last class: each
    has its own NMS, so that the one takes no place of the other's.
    """
    count = len(inference.names)
    if inference.numbers[-1] < count:
        return inference, None
    last = len(inference.numbers) - 1
    nms = replace(inference.nms, classes=tuple(range(last))), replace(inference.nms, classes=(last,))
    alone = torch.zeros_like(inference.numbers)
    return replace(inference, nms=nms[0]), replace(inference, nms=nms[1], numbers=alone, names=(UNKNOWN,))


def score(found: EvaluationPass, truth: RecordSet) -> Evaluation:
    """Score the detections of every picture of `truth` that could be read, and average the losses if there are any."""
    found = found.counting(truth.zones, truth.records, len(truth.names))
    records: Sequence[Record] = truth.judged
    detections, unnamed = found.detections, found.unnamed
    if found.lost:
        kept = [index for index in range(len(records)) if index not in found.lost]
        records, detections = [records[i] for i in kept], {n: detections[i] for n, i in enumerate(kept)}
        unnamed = {n: unnamed[i] for n, i in enumerate(kept)} if unnamed else unnamed
    results = coco.results_json(records, detections, truth.category_ids)
    losses, skipped = found.losses(), truth.data_report.left_out
    known = records, truth.names, truth.category_ids
    return Evaluation(*known, results, losses, skipped, found.lost, unnamed or None)


def evaluate(
    models: tuple[Network, ...],
    loader: WatchedLoader,
    truth: RecordSet,
    cfg: ValConfig,
    labels: Sequence[int] | None = None,
    world: World = ALONE,
    merge: Merge = "wbf",
) -> Evaluation | None:
    """Run `models` over every picture of `truth` and score it; with several processes the first one scores.

    `labels` maps each class of the model to its number in the data; None: the numbers are the same. Several that become
    one are one to NMS. Raises NumericError for non-finite predictions, DataError when more
    pictures could not be read than may be left out.
    """
    found = EvaluationPass.joined(world.gather(predict(models, loader, truth, cfg, labels, merge=merge)))
    if not world.first:
        return None
    lost = LostPictures(truth, "skip")
    lost.add(found.lost)
    if error := lost.refusal():
        raise error
    return score(found, truth)


def _check_finite(predictions: Sequence[Candidates], truth: RecordSet, batch: Batch) -> None:
    if not all(one.finite() for one in predictions):
        first = truth.records[batch.indices[0]].path
        raise NumericError(
            f"{first}: the network's output is not finite for the batch from here on; weights are damaged"
        )


def main_story(argv: Sequence[str] | None) -> int:
    """Flags, checkpoint, data, evaluation, files."""
    flags = parse_val(argv)
    place = find_place(None)
    if place.rank and (flags.summary or flags.compare is not None or flags.from_preds):
        return 0  # nothing to share out: the first process does it alone
    if flags.summary:
        for line in model_table(flags.cfg, flags.imgsz or 640).splitlines():
            LOG.info(line)
        return 0
    if flags.compare is not None:
        return report_comparison(flags, argv)
    if flags.from_preds:
        return score_predictions(flags, argv)
    if place.size > 1 and flags.task == "speed":
        raise ConfigError("--task speed: times one process; start python val.py itself")
    keep_freed_memory()
    device = select_device(device_of(flags.device, place))
    with saying(lambda: "start it again for complete results"), joined(place, device, RunConfig().timeout) as world:
        return evaluate_checkpoint(flags, argv, world, device)


def evaluate_checkpoint(flags: ValFlags, argv: Sequence[str] | None, world: World, device: torch.device) -> int:
    """Every process evaluates its share of the pictures; the first one scores and writes the files."""
    assigned, given, flags = assigned_config(flags), flags, made_as(flags)
    flags.check_merge()
    members = load_members(
        [find_weights(path) for path in (flags.weights, *flags.ensemble)], device, assigned.model.sam
    )
    loaded = members[0]
    data = data_config(flags, loaded.config.data, str(loaded.path))
    planned = planned_run(flags.project, flags.name, flags.exist_ok)
    truth = read_split(data, flags.split, planned).serving(loaded.channels, str(loaded.path), data.data)
    truth = truth.in_zones(flags.roi, (UNKNOWN,) * flags.unknown)
    members, classes, novelty = match_members(flags, members, truth.synonyms, lambda one: _shown(flags, one, truth))
    loaded = members[0]  # as it looks for the data's classes
    models = tuple(for_inference(one.model, assigned.model.static, flags.half) for one in members)
    stride = shared_stride(models)
    check_tile(data.tile, stride)
    data = replace(data, imgsz=whole_cells(data.imgsz, stride))
    permuted = with_permuted_names(loaded, assigned.val.chance)
    cfg, limits = val_config(flags, loaded.config.val), given_limits(flags, truth.names)
    inspection = inspection_config(
        flags, cfg.conf, truth.mm_per_px, truth.judged, limits.thresholds if limits else None
    )
    pin, strict = device.type == "cuda", data.bad_data == "error"
    known = pin, truth.channels, world, strict, flags.augment
    loader = eval_loader(truth.records, data, stride, flags.batch_size, *known)
    inputs = flags.batch_size if data.tile or flags.augment else len(truth.records)
    check_fits(models[0], data.imgsz, min(flags.batch_size, inputs), half=flags.half)
    about = loaded.about() | about_members(members)
    about |= {"examples": Path(flags.examples).name} if flags.examples else {}
    origin = {**weights_about(loaded.path), "data": truth.data_report.plain(), **about}
    run = open_run(flags, {**provenance(argv), **origin}) if world.first else Path()
    LOG.info("weights %s (epoch %d)", " + ".join(str(one.path) for one in members), loaded.epoch + 1)
    remarks = [*half_words(models[0], flags.half), *flag_notices(flags), *classes.remarks]
    weights = identity_of(members)
    remarks += settings_remarks(given, data, stride, loaded, limits)
    for line in limits.warnings(weights, pictures_of(truth), truth.counted_in) if limits else ():
        LOG.warning(line)
    for line in (*truth.lines(), *remarks):
        LOG.info(line)
    with half_precision(device, flags.half):
        if flags.task == "speed":
            nms = NMSConfig(conf=cfg.conf, iou=cfg.iou, max_det=cfg.max_det)
            write_speed(run, measure(models, loader, nms, loaded.names), not flags.noplots)
            return 0
        merge = flags.merge or "wbf"
        evaluation = evaluate(models, loader, truth, cfg, classes.labels, world, merge)
        chances = (evaluate((one,), loader, truth, cfg, classes.labels, world) for one in permuted)
        by_chance = [done.report for done in chances if done]
    if evaluation is None:
        return 0
    about |= chance_scores(by_chance) | group_scores(evaluation.report.classes, novelty)
    trained = trained_as(loaded.trained, loaded.names, classes.labels, truth.names)
    about |= frequency_scores(evaluation.report.classes, trained)
    options = report_options(flags, "val", inspection, truth, DetectionSettings.of(cfg, data), weights, limits)
    write_evaluation(flags, run, loader, truth, evaluation, about, options, lexicon_for(truth.names, loaded.words))
    return 0


def settings_remarks(
    given: ValFlags, data: DataConfig, stride: int, loaded: Loaded, limits: Limits | None
) -> list[str]:
    """Where sizes are not those that the flags `given` ask for, or the thresholds were chosen with."""
    remarks = []
    if given.imgsz not in (None, data.imgsz):
        remarks.append(f"--img {given.imgsz} is no multiple of {stride}: using {data.imgsz}")
    if limits is not None:
        remarks += limits.notices(asked_settings(given, stride), agnostic=False, imgsz=loaded.config.data.imgsz)
    return remarks


def write_evaluation(
    flags: ValFlags,
    run: Path,
    loader: WatchedLoader,
    truth: RecordSet,
    evaluation: Evaluation,
    about: dict[str, object],
    options: ReportOptions,
    lexicon: Lexicon,
) -> None:
    """Every file of the run."""
    with Results() as results:
        if flags.save_txt:
            records, found = evaluation.records, evaluation.detections
            write_label_files(run / "labels", records, found, flags.save_conf, results)
        if not flags.noplots:
            with Extra("val_batch pictures"):
                plot_detections(run, loader, truth, evaluation.detections_in_split)
        write_results(run, evaluation, about, options, results)
        if flags.task == "vqa":
            quiz(run, evaluation, lexicon, options.inspection, flags, results)
    say_written(run)


def _shown(flags: ValFlags, loaded: Loaded, truth: RecordSet) -> dict[str, torch.Tensor]:
    """What --examples shows, by class name; nothing where none are given."""
    if not flags.examples:
        return {}
    size, stride = flags.imgsz or loaded.config.data.imgsz, loaded.model.stride
    few = read_examples(flags.examples, loaded.channels, str(loaded.path), size, stride)
    if warning := few.words_about(truth):
        LOG.warning(warning)
    return look_at(loaded.graph("--examples"), few.batches, few.names)


def open_run(flags: ValFlags, origin: dict[str, object]) -> Path:
    """A new run folder with its log; `origin`, where the numbers come from, and who scores go into run.json."""
    run = new_run(flags.project, flags.name, flags.exist_ok, OF_EVALUATION, flags.from_preds)
    log_to(run / "val.log")
    write_about(run, {**origin, "evaluator": coco.evaluator()}, assigned_config(flags).run.full_paths)
    return run


def say_written(run: Path) -> None:
    """The last line, after which nothing is left to stop."""
    LOG.info("written to %s: %s%s", run, WRITTEN, ", report.html, pictures" if (run / PAGE).exists() else "")
    complete()


def report_options(
    flags: ValFlags,
    kind: str,
    inspection: InspectionConfig,
    truth: RecordSet,
    nms: DetectionSettings,
    weights: WeightsIdentity | None,
    limits: Limits | None,
) -> ReportOptions:
    """How to write the result files and the page. thresholds.yaml names what chose it: `limits`, or this run."""
    show, lines = show_pictures(truth, flags.max_pixels), truth.lines()
    chosen_by = (weights, pictures_of(truth)) if limits is None else (limits.weights, limits.pictures)
    chosen_in = truth.counted_in if limits is None else limits.zones
    zones = truth.counted_in, chosen_in
    return ReportOptions(kind, inspection, show, nms, *chosen_by, lines, not flags.noplots, flags.verbose, *zones)


def score_predictions(flags: ValFlags, argv: Sequence[str] | None) -> int:
    """--from-preds: score detections that another program made."""
    check_predictions(flags)
    data = data_config(flags, DataConfig(), "the defaults")
    truth = read_split(data, flags.split, planned_run(flags.project, flags.name, flags.exist_ok))
    truth = truth.in_zones(flags.roi)
    limits = given_limits(flags, truth.names)
    images, categories = coco.images_json(truth.records), coco.classes_json(truth.names, truth.category_ids)
    known = Known({"images": images, "categories": categories}, flags.single_cls)
    results = read_parts(flags.from_preds, known)
    lowest = 0.0 if limits else least_known(results)
    inspection = inspection_config(flags, lowest, truth.mm_per_px, truth.judged, limits.thresholds if limits else None)
    files, names = ", ".join(flags.from_preds), ", ".join(Path(path).name for path in flags.from_preds)
    run = open_run(flags, {**provenance(argv), "predictions": names, "data": truth.data_report.plain()})
    for line in truth.lines():
        LOG.info(line)
    for line in limits.warnings(None, pictures_of(truth), truth.counted_in) if limits else ():
        LOG.warning(line)
    pictures = len({row["image_id"] for row in results})
    LOG.info("%s: %s in %d of %d pictures", files, counted(len(results), "detection"), pictures, len(images))
    if known.doubt and not all(Path(path).with_name("truth.json").exists() for path in flags.from_preds):
        LOG.warning("%s: %s", files, known.doubt)
    if not results:
        LOG.warning("%s: holds no detections; every defect counts as missed", files)
    elif lowest > LOWEST:
        advice = "if it was cut there, AP and thresholds miss the rest; write detections from 0.001 on"
        LOG.warning("%s: holds nothing below a score of %.3g: %s", files, lowest, advice)
    left_out = truth.data_report.left_out
    results = counting_rows(truth.zones, results, truth.records, truth.category_ids)
    evaluation = Evaluation(truth.judged, truth.names, truth.category_ids, results, skipped=left_out)
    options = report_options(flags, "predictions", inspection, truth, DetectionSettings(), None, limits)
    with Results() as written:
        write_results(run, evaluation, {}, options, written)
        if flags.task == "vqa":
            quiz(run, evaluation, lexicon_for(truth.names, None), inspection, flags, written)
    say_written(run)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
