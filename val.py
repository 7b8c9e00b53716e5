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

from data.build import eval_loader, read_split
from data.collate import collate
from data.dataset import EvalSamples
from data.preview import plot_detections
from data.records import RecordSet
from models.criterion import Criterion
from models.graph import Graph, build_graph
from models.load import Loaded, closed_words, load_model, look_for, make_static
from models.loss_terms import LossTerms
from models.open_vocabulary import permuted, set_words
from models.postprocess import NMSConfig, detections, undo_letterbox
from models.spec import read_spec
from models.summary import as_table, summarise
from models.timing import measure
from utils import coco, metrics
from utils.cli import parse_val
from utils.config import Config, DataConfig, ValConfig
from utils.device import half_notices, half_precision, select_device
from utils.errors import ConfigError, NumericError
from utils.flags import ValFlags
from utils.log import LOG, log_to, progress, run_script
from utils.names import class_map, mapped_names, read_class_mapping
from utils.novelty import Novelty, group_lines, group_names, group_scores
from utils.paths import find_yaml
from utils.places import output_places, relative_paths
from utils.plots import plot_times
from utils.runs import new_run, provenance, write_json, write_text
from utils.score_plots import plot_scores
from utils.scores import as_lines, report_of
from utils.settings import Setting, build_config, settings_of_assignments
from utils.speed import Speed
from utils.stop import Stop
from utils.structures import Batch, Detections, Predictions, Report
from utils.tables import write_tables
from utils.vocabulary import Vocabulary
from utils.weights import find_weights
from utils.yolo_txt import label_text


@dataclass(frozen=True, eq=False)
class Found:
    """What a network found: detections by index of the record, and loss terms by index of a batch's first one.

    `asked`: the process was asked to stop, and not all pictures were looked at.
    """

    detections: dict[int, Detections]
    terms: dict[int, LossTerms]
    asked: bool = False

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """What several processes found, each in its own pictures."""
        return cls(
            {index: one for part in parts for index, one in part.detections.items()},
            {index: one for part in parts for index, one in part.terms.items()},
            any(part.asked for part in parts),
        )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A report, the detections behind it by index of the record, and the same in COCO's results format."""

    report: Report
    found: dict[int, Detections]
    results: list[dict[str, Any]]
    curves: metrics.Curves
    precision50: np.ndarray  # (classes, 101): see utils.coco.CocoScores


def predict(
    model: Graph,
    loader: DataLoader[Batch],
    truth: RecordSet,
    cfg: ValConfig,
    labels: Sequence[int] | None = None,
    criterion: Criterion | None = None,
    stop: Stop | None = None,
) -> Found:
    """Run `model` over every picture of the loader; see `evaluate`. `stop` ends it early."""
    device = next(model.parameters()).device
    merged = labels is not None and len(set(labels)) < len(labels)
    nms = NMSConfig(conf=cfg.conf, iou=cfg.iou, max_det=cfg.max_det, agnostic=merged)
    relabel = torch.arange(len(truth.names)) if labels is None else torch.tensor(labels)
    found: dict[int, Detections] = {}
    terms: dict[int, LossTerms] = {}
    model.eval()
    for batch in progress(loader, "evaluating"):
        if stop is not None and stop.asked:
            return Found(found, terms, asked=True)
        batch = batch.to(device, non_blocking=True)
        with torch.inference_mode():
            predictions = model(batch.inputs())
            _check_finite(predictions, truth, batch)
            if criterion is not None:
                terms[batch.indices[0]] = criterion(predictions, batch.targets).cpu()
        scored = undo_letterbox(detections(predictions, nms), batch.letterboxes)
        for index, one in zip(batch.indices, scored, strict=True):
            found[index] = replace(one, labels=relabel[one.labels], names=truth.names)
    return Found(found, terms)


def score(found: Found, truth: RecordSet) -> Evaluation:
    """Score what was found in every picture of `truth`; the losses too, where there were any."""
    results = coco.results_json(truth.records, found.detections, truth.category_ids)
    scores = coco.score(coco.truth_json(truth.records, truth.names, truth.category_ids), results, truth.category_ids)
    curves = metrics.curves(metrics.match(truth.records, found.detections, len(truth.names)))
    report = report_of(truth.records, truth.names, scores, curves, _losses(found.terms))
    return Evaluation(report, found.detections, results, curves, scores.precision50)


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
    box suppresses boxes of the others. With a criterion the report holds the losses too. Raises NumericError for
    non-finite predictions.
    """
    return score(predict(model, loader, truth, cfg, labels, criterion), truth)


def _check_finite(predictions: Predictions, truth: RecordSet, batch: Batch) -> None:
    sound = predictions.boxes.isfinite().all() & predictions.class_logits.isfinite().all()
    if not sound:
        first = truth.records[batch.indices[0]].path
        raise NumericError(
            f"{first}: the network's output is not finite for the batch from here on; weights are damaged"
        )


def _losses(terms: dict[int, LossTerms]) -> dict[str, float]:
    """Mean losses; added up in one order, however many processes looked."""
    if not terms:
        return {}
    each = [terms[index] for index in sorted(terms)]
    whole = each[0].unpacked(torch.stack([one.packed() for one in each]).sum(0))
    return {name: float(value) for name, value in whole.parts().items()}


def _print_summary(flags: ValFlags) -> int:
    if not flags.cfg:
        raise ConfigError("--summary: needs a model, for example --cfg idfe-net.yaml")
    path, size = find_yaml(flags.cfg, "models", "--cfg"), flags.imgsz or 640
    graph = build_graph(read_spec(path), image_size=size)
    if size % graph.stride:
        raise ConfigError(f"--imgsz {size}: must be a multiple of {graph.stride}")
    LOG.info(as_table(summarise(graph, size), f"{path.name} at {size} x {size} px, {graph.spec.classes} classes"))
    return 0


def _asked(flags: ValFlags) -> Config:
    """What --set says; a checkpoint's own configuration counts where it says nothing."""
    settings = settings_of_assignments(list(flags.assignments))
    for setting in settings:
        if not setting.key.startswith("data.") and setting.key not in ("model.sam", "model.static", "val.chance"):
            raise ConfigError(f"{setting.origin}: evaluation takes data.*, model.sam, model.static and val.chance")
    return build_config(settings)[0]


def _data_config(flags: ValFlags, loaded: Loaded) -> DataConfig:
    """What the checkpoint was trained on, with what the user says otherwise."""
    settings = [s for s in settings_of_assignments(list(flags.assignments)) if s.key.startswith("data.")]
    if flags.data:
        settings[:0] = [Setting("data.data", flags.data, "--data"), Setting("data.root", "", "--data")]
    if flags.single_cls:
        settings.append(Setting("data.single_cls", True, "--single-cls"))
    stored = [Setting(f"data.{key}", value, str(loaded.path)) for key, value in vars(loaded.config.data).items()]
    return replace(
        build_config([*stored, *settings])[0].data,
        bad_data="skip" if flags.bad_data == "skip" else "error",
        allow_empty=flags.allow_empty,
        max_pixels=flags.max_pixels,
        workers=0 if flags.task == "speed" else flags.workers,
        imgsz=flags.imgsz or loaded.config.data.imgsz,
        cache="none",  # every picture is read once
    )


def _thresholds(flags: ValFlags, stored: ValConfig) -> ValConfig:
    """Those of the run, by default 0.001, 0.6 and 300, where no flag says otherwise: the logged numbers come back."""
    asked = {"conf": flags.conf_thres, "iou": flags.iou_thres, "max_det": flags.max_det}
    return replace(stored, **{key: value for key, value in asked.items() if value is not None})


def _with_words(flags: ValFlags, loaded: Loaded, truth: RecordSet) -> tuple[Loaded, list[Novelty]]:
    """The network looking for the data's classes, and how new each is to it; a closed network as it is."""
    if loaded.words is None or flags.single_cls or flags.map_classes:
        if flags.prompts is not None:
            raise ConfigError(f"--prompts: {closed_words(loaded)}")
        return loaded, []
    vocabulary = Vocabulary.from_lists(truth.synonyms)
    if flags.prompts is not None:
        vocabulary = Vocabulary.from_prompts(flags.prompts)
        if len(vocabulary) != len(truth.names):
            raise ConfigError(f"--prompts: {len(vocabulary)} for the data's {len(truth.names)} classes; give one each")
    return look_for(loaded, vocabulary, flags.text_encoder), group_names(loaded.words.vocabulary, vocabulary)


def _labels(flags: ValFlags, loaded: Loaded, truth: RecordSet) -> tuple[tuple[int, ...], str]:
    """For each class of the checkpoint its number in the data, and what to say about it."""
    if loaded.words is not None and not (flags.single_cls or flags.map_classes):
        return tuple(range(len(truth.names))), ""
    if flags.single_cls:
        return (0,) * len(loaded.names), f"{len(loaded.names)} classes of the checkpoint scored as one"
    names = loaded.names
    if flags.map_classes:
        names = mapped_names(names, read_class_mapping(flags.map_classes), truth.names)
    labels = class_map(names, truth.names, str(loaded.path))
    changed = [f"{old} = {new}" for old, new in zip(loaded.names, names, strict=True) if old != new]
    if changed:
        return labels, f"classes of the checkpoint mapped: {', '.join(changed)}"
    moved = labels != tuple(range(len(labels)))
    return labels, "the data orders its classes differently from the checkpoint: matched by name" if moved else ""


def _notices(flags: ValFlags, device: torch.device) -> list[str]:
    """What was asked for and is done otherwise."""
    lines = half_notices(device, flags.half)
    if flags.save_json:
        lines.append("--save-json: predictions.json is always written")
    if flags.save_conf and not flags.save_txt:
        lines.append("--save-conf: adds confidences to the files of --save-txt, which is not given")
    return lines


def main_story(argv: Sequence[str] | None) -> int:
    """Flags, checkpoint, data, evaluation, files."""
    flags = parse_val(argv)
    if flags.summary:
        return _print_summary(flags)
    device = select_device(flags.device)
    asked = _asked(flags)
    loaded = load_model(find_weights(flags.weights), device, asked.model.sam)
    data = _data_config(flags, loaded)
    truth = read_split(data, flags.split).serving(loaded.channels, str(loaded.path), data.data)
    loaded, groups = _with_words(flags, loaded, truth)
    model = make_static(loaded.model) if asked.model.static else loaded.model
    labels, words = _labels(flags, loaded, truth)
    run = new_run(flags.project, flags.name, flags.exist_ok)
    log_to(run / "val.log")
    LOG.info("weights %s (epoch %d)", loaded.path, loaded.epoch + 1)
    for line in (*truth.books.lines(), *_notices(flags, device), *([words] if words else [])):
        LOG.info(line)
    pin = device.type == "cuda"
    loader = eval_loader(truth.records, data, model.stride, flags.batch_size, pin, truth.channels)
    about = loaded.about()
    write_json(
        run / "run.json", {**provenance(argv), "weights": loaded.path.name, "data": truth.books.plain(), **about}
    )
    cfg = _thresholds(flags, loaded.config.val)
    with half_precision(device, flags.half):
        if flags.task == "speed":
            _report_speed(run, _speed(model, loader, cfg), not flags.noplots)
            return 0
        evaluation = evaluate(model, loader, truth, cfg, labels)
        if asked.val.chance:
            about["chance"] = chance(loaded, loader, truth, cfg, asked.val.chance)
    about |= group_scores(evaluation.report.classes, groups)
    for line in (*as_lines(evaluation.report, flags.verbose), *group_lines(about)):
        LOG.info(line)
    write_evaluation(run, evaluation, truth, about)
    if flags.save_txt:
        _write_labels(run / "labels", evaluation.found, truth, flags.save_conf)
    if not flags.noplots:
        plot_evaluation(run, loader, truth, evaluation)
    LOG.info("written to %s: results.json, predictions.json (COCO format, with truth.json), pictures", run)
    return 0


def chance(
    loaded: Loaded, loader: DataLoader[Batch], truth: RecordSet, cfg: ValConfig, permutations: int
) -> dict[str, Any]:
    """AP and AP50 with the text vectors permuted among the names: what is left without their meaning."""
    if loaded.words is None:
        raise ConfigError(f"val.chance: {loaded.path} reads no text; there is nothing to permute")
    reports = []
    for seed in range(permutations):
        set_words(loaded.model, permuted(loaded.words, seed))
        reports.append(evaluate(loaded.model, loader, truth, cfg).report)
    set_words(loaded.model, loaded.words)
    scores = {name: [report.metric(key) for report in reports] for name, key in (("AP50", "map50"), ("AP", "map50_95"))}
    return {"permutations": permutations, **scores}


def _speed(model: Graph, loader: DataLoader[Batch], cfg: ValConfig) -> Speed:
    samples = loader.dataset
    assert isinstance(samples, EvalSamples), "evaluation loaders are made by eval_loader"
    batches = [list(keys) for keys in loader.batch_sampler or ()]
    nms = NMSConfig(conf=cfg.conf, iou=cfg.iou, max_det=cfg.max_det)

    def shape(index: int) -> str:
        height, width = samples.shapes[index]
        return f"{width}x{height}"

    return measure(model, lambda keys: collate([samples[i] for i in keys]), batches, shape, nms)


def _report_speed(run: Path, speed: Speed, picture: bool) -> None:
    for line in speed.lines():
        LOG.info(line)
    write_json(run / "speed.json", speed.plain())
    if picture:
        title = f"{speed.per_second:.1f} pictures/s on {speed.known['device']}, batch {speed.known['batch']}"
        plot_times(speed.rows(), run / "speed.png", title)
    LOG.info("written to %s: speed.json%s", run, ", speed.png" if picture else "")


def _write_labels(folder: Path, found: dict[int, Detections], truth: RecordSet, confidence: bool) -> None:
    """labels/<image>.txt: what was found, in the data's numbers."""
    places = output_places(relative_paths([record.path for record in truth.records]))
    for index, (record, place) in enumerate(zip(truth.records, places, strict=True)):
        path = folder / place.with_name(f"{place.name}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, label_text(found[index], record.size, confidence))


def plot_evaluation(run: Path, loader: DataLoader[Batch], truth: RecordSet, evaluation: Evaluation) -> None:
    """Truth and detections side by side, the curves, and the confusion matrix at the confidence of the best mean F1."""
    report, found = evaluation.report, evaluation.found
    plot_detections(run, loader, truth, found)
    confidence = 0.25 if report.confidence is None else report.confidence
    confusion = metrics.confusion(truth.records, found, len(truth.names), confidence)
    plot_scores(run, report, evaluation.curves, evaluation.precision50, confusion)


def write_evaluation(run: Path, evaluation: Evaluation, truth: RecordSet, about: dict[str, Any]) -> None:
    """results.json, predictions.json and truth.json: enough for any COCO evaluator to check the numbers; and the
    tables per class and per picture. `about` joins results.json.
    """
    write_json(run / "results.json", {**evaluation.report.plain(), **about})
    write_json(run / "predictions.json", evaluation.results)
    write_json(run / "truth.json", coco.truth_json(truth.records, truth.names, truth.category_ids))
    write_tables(run, evaluation.report, truth.records, evaluation.found)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
