"""Evaluate a checkpoint: COCO's 12 numbers, per class, precision and recall. `python val.py --help`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from data.build import eval_loader
from data.dataset import EvalSamples
from data.description import read_description
from data.records import ReadPolicy, RecordSet, read_records
from models.criterion import Criterion
from models.graph import Graph, build_graph
from models.load import Loaded, load_model
from models.loss_terms import LossTerms
from models.postprocess import NMSConfig, detections, undo_letterbox
from models.spec import read_spec
from models.summary import as_table, summarise
from utils import coco, metrics
from utils.boxes import Letterbox
from utils.cli import ValFlags, parse_val
from utils.config import DataConfig, Setting, ValConfig, build_config, settings_of_assignments
from utils.device import select_device
from utils.draw import Marks
from utils.errors import ConfigError, NumericError
from utils.log import LOG, log_to, progress, run_script
from utils.names import class_map
from utils.paths import find_yaml
from utils.plots import plot_batch, plot_confusion, plot_curves
from utils.runs import new_run, provenance, write_json
from utils.structures import Batch, ClassRow, Detections, Predictions, Report
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
    return Evaluation(_report(truth, scores, curves, _losses(terms)), found, results, curves, scores.precision50)


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


def _report(truth: RecordSet, scores: coco.CocoScores, curves: metrics.Curves, losses: dict[str, float]) -> Report:
    records, names = truth.records, truth.names
    best = curves.best()
    rows = []
    for k, name in enumerate(names):
        counts = [int((r.counted()[1] == k).sum()) for r in records]
        known = best is not None and not np.isnan(curves.recall[k, 0])
        rows.append(
            ClassRow(
                name=name,
                images=sum(count > 0 for count in counts),
                instances=sum(counts),
                precision=float(curves.precision[k, best]) if known else None,
                recall=float(curves.recall[k, best]) if known else None,
                ap50=scores.ap50[k],
                ap=scores.ap[k],
            )
        )
    return Report(
        coco=scores.stats,
        precision=_mean(row.precision for row in rows),
        recall=_mean(row.recall for row in rows),
        confidence=None if best is None else float(metrics.CONFIDENCES[best]),
        classes=tuple(rows),
        images=len(records),
        good_images=sum(r.good for r in records),
        instances=sum(len(r.counted()[1]) for r in records),
        losses=losses,
    )


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def as_lines(report: Report) -> list[str]:
    """The report as a table for the console."""
    width = max(len("all"), *(len(row.name) for row in report.classes))
    lines = [f"{'class':{width}} {'images':>7} {'boxes':>7} {'P':>6} {'R':>6} {'AP50':>6} {'AP':>6}"]
    total = ClassRow(
        "all", report.images, report.instances, report.precision, report.recall, report.map50, report.map50_95
    )
    for row in (total, *report.classes):
        values = " ".join(f"{_show(v):>6}" for v in (row.precision, row.recall, row.ap50, row.ap))
        lines.append(f"{row.name:{width}} {row.images:>7,} {row.instances:>7,} {values}")
    sizes = ", ".join(f"{name} {_show(report.coco[name])}" for name in ("AP75", "APs", "APm", "APl", "AR100"))
    threshold = "" if report.confidence is None else f"; P and R at confidence {report.confidence:.3f} (best mean F1)"
    return [*lines, f"{report.good_images:,} good pictures; {sizes}{threshold}"]


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def plot_detections(folder: Path, loader: DataLoader[Batch], truth: RecordSet, found: dict[int, Detections]) -> None:
    """val_batch0..2_labels.jpg and val_batch0..2_pred.jpg (confidence 0.25 and more).

    Sixteen pictures each, spread evenly over the pictures of the commonest shape, so that sorted classes all show.
    """
    samples = loader.dataset
    assert isinstance(samples, EvalSamples), "evaluation loaders are made by eval_loader"
    shape = Counter(samples.shapes).most_common(1)[0][0]
    alike = [index for index, own in enumerate(samples.shapes) if own == shape]
    spread = [alike[i] for i in np.linspace(0, len(alike) - 1, min(48, len(alike))).round().astype(int)]
    for number in range(3):
        shown = [samples[index] for index in spread[number::3]]
        if not shown:
            return
        images, titles = np.stack([s.image for s in shown]), [truth.records[s.index].path.name for s in shown]
        true = [Marks(s.boxes, s.labels) for s in shown]
        plot_batch(images, true, titles, truth.names, folder / f"val_batch{number}_labels.jpg")
        sure = [found[s.index].keep(found[s.index].scores >= 0.25) for s in shown]
        marks = [_marks(s.letterbox, one) for s, one in zip(shown, sure, strict=True)]
        plot_batch(images, marks, titles, truth.names, folder / f"val_batch{number}_pred.jpg")


def plot_scores(folder: Path, evaluation: Evaluation, truth: RecordSet) -> None:
    """PR, P, R and F1 curves at IoU 0.5, and the confusion matrix at the confidence of the best mean F1."""
    curves, report, names = evaluation.curves, evaluation.report, truth.names
    recalls, axis = np.linspace(0, 1, 101), metrics.CONFIDENCES
    pr_mark = f"AP50 {_show(report.map50)}"
    plot_curves(recalls, evaluation.precision50, names, folder / "PR_curve.png", ("recall", "precision"), pr_mark)
    plot_curves(axis, curves.precision, names, folder / "P_curve.png", ("confidence", "precision"), None)
    plot_curves(axis, curves.recall, names, folder / "R_curve.png", ("confidence", "recall"), None)
    plot_curves(axis, curves.f1(), names, folder / "F1_curve.png", ("confidence", "F1"), "max")
    confidence = 0.25 if report.confidence is None else report.confidence
    counts = metrics.confusion(truth.records, evaluation.found, len(names), confidence)
    plot_confusion(counts, names, folder / "confusion_matrix.png")


def _marks(letterbox: Letterbox | None, found: Detections) -> Marks:
    """Detections of a picture as marks on its letterboxed network input."""
    assert letterbox is not None, "evaluation samples carry their letterbox"
    return Marks(letterbox.apply(found.boxes.numpy()), found.labels.numpy(), found.scores.numpy())


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
    truth = _read_truth(flags, data)
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
    )
    loader = eval_loader(truth.records, data, loaded.model.stride, flags.batch_size, device.type == "cuda")
    cfg = ValConfig(conf=flags.conf_thres, iou=flags.iou_thres, max_det=flags.max_det)
    evaluation = evaluate(loaded.model, loader, truth, cfg, labels)
    for line in as_lines(evaluation.report):
        LOG.info(line)
    write_evaluation(run, evaluation, truth)
    write_json(run / "run.json", {**provenance(argv), "weights": loaded.path.name, "data": truth.books.plain()})
    if not flags.noplots:
        plot_detections(run, loader, truth, evaluation.found)
        plot_scores(run, evaluation, truth)
    LOG.info("written to %s: results.json, predictions.json (COCO format, with truth.json), pictures", run)
    return 0


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
