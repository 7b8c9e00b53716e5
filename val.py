"""Evaluate a checkpoint: COCO's 12 numbers, per class, precision and recall. `python val.py --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from data.build import eval_loader
from data.description import read_description
from data.preview import plot_detections
from data.records import ReadPolicy, RecordSet, read_records
from models.criterion import Criterion
from models.graph import Graph, build_graph
from models.load import Loaded, load_model
from models.loss_terms import LossTerms
from models.postprocess import NMSConfig, detections, undo_letterbox
from models.spec import read_spec
from models.summary import as_table, summarise
from utils import coco, metrics
from utils.cli import parse_val
from utils.config import DataConfig, ValConfig
from utils.device import select_device
from utils.errors import ConfigError, NumericError
from utils.flags import ValFlags
from utils.log import LOG, log_to, progress, run_script
from utils.names import class_map
from utils.paths import find_yaml
from utils.runs import new_run, provenance, write_json
from utils.score_plots import plot_scores
from utils.scores import as_lines, report_of
from utils.settings import Setting, build_config, settings_of_assignments
from utils.structures import Batch, Detections, Predictions, Report
from utils.weights import find_weights


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A report, the detections behind it by index of the record, and the same in COCO's results format."""

    report: Report
    found: dict[int, Detections]
    results: list[dict[str, Any]]
    curves: metrics.Curves
    precision50: np.ndarray  # (classes, 101): see utils.coco.CocoScores


def evaluate(
    model: Graph,
    loader: DataLoader[Batch],
    truth: RecordSet,
    cfg: ValConfig,
    labels: Sequence[int] | None = None,
    criterion: Criterion | None = None,
) -> Evaluation:
    """Run `model` over every picture of `truth` and score it.

    `labels` maps a class of the model to its number in the data; None: they are the same; where several become one, a
    box suppresses boxes of the others. With a criterion the report
    holds the losses too. Raises NumericError for non-finite predictions.
    """
    device = next(model.parameters()).device
    merged = labels is not None and len(set(labels)) < len(labels)
    nms = NMSConfig(conf=cfg.conf, iou=cfg.iou, max_det=cfg.max_det, agnostic=merged)
    relabel = torch.arange(len(truth.names)) if labels is None else torch.tensor(labels)
    found: dict[int, Detections] = {}
    terms: list[LossTerms] = []
    model.eval()
    for batch in progress(loader, "evaluating"):
        batch = batch.to(device, non_blocking=True)
        with torch.inference_mode():
            predictions = model(batch.inputs())
            _check_finite(predictions, truth, batch)
            if criterion is not None:
                terms.append(criterion(predictions, batch.targets))
        scored = undo_letterbox(detections(predictions, nms), batch.letterboxes)
        for index, one in zip(batch.indices, scored, strict=True):
            found[index] = replace(one, labels=relabel[one.labels], names=truth.names)
    results = coco.results_json(truth.records, found, truth.category_ids)
    scores = coco.score(coco.truth_json(truth.records, truth.names, truth.category_ids), results, truth.category_ids)
    curves = metrics.curves(metrics.match(truth.records, found, len(truth.names)))
    report = report_of(truth.records, truth.names, scores, curves, _losses(terms))
    return Evaluation(report, found, results, curves, scores.precision50)


def _check_finite(predictions: Predictions, truth: RecordSet, batch: Batch) -> None:
    sound = predictions.boxes.isfinite().all() & predictions.class_logits.isfinite().all()
    if not sound:
        first = truth.records[batch.indices[0]].path
        raise NumericError(
            f"{first}: the network's output is not finite for the batch from here on; weights are damaged"
        )


def _losses(terms: Sequence[LossTerms]) -> dict[str, float]:
    if not terms:
        return {}
    sums = {name: torch.stack([t.sums[name] for t in terms]).sum(0) for name in terms[0].sums}
    counts = {name: torch.stack([t.counts[name] for t in terms]).sum(0) for name in terms[0].counts}
    return {name: float(value) for name, value in LossTerms(sums, counts).parts().items()}


def _print_summary(flags: ValFlags) -> int:
    if not flags.cfg:
        raise ConfigError("--summary: needs a model, for example --cfg idfe-net.yaml")
    path, size = find_yaml(flags.cfg, "models", "--cfg"), flags.imgsz or 640
    graph = build_graph(read_spec(path), image_size=size)
    if size % graph.stride:
        raise ConfigError(f"--imgsz {size}: must be a multiple of {graph.stride}")
    LOG.info(as_table(summarise(graph, size), f"{path.name} at {size} x {size} px, {graph.spec.classes} classes"))
    return 0


def _data_config(flags: ValFlags, loaded: Loaded) -> DataConfig:
    """What the checkpoint was trained on, with what the user says otherwise."""
    settings = settings_of_assignments(list(flags.assignments))
    for setting in settings:
        if not setting.key.startswith("data."):
            raise ConfigError(f"{setting.origin}: evaluation takes keys of section data only, e.g. data.root")
    if flags.data:
        settings[:0] = [Setting("data.data", flags.data, "--data"), Setting("data.root", "", "--data")]
    if flags.single_cls:
        settings.append(Setting("data.single_cls", True, "--single-cls"))
    stored = [Setting(f"data.{key}", value, str(loaded.path)) for key, value in vars(loaded.config.data).items()]
    return build_config([*stored, *settings])[0].data


def _read_truth(flags: ValFlags, cfg: DataConfig) -> RecordSet:
    if not cfg.data:
        raise ConfigError("--data: the checkpoint names no data; give a data YAML")
    description, notices = read_description(cfg.data, require=(flags.task,), root=cfg.root)
    for notice in notices:
        LOG.info(notice)
    if cfg.single_cls:
        description = description.single_class()
    policy = ReadPolicy(
        bad_data="skip" if flags.bad_data == "skip" else "error",
        drop_duplicates=False,
        allow_empty=flags.allow_empty,
        max_pixels=flags.max_pixels,
    )
    return read_records(description, flags.task, policy)


def main_story(argv: Sequence[str] | None) -> int:
    """Flags, checkpoint, data, evaluation, files."""
    flags = parse_val(argv)
    if flags.summary:
        return _print_summary(flags)
    device = select_device(flags.device)
    loaded = load_model(find_weights(flags.weights), device)
    data = _data_config(flags, loaded)
    truth = _read_truth(flags, data).serving(loaded.channels, str(loaded.path), data.data)
    if flags.single_cls:
        labels: tuple[int, ...] = (0,) * len(loaded.names)
    else:
        labels = class_map(loaded.names, truth.names, str(loaded.path))
    run = new_run(flags.project, flags.name, flags.exist_ok)
    log_to(run / "val.log")
    LOG.info("weights %s (epoch %d)", loaded.path, loaded.epoch + 1)
    for line in truth.books.lines():
        LOG.info(line)
    if flags.single_cls:
        LOG.info("%d classes of the checkpoint scored as one", len(loaded.names))
    elif labels != tuple(range(len(labels))):
        LOG.info("the data orders its classes differently from the checkpoint: matched by name")
    data = replace(
        data,
        imgsz=flags.imgsz or data.imgsz,
        workers=flags.workers,
        max_pixels=flags.max_pixels,
        cache="none",  # every picture is read once
    )
    pin = device.type == "cuda"
    loader = eval_loader(truth.records, data, loaded.model.stride, flags.batch_size, pin, truth.channels)
    cfg = ValConfig(conf=flags.conf_thres, iou=flags.iou_thres, max_det=flags.max_det)
    evaluation = evaluate(loaded.model, loader, truth, cfg, labels)
    for line in as_lines(evaluation.report):
        LOG.info(line)
    write_evaluation(run, evaluation, truth)
    write_json(run / "run.json", {**provenance(argv), "weights": loaded.path.name, "data": truth.books.plain()})
    if not flags.noplots:
        plot_evaluation(run, loader, truth, evaluation)
    LOG.info("written to %s: results.json, predictions.json (COCO format, with truth.json), pictures", run)
    return 0


def plot_evaluation(run: Path, loader: DataLoader[Batch], truth: RecordSet, evaluation: Evaluation) -> None:
    """Truth and detections side by side, the curves, and the confusion matrix at the confidence of the best mean F1."""
    report, found = evaluation.report, evaluation.found
    plot_detections(run, loader, truth, found)
    confidence = 0.25 if report.confidence is None else report.confidence
    confusion = metrics.confusion(truth.records, found, len(truth.names), confidence)
    plot_scores(run, report, evaluation.curves, evaluation.precision50, confusion)


def write_evaluation(run: Path, evaluation: Evaluation, truth: RecordSet) -> None:
    """results.json, predictions.json and truth.json: enough for any COCO evaluator to check the numbers."""
    write_json(run / "results.json", evaluation.report.plain())
    write_json(run / "predictions.json", evaluation.results)
    write_json(run / "truth.json", coco.truth_json(truth.records, truth.names, truth.category_ids))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
