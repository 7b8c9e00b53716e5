"""The flags of train.py, val.py and detect.py: the only file that knows argparse."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from utils.config import Setting
from utils.errors import ConfigError


class _Parser(argparse.ArgumentParser):
    """argparse without abbreviations, whose complaints are ConfigErrors with the nearest flag."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        flags = [flag for action in self._actions for flag in action.option_strings]
        unknown = [word for word in message.split(": ")[-1].split() if word.startswith("-")]
        near = []
        if message.startswith("unrecognized") and unknown:
            near = difflib.get_close_matches(unknown[0].split("=")[0], flags, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; see python {self.prog} --help"
        raise ConfigError(f"{self.prog}: {message}{hint}")


@dataclass(frozen=True, kw_only=True)
class TrainFlags:
    """train.py's command line: `settings` go into the configuration, the rest steers the script."""

    settings: tuple[Setting, ...]
    hyp: str
    assignments: tuple[str, ...]
    resume: str | None
    demo: bool
    debug: bool


@dataclass(frozen=True, kw_only=True)
class ValFlags:
    """val.py's command line. None: take the checkpoint's value."""

    data: str | None
    weights: str
    cfg: str
    summary: bool
    batch_size: int
    imgsz: int | None
    conf_thres: float
    iou_thres: float
    max_det: int
    task: str
    device: str
    workers: int
    bad_data: str
    allow_empty: bool
    single_cls: bool
    assignments: tuple[str, ...]
    max_pixels: int
    project: str
    name: str
    exist_ok: bool
    noplots: bool
    debug: bool


@dataclass(frozen=True, kw_only=True)
class DetectFlags:
    """detect.py's command line. None: take the checkpoint's value."""

    weights: str
    source: str | None
    imgsz: int | None
    conf_thres: float
    iou_thres: float
    max_det: int
    batch_size: int
    device: str
    save_txt: bool
    save_conf: bool
    save_crop: bool
    save_json: bool
    nosave: bool
    recursive: bool
    classes: tuple[str, ...]
    agnostic_nms: bool
    line_thickness: int
    hide_labels: bool
    hide_conf: bool
    bad_data: str
    max_pixels: int
    project: str
    name: str
    exist_ok: bool
    debug: bool


# flag names, configuration key, type (None: a switch), help
TRAIN_FLAGS: tuple[tuple[tuple[str, ...], str, type | None, str], ...] = (
    (("--weights",), "model.weights", str, "checkpoint to start from (default: from scratch)"),
    (("--cfg",), "model.cfg", str, "model YAML, looked up in cfg/models too"),
    (("--data",), "data.data", str, "data YAML, looked up in cfg/data too, or a folder"),
    (("--epochs",), "schedule.epochs", int, ""),
    (("--batch-size", "--batch"), "data.batch_size", int, "pictures per step over all processes"),
    (("--imgsz", "--img", "--img-size"), "data.imgsz", int, "longest side of the network input, px"),
    (("--device",), "run.device", str, "cpu, 0, cuda:0 (default: the first GPU if there is one)"),
    (("--workers",), "data.workers", int, "loader processes"),
    (("--optimizer",), "optim.name", str, "SGD, Adam or AdamW"),
    (("--patience",), "schedule.patience", int, "epochs without improvement before stopping"),
    (("--close-mosaic",), "schedule.close_mosaic", int, "epochs without mosaic at the end"),
    (("--accumulate",), "optim.accumulate", int, "steps to accumulate gradients over"),
    (("--label-smoothing",), "loss.label_smoothing", float, ""),
    (("--seed",), "run.seed", int, ""),
    (("--project",), "run.project", str, ""),
    (("--name",), "run.name", str, ""),
    (("--save-period",), "run.save_period", int, "keep a checkpoint every so many epochs"),
    (("--bad-data",), "data.bad_data", str, "skip (reported, up to a limit) or error"),
    (("--max-pixels",), "data.max_pixels", int, "refuse larger pictures before decoding them"),
    (("--single-cls",), "data.single_cls", None, "all classes as one, called defect"),
    (("--cos-lr",), "schedule.cosine", None, "cosine learning rate"),
    (("--exist-ok",), "run.exist_ok", None, "write into an existing run folder"),
    (("--nosave",), "run.nosave", None, "write only the last checkpoint"),
    (("--noval",), "run.noval", None, "evaluate only after the last epoch"),
    (("--noplots",), "run.noplots", None, "write no pictures"),
    (("--noautoanchor",), "assign.noautoanchor", None, "keep the model YAML's anchors however badly they fit"),
    (("--allow-empty",), "data.allow_empty", None, "accept that most label files are missing"),
)


def parse_train(argv: Sequence[str] | None) -> TrainFlags:
    """train.py's flags. Raises ConfigError."""
    parser = _Parser("train.py", "Train a defect detector.")
    for flags, key, kind, text in TRAIN_FLAGS:
        kwargs: dict[str, Any] = {"dest": key, "default": argparse.SUPPRESS, "help": text or None}
        parser.add_argument(*flags, **kwargs, **({"action": "store_true"} if kind is None else {"type": kind}))
    amp = argparse.BooleanOptionalAction
    parser.add_argument("--amp", dest="run.amp", default=argparse.SUPPRESS, action=amp, help="mixed precision on GPUs")
    parser.add_argument("--hyp", default="", help="training YAML, ours or YOLOv5's (default: by model)")
    parser.add_argument("--resume", nargs="?", const="", default=None, metavar="last.pt", help="continue a run")
    parser.add_argument("--demo", action="store_true", help="two to three minutes on the built-in glass pictures")
    _add_set(parser)
    values = vars(parser.parse_args(argv))
    settings = [Setting(k, v, _flag_of(k)) for k, v in values.items() if "." in k]
    return TrainFlags(
        settings=tuple(settings),
        hyp=values["hyp"],
        assignments=tuple(values["set"]),
        resume=values["resume"],
        demo=values["demo"],
        debug=values["debug"],
    )


def _flag_of(key: str) -> str:
    return next((flags[0] for flags, k, _, _ in TRAIN_FLAGS if k == key), "--amp")


def _add_set(parser: _Parser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="key=value", help="any knob of cfg/train/default.yaml"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_common(parser: _Parser, project: str) -> None:
    parser.add_argument("--device", default="", help="cpu, 0, cuda:0")
    parser.add_argument("--project", default=project)
    parser.add_argument("--name", default="exp")
    parser.add_argument("--exist-ok", action="store_true")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="error" if "val" in project else "skip")
    parser.add_argument("--max-pixels", type=_whole, default=178_956_970)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_thresholds(parser: _Parser, conf: float, iou: float, max_det: int) -> None:
    parser.add_argument("--conf-thres", "--conf", type=_fraction, default=conf, help="least confidence")
    parser.add_argument("--iou-thres", "--iou", type=_fraction, default=iou, help="overlap at which NMS removes")
    parser.add_argument("--max-det", type=_whole, default=max_det, help="detections per picture")
    parser.add_argument("--imgsz", "--img", "--img-size", type=_whole, default=None, help="default: the checkpoint's")


def parse_val(argv: Sequence[str] | None) -> ValFlags:
    """val.py's flags. Raises ConfigError."""
    parser = _Parser("val.py", "Evaluate a checkpoint, or summarise a model YAML.")
    parser.add_argument(
        "--data", default=None, help="data YAML or folder (default: what the checkpoint was trained on)"
    )
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--cfg", default="", help="model YAML, for --summary")
    parser.add_argument("--summary", action="store_true", help="print rows, shapes, parameters and GFLOPs")
    parser.add_argument("--batch-size", "--batch", type=_whole, default=32)
    parser.add_argument("--task", choices=("train", "val", "test"), default="val", help="which split")
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--allow-empty", action="store_true")
    parser.add_argument("--single-cls", action="store_true", help="score all classes as one")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="key=value", help="data.root")
    parser.add_argument("--noplots", action="store_true")
    _add_thresholds(parser, 0.001, 0.6, 300)
    _add_common(parser, "runs/val")
    values = vars(parser.parse_args(argv))
    return ValFlags(**{**values, "assignments": tuple(values["assignments"])})


def parse_detect(argv: Sequence[str] | None) -> DetectFlags:
    """detect.py's flags. Raises ConfigError."""
    parser = _Parser("detect.py", "Find defects in pictures.")
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--source", default=None, help="picture, folder or glob (default: built-in glass pictures)")
    parser.add_argument("--batch-size", "--batch", type=_whole, default=1)
    parser.add_argument("--classes", nargs="+", default=[], help="names or numbers to keep")
    parser.add_argument("--line-thickness", type=int, default=0, help="px (default: by picture size)")
    for switch in ("--save-txt", "--save-conf", "--save-crop", "--save-json", "--nosave", "--recursive"):
        parser.add_argument(switch, action="store_true")
    for switch in ("--agnostic-nms", "--hide-labels", "--hide-conf"):
        parser.add_argument(switch, action="store_true")
    _add_thresholds(parser, 0.25, 0.45, 1000)
    _add_common(parser, "runs/detect")
    values = vars(parser.parse_args(argv))
    return DetectFlags(**{**values, "classes": tuple(values["classes"])})


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, got {text}")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text}")
    return value
