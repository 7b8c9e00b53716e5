"""The flags of train.py, val.py and detect.py."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from utils.config.flags import TRAIN_FLAGS, DetectFlags, TrainFlags, ValFlags
from utils.config.parser import Parser, amount, fraction, number_or_name, whole_number
from utils.config.settings import Setting
from utils.words.errors import ConfigError

# Scores need every box down to the faintest; speed is that of use, as detect.py looks at pictures.
SCORE_DEFAULTS = {"batch_size": 32}  # thresholds: as the run was evaluated
SPEED_DEFAULTS = {"batch_size": 1, "conf_thres": 0.25, "iou_thres": 0.45}


def parse_train(argv: Sequence[str] | None) -> TrainFlags:
    """train.py's flags. Raises ConfigError."""
    parser = Parser("train.py", "Train a defect detector.")
    for flags, key, kind, text in TRAIN_FLAGS:
        kwargs: dict[str, Any] = {"dest": key, "default": argparse.SUPPRESS, "help": text or None}
        parser.add_argument(*flags, **kwargs, **({"action": "store_true"} if kind is None else {"type": kind}))
    amp = argparse.BooleanOptionalAction
    parser.add_argument(
        "--amp",
        dest="run.amp",
        default=argparse.SUPPRESS,
        action=amp,
        help="mixed precision where the device has it (default)",
    )
    unset = argparse.SUPPRESS
    cache: dict[str, Any] = {"nargs": "?", "const": "ram", "choices": ("ram", "disk"), "default": unset}
    parser.add_argument(
        "--cache", dest="data.cache", help="keep decoded pictures in memory, or in a cache folder", **cache
    )
    balance: dict[str, Any] = {"dest": "data.balance", "default": unset}
    parser.add_argument("--balance", choices=("none", "repeat"), help="repeat: show rare classes more often", **balance)
    parser.add_argument("--image-weights", action="store_const", const="repeat", help="--balance repeat", **balance)
    rows: dict[str, Any] = {"dest": "model.freeze", "nargs": "+", "type": number_or_name, "default": unset}
    parser.add_argument("--freeze", **rows, metavar="N", help="the first N rows stay as they are, or these rows")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=None, help=unset)
    parser.add_argument("--hyp", default="", help="training YAML, ours or YOLOv5's (default: by model)")
    parser.add_argument("--resume", nargs="?", const="", default=None, metavar="last.pt", help="continue a run")
    parser.add_argument("--demo", action="store_true", help="two to three minutes on the built-in glass pictures")
    parser.add_argument("--dry-run", action="store_true", help="say what a run would do and cost; write nothing")
    add_set(parser)
    values = parser.read(argv)
    names = {action.dest: action.option_strings[0] for action in reversed(parser._actions)}
    settings = [Setting(k, v, names[k]) for k, v in values.items() if "." in k]
    return TrainFlags(
        settings=tuple(settings),
        hyp=values["hyp"],
        assignments=tuple(values["set"]),
        resume=values["resume"],
        demo=values["demo"],
        dry_run=values["dry_run"],
        debug=values["debug"],
        local_rank=values["local_rank"],
    )


def add_set(parser: Parser) -> None:
    """--set."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="key=value", help="any knob of cfg/train/default.yaml"
    )


def add_common(parser: Parser, project: str) -> None:
    """The flags that val.py and detect.py share."""
    parser.add_argument("--device", default="", help="cpu, 0, cuda:0")
    parser.add_argument("--project", default=project)
    parser.add_argument("--name", default="exp")
    parser.add_argument("--exist-ok", action="store_true")
    parser.add_argument("--half", action="store_true", help="fp16 on a GPU")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="error" if "val" in project else "skip")
    parser.add_argument("--max-pixels", type=whole_number, default=178_956_970)


def add_words(parser: Parser, text: str) -> None:
    """What an open-vocabulary network is to look for; `text` is the help."""
    parser.add_argument("--prompts", default=None, metavar='"a, b"', help=f"RTVPNet: {text}")
    parser.add_argument("--text-encoder", default="", help="RTVPNet: the checkpoint's, where it has moved")


def add_thresholds(parser: Parser, conf: float | None, iou: float | None, max_det: int | None) -> None:
    """NMS and the size of the network's input; None: a default that is known later."""
    parser.add_argument("--conf-thres", "--conf", type=fraction, default=conf, help="least confidence")
    parser.add_argument("--iou-thres", "--iou", type=fraction, default=iou, help="overlap at which NMS removes")
    parser.add_argument("--max-det", type=whole_number, default=max_det, help="detections per picture")
    parser.add_argument(
        "--imgsz", "--img", "--img-size", type=whole_number, default=None, help="default: the checkpoint's"
    )


def add_inspection(parser: Parser) -> None:
    """What escapes, what is thrown away, and at which thresholds."""
    parser.add_argument(
        "--from-preds", nargs="+", default=(), metavar="FILE", help="score these COCO results, without weights"
    )
    parser.add_argument("--compare", nargs=2, default=None, metavar="RUN", help="is the second run better, or chance?")
    add = parser.add_argument
    add("--fa-per-image", type=amount, default=None, help="false alarms per picture that are allowed (0.1)")
    add("--match", choices=("iou", "center"), default="iou", help="a hit: by overlap, or centre in the truth box")
    add("--match-iou", type=fraction, default=None, help="overlap of a hit (0.5)")
    add("--bins", default="", metavar="0,8,16,32,96", help="sizes that recall is reported for, px or mm")
    add("--cost", default="", metavar="escape=50,overkill=1", help="choose the thresholds of least cost instead")


def parse_val(argv: Sequence[str] | None) -> ValFlags:
    """val.py's flags. Raises ConfigError."""
    parser = Parser("val.py", "Evaluate a checkpoint, or summarise a model YAML.")
    parser.add_argument(
        "--data", default=None, help="data YAML or folder (default: what the checkpoint was trained on)"
    )
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--cfg", default="", help="model YAML, for --summary")
    parser.add_argument("--summary", action="store_true", help="print rows, shapes, parameters and GFLOPs")
    parser.add_argument("--batch-size", "--batch", type=whole_number, help="default: 32; 1 for --task speed")
    parser.add_argument(
        "--task",
        choices=("train", "val", "test", "speed", "study"),
        default="val",
        metavar="{train,val,test,speed}",
        help="which split to score, or how long each step takes",
    )
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--allow-empty", action="store_true")
    parser.add_argument("--single-cls", action="store_true", help="score all classes as one")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="key=value", help="data.root")
    parser.add_argument("--noplots", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="a row for each class, however many there are")
    parser.add_argument(
        "--map-classes", default="", metavar="OLD=NEW,...", help="checkpoint's names: data's, or a YAML"
    )
    for switch in ("--save-txt", "--save-conf", "--save-json"):
        parser.add_argument(switch, action="store_true")
    add_thresholds(parser, None, None, None)  # as the run was evaluated
    add_inspection(parser)
    add_common(parser, "runs/val")
    add_words(parser, "one for each of the data's classes, in their order, in place of their names")
    values = parser.read(argv)
    if values["task"] == "study":
        raise ConfigError("--task study: is not offered; run val.py once per --imgsz and compare results.json")
    defaults = SPEED_DEFAULTS if values["task"] == "speed" else SCORE_DEFAULTS
    values |= {key: default for key, default in defaults.items() if values[key] is None}
    compared = tuple(values["compare"]) if values["compare"] else None
    predictions = tuple(values["from_preds"])
    return ValFlags(
        **{**values, "assignments": tuple(values["assignments"]), "compare": compared, "from_preds": predictions}
    )


def parse_detect(argv: Sequence[str] | None) -> DetectFlags:
    """detect.py's flags. Raises ConfigError."""
    parser = Parser("detect.py", "Find defects in pictures.")
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--source", default=None, help="picture, video, folder, glob or list (default: glass)")
    parser.add_argument("--data", default="", help="data YAML whose class names and numbers are to be used")
    parser.add_argument("--batch-size", "--batch", type=whole_number, default=1)
    parser.add_argument("--classes", nargs="+", default=[], help="names or numbers to keep")
    parser.add_argument("--line-thickness", type=whole_number, default=0, help="px (default: by picture size)")
    parser.add_argument("--vid-stride", type=whole_number, default=1, help="look at every N-th frame of a video only")
    parser.add_argument("--fail-on-defect", action="store_true", help="exit code 10 when a part is NG")
    for switch in ("--save-txt", "--save-conf", "--save-crop", "--save-csv", "--save-json", "--nosave", "--view-img"):
        parser.add_argument(switch, action="store_true")
    for switch in ("--recursive", "--agnostic-nms", "--hide-labels", "--hide-conf"):
        parser.add_argument(switch, action="store_true")
    add_thresholds(parser, None, None, None)
    parser.add_argument("--thresholds", default="", metavar="FILE", help="thresholds.yaml of val.py: one per class")
    add_common(parser, "runs/detect")
    add_words(parser, "what to look for, in words")
    parser.add_argument(
        "--masks", action="store_true", help="masks of what is found, with --set model.sam=mobile_sam.pt"
    )
    parser.add_argument(
        "--set", dest="assignments", action="append", default=[], metavar="key=value", help="model.static, model.sam"
    )
    values = parser.read(argv)
    if values["thresholds"] and values["conf_thres"] is not None:
        raise ConfigError("--conf and --thresholds: the file has a confidence for each class; leave one out")
    return DetectFlags(**{**values, "classes": tuple(values["classes"]), "assignments": tuple(values["assignments"])})
