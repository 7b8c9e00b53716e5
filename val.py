"""Evaluate a checkpoint: COCO's 12 numbers, per class, precision and recall. `python val.py --help`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from data.batches.build import eval_loader, read_split
from data.batches.collate import collate
from data.batches.preview import plot_detections, show_pictures
from data.batches.samples import EvalSamples
from data.sets.split_reading import RecordSet
from models.graph.builder import build_graph
from models.graph.graph import Graph
from models.graph.open_vocabulary import permuted, set_words
from models.graph.summary import as_table, summarise
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from models.losses.criterion import Criterion
from models.losses.loss_terms import LossTerms
from models.ready.found import Found
from models.ready.load import Loaded, closed_words, for_inference, load_model, look_for
from models.ready.timing import measure
from models.rows.spec import read_spec
from utils.config.cli import parse_val
from utils.config.config import Config, DataConfig, RunConfig, ValConfig
from utils.config.flags import ValFlags
from utils.config.paths import find_yaml
from utils.config.settings import Setting, build_config, settings_of_assignments
from utils.console.log import LOG, log_to
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.console.stop import Stop
from utils.drawing.plots import plot_times
from utils.files.output_paths import output_places, relative_paths
from utils.files.runs import new_run, provenance, write_json, write_text
from utils.files.weights import find_weights, weights_about
from utils.files.yolo_txt import label_text
from utils.inspection.comparison import report_comparison
from utils.inspection.options import inspection_config, refuse_with_predictions
from utils.inspection.threshold_file import DetectionSettings
from utils.inspection.thresholds import LOWEST
from utils.processes.device import half_notices, half_precision, select_device
from utils.processes.dist import ALONE, World, find_place, joined
from utils.processes.launch import device_of
from utils.processes.speed import Speed
from utils.report.run_results import Manner, conclude, plot_report
from utils.scoring import coco
from utils.scoring.evaluation import Evaluation, score_results
from utils.scoring.novelty import Novelty, group_lines, group_names, group_scores
from utils.scoring.prediction_files import Known, read_parts
from utils.scoring.score_summary import as_lines
from utils.values.batch import Batch
from utils.values.detections import Detections
from utils.values.predictions import BoxPredictions, Predictions
from utils.words.class_names import class_map, mapped_names, read_class_mapping
from utils.words.errors import ConfigError, NumericError
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary

WRITTEN = "results.json, report.json, thresholds.yaml, predictions.json (COCO format, with truth.json)"


def predict(
    model: Graph,
    loader: DataLoader[Batch],
    truth: RecordSet,
    cfg: ValConfig,
    labels: Sequence[int] | None = None,
    criterion: Criterion | None = None,
    stop: Stop | None = None,
) -> Found:
    """Run `model` over every picture of the loader; see `evaluate`. A criterion adds losses; `stop` ends it
    early.
    """
    merged = labels is not None and len(set(labels)) < len(labels)
    nms = NMSConfig(conf=cfg.conf, iou=cfg.iou, max_det=cfg.max_det, agnostic=merged)
    numbers = torch.arange(len(truth.names)) if labels is None else torch.tensor(labels)
    inference = Inference(model, nms, numbers, truth.names)
    found: dict[int, Detections] = {}
    terms: dict[int, LossTerms] = {}
    model.eval()
    for batch in progress(loader, "evaluating"):
        if stop is not None and stop.asked:
            return Found(found, terms, asked=True)
        batch = batch.to(model.device, non_blocking=True)
        predictions = inference.predictions(batch)
        _check_finite(predictions, truth, batch)
        if criterion is not None:
            assert isinstance(predictions, Predictions), "losses are those of a network of rows"
            with torch.inference_mode():
                terms[batch.indices[0]] = criterion(predictions, batch.targets).cpu()
        found |= inference.detections(predictions, batch.views)
    return Found(found, terms)


def score(found: Found, truth: RecordSet) -> Evaluation:
    """Score what was found in every picture of `truth`; the losses too, where there were any."""
    results = coco.results_json(truth.records, found.detections, truth.category_ids)
    return score_results(truth.records, truth.names, truth.category_ids, results, found.losses())


def evaluate(
    model: Graph,
    loader: DataLoader[Batch],
    truth: RecordSet,
    cfg: ValConfig,
    labels: Sequence[int] | None = None,
    world: World = ALONE,
) -> Evaluation | None:
    """Run `model` over every picture of `truth` and score it; of several processes the first one scores.

    `labels` maps a class of the model to its number in the data; None: they are the same; where several become one, a
    box suppresses boxes of the others. Raises NumericError for non-finite predictions.
    """
    found = Found.joined(world.gather(predict(model, loader, truth, cfg, labels)))
    return score(found, truth) if world.first else None


def _check_finite(predictions: BoxPredictions, truth: RecordSet, batch: Batch) -> None:
    if not predictions.finite():
        first = truth.records[batch.indices[0]].path
        raise NumericError(
            f"{first}: the network's output is not finite for the batch from here on; weights are damaged"
        )


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


def _reading(flags: ValFlags, stored: DataConfig) -> DataConfig:
    """How the data is read, as the flags say."""
    return replace(
        stored,
        single_cls=stored.single_cls or flags.single_cls,
        bad_data="skip" if flags.bad_data == "skip" else "error",
        allow_empty=flags.allow_empty,
        max_pixels=flags.max_pixels,
        workers=0 if flags.task == "speed" else flags.workers,
        cache="none",  # every picture is read once
    )


def _data_config(flags: ValFlags, loaded: Loaded) -> DataConfig:
    """What the checkpoint was trained on, with what the user says otherwise."""
    settings = [s for s in settings_of_assignments(list(flags.assignments)) if s.key.startswith("data.")]
    if flags.data:
        settings[:0] = [Setting("data.data", flags.data, "--data"), Setting("data.root", "", "--data")]
    stored = [Setting(f"data.{key}", value, str(loaded.path)) for key, value in vars(loaded.config.data).items()]
    data = _reading(flags, build_config([*stored, *settings])[0].data)
    return replace(data, imgsz=flags.imgsz or loaded.config.data.imgsz)


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
    place = find_place(None)
    if place.rank and (flags.summary or flags.compare is not None or flags.from_preds):
        return 0  # nothing to divide: the first process does it
    if flags.summary:
        return _print_summary(flags)
    if flags.compare is not None:
        return report_comparison(flags, argv)
    if flags.from_preds:
        return _score_file(flags, argv)
    if place.size > 1 and flags.task == "speed":
        raise ConfigError("--task speed: times one process; start python val.py itself")
    device = select_device(device_of(flags.device, place))
    with joined(place, device, RunConfig().timeout) as world:
        return _evaluate_checkpoint(flags, argv, world, device)


def _evaluate_checkpoint(flags: ValFlags, argv: Sequence[str] | None, world: World, device: torch.device) -> int:
    """Every process looks at its part of the pictures; the first one scores, and writes what there is to write."""
    asked = _asked(flags)
    loaded = load_model(find_weights(flags.weights), device, asked.model.sam)
    data = _data_config(flags, loaded)
    truth = read_split(data, flags.split).serving(loaded.channels, str(loaded.path), data.data)
    loaded, groups = _with_words(flags, loaded, truth)
    model = for_inference(loaded.model, asked.model.static)
    labels, words = _labels(flags, loaded, truth)
    cfg = _thresholds(flags, loaded.config.val)
    looked = inspection_config(flags, cfg.conf, truth.mm_per_px, truth.records)
    pin = device.type == "cuda"
    loader = eval_loader(truth.records, data, model.stride, flags.batch_size, pin, truth.channels, world)
    about = loaded.about()
    run = Path()
    if world.first:
        run = new_run(flags.project, flags.name, flags.exist_ok)
        log_to(run / "val.log")
        known = {**weights_about(loaded.path), "data": truth.data_report.plain(), **about}
        write_json(run / "run.json", {**provenance(argv), **known})
    LOG.info("weights %s (epoch %d)", loaded.path, loaded.epoch + 1)
    for line in (*truth.data_report.lines(), *_notices(flags, device), *([words] if words else [])):
        LOG.info(line)
    with half_precision(device, flags.half):
        if flags.task == "speed":
            _report_speed(run, _speed(model, loader, cfg), not flags.noplots)
            return 0
        evaluation = evaluate(model, loader, truth, cfg, labels, world=world)
        if asked.val.chance:
            about["chance"] = chance(loaded, loader, truth, cfg, asked.val.chance, world)
    if evaluation is None:
        return 0
    about |= group_scores(evaluation.report.classes, groups)
    for line in (*as_lines(evaluation.report, flags.verbose), *group_lines(about)):
        LOG.info(line)
    made = DetectionSettings(cfg.iou, cfg.max_det, data.imgsz)
    show = show_pictures(truth, data.max_pixels)
    conclude(
        run,
        evaluation,
        truth,
        about,
        Manner("val", looked, made, show, tuple(truth.data_report.lines()), not flags.noplots),
    )
    if flags.save_txt:
        _write_labels(run / "labels", evaluation.found, truth, flags.save_conf)
    if not flags.noplots:
        plot_evaluation(run, loader, truth, evaluation)
    LOG.info("written to %s: %s%s", run, WRITTEN, "" if flags.noplots else ", report.html, pictures")
    return 0


def _score_file(flags: ValFlags, argv: Sequence[str] | None) -> int:
    """--from-preds: the numbers of detections that somebody else made."""
    refuse_with_predictions(flags)
    asked = build_config(
        [Setting("data.data", flags.data, "--data"), *settings_of_assignments(list(flags.assignments))]
    )
    truth = read_split(_reading(flags, asked[0].data), flags.split)
    looked = inspection_config(flags, LOWEST, truth.mm_per_px, truth.records)
    known = Known(coco.truth_json(truth.records, truth.names, truth.category_ids), flags.single_cls)
    results = read_parts(flags.from_preds, known)
    files = ", ".join(flags.from_preds)
    run = new_run(flags.project, flags.name, flags.exist_ok)
    log_to(run / "val.log")
    for line in truth.data_report.lines():
        LOG.info(line)
    pictures = len({row["image_id"] for row in results})
    LOG.info("%s: %s in %d of %d pictures", files, counted(len(results), "detection"), pictures, len(known.images))
    if not results:
        LOG.warning("%s: holds no detections; every defect counts as missed", files)
    names = ", ".join(Path(path).name for path in flags.from_preds)
    write_json(run / "run.json", {**provenance(argv), "predictions": names, "data": truth.data_report.plain()})
    evaluation = score_results(truth.records, truth.names, truth.category_ids, results)
    for line in as_lines(evaluation.report, flags.verbose):
        LOG.info(line)
    show = show_pictures(truth, flags.max_pixels)
    manner = Manner("predictions", looked, None, show, tuple(truth.data_report.lines()), not flags.noplots)
    conclude(run, evaluation, truth, {}, manner)
    if not flags.noplots:
        plot_report(run, truth, evaluation)
    LOG.info("written to %s: %s%s", run, WRITTEN, "" if flags.noplots else ", report.html, pictures")
    return 0


def chance(
    loaded: Loaded, loader: DataLoader[Batch], truth: RecordSet, cfg: ValConfig, permutations: int, world: World = ALONE
) -> dict[str, Any]:
    """AP and AP50 with the text vectors permuted among the names: what is left without their meaning."""
    if loaded.words is None:
        raise ConfigError(f"val.chance: {loaded.path} reads no text; there is nothing to permute")
    reports = []
    for seed in range(permutations):
        set_words(loaded.model, permuted(loaded.words, seed))
        evaluation = evaluate(loaded.model, loader, truth, cfg, world=world)
        reports += [evaluation.report] if evaluation else []
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
    plot_detections(run, loader, truth, evaluation.found)
    plot_report(run, truth, evaluation)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
