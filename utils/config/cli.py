"""The flags of train.py, val.py and detect.py: the only file that knows argparse."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from utils.config.argv import repair
from utils.config.flags import (
    TRAIN_FLAGS,
    BenchmarkFlags,
    DataBenchmarkFlags,
    DetectFlags,
    EvaluatorBenchmarkFlags,
    FoldsFlags,
    PackFlags,
    TrainFlags,
    ValFlags,
)
from utils.config.refused import REFUSED, refuse
from utils.config.settings import Setting
from utils.console.log import LOG
from utils.words.errors import ConfigError

# Scores need every box down to the faintest; speed is that of use, as detect.py looks at pictures.
SCORE_DEFAULTS = {"batch_size": 32}  # thresholds: as the run was evaluated
SPEED_DEFAULTS = {"batch_size": 1, "conf_thres": 0.25, "iou_thres": 0.45}


class _Parser(argparse.ArgumentParser):
    """argparse without abbreviations, whose complaints are ConfigErrors with the nearest flag."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog, description=description, allow_abbrev=False)
        self.add_argument("--debug", action="store_true", help="show tracebacks")

    def error(self, message: str) -> NoReturn:
        flags = [flag for action in self._actions for flag in action.option_strings]
        unknown = [word for word in message.split(": ")[-1].split() if word.startswith("-")]
        near = []
        if message.startswith("unrecognized") and unknown:
            near = difflib.get_close_matches(unknown[0].split("=")[0], flags, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; see python {self.prog} --help"
        if message.startswith("unrecognized") and not unknown:
            hint = "; a name with blanks needs quotes"
        raise ConfigError(f"{self.prog}: {message}{hint}")

    def read(self, argv: Sequence[str] | None) -> dict[str, Any]:
        """Values by name, after the repairs of utils.config.argv and the refusals of utils.config.refused."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        words, notices = repair(sys.argv[1:] if argv is None else argv, {*flags, *REFUSED.get(self.prog, ())})
        for notice in notices:
            LOG.info(notice)
        refuse(words, self.prog)
        return vars(self.parse_args(words))


def parse_train(argv: Sequence[str] | None) -> TrainFlags:
    """train.py's flags. Raises ConfigError."""
    parser = _Parser("train.py", "Train a defect detector.")
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
    rows: dict[str, Any] = {"dest": "model.freeze", "nargs": "+", "type": _number_or_name, "default": unset}
    parser.add_argument("--freeze", **rows, metavar="N", help="the first N rows stay as they are, or these rows")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=None, help=unset)
    parser.add_argument("--hyp", default="", help="training YAML, ours or YOLOv5's (default: by model)")
    parser.add_argument("--resume", nargs="?", const="", default=None, metavar="last.pt", help="continue a run")
    parser.add_argument("--demo", action="store_true", help="two to three minutes on the built-in glass pictures")
    parser.add_argument("--dry-run", action="store_true", help="say what a run would do and cost; write nothing")
    _add_set(parser)
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


def _number_or_name(word: str) -> int | str:
    return int(word) if word.removeprefix("-").isdecimal() else word


def _add_set(parser: _Parser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="key=value", help="any knob of cfg/train/default.yaml"
    )


def _add_common(parser: _Parser, project: str) -> None:
    parser.add_argument("--device", default="", help="cpu, 0, cuda:0")
    parser.add_argument("--project", default=project)
    parser.add_argument("--name", default="exp")
    parser.add_argument("--exist-ok", action="store_true")
    parser.add_argument("--half", action="store_true", help="fp16 on a GPU")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="error" if "val" in project else "skip")
    parser.add_argument("--max-pixels", type=_whole, default=178_956_970)


def _add_words(parser: _Parser, text: str) -> None:
    parser.add_argument("--prompts", default=None, metavar='"a, b"', help=f"RTVPNet: {text}")
    parser.add_argument("--text-encoder", default="", help="RTVPNet: the checkpoint's, where it has moved")


def _add_thresholds(parser: _Parser, conf: float | None, iou: float | None, max_det: int | None) -> None:
    parser.add_argument("--conf-thres", "--conf", type=_fraction, default=conf, help="least confidence")
    parser.add_argument("--iou-thres", "--iou", type=_fraction, default=iou, help="overlap at which NMS removes")
    parser.add_argument("--max-det", type=_whole, default=max_det, help="detections per picture")
    parser.add_argument("--imgsz", "--img", "--img-size", type=_whole, default=None, help="default: the checkpoint's")


def _add_inspection(parser: _Parser) -> None:
    """What escapes, what is thrown away, and at which thresholds."""
    parser.add_argument(
        "--from-preds", nargs="+", default=(), metavar="FILE", help="score these COCO results, without weights"
    )
    parser.add_argument("--compare", nargs=2, default=None, metavar="RUN", help="is the second run better, or chance?")
    add = parser.add_argument
    add("--fa-per-image", type=_amount, default=None, help="false alarms per picture that are allowed (0.1)")
    add("--match", choices=("iou", "center"), default="iou", help="a hit: by overlap, or centre in the truth box")
    add("--match-iou", type=_fraction, default=None, help="overlap of a hit (0.5)")
    add("--bins", default="", metavar="0,8,16,32,96", help="sizes that recall is reported for, px or mm")
    add("--cost", default="", metavar="escape=50,overkill=1", help="choose the thresholds of least cost instead")


def parse_val(argv: Sequence[str] | None) -> ValFlags:
    """val.py's flags. Raises ConfigError."""
    parser = _Parser("val.py", "Evaluate a checkpoint, or summarise a model YAML.")
    parser.add_argument(
        "--data", default=None, help="data YAML or folder (default: what the checkpoint was trained on)"
    )
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--cfg", default="", help="model YAML, for --summary")
    parser.add_argument("--summary", action="store_true", help="print rows, shapes, parameters and GFLOPs")
    parser.add_argument("--batch-size", "--batch", type=_whole, help="default: 32; 1 for --task speed")
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
    _add_thresholds(parser, None, None, None)  # as the run was evaluated
    _add_inspection(parser)
    _add_common(parser, "runs/val")
    _add_words(parser, "one for each of the data's classes, in their order, in place of their names")
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
    parser = _Parser("detect.py", "Find defects in pictures.")
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--source", default=None, help="picture, video, folder, glob or list (default: glass)")
    parser.add_argument("--data", default="", help="data YAML whose class names and numbers are to be used")
    parser.add_argument("--batch-size", "--batch", type=_whole, default=1)
    parser.add_argument("--classes", nargs="+", default=[], help="names or numbers to keep")
    parser.add_argument("--line-thickness", type=_whole, default=0, help="px (default: by picture size)")
    parser.add_argument("--vid-stride", type=_whole, default=1, help="look at every so manieth frame of a video")
    parser.add_argument("--fail-on-defect", action="store_true", help="exit code 10 when a part is NG")
    for switch in ("--save-txt", "--save-conf", "--save-crop", "--save-csv", "--save-json", "--nosave", "--view-img"):
        parser.add_argument(switch, action="store_true")
    for switch in ("--recursive", "--agnostic-nms", "--hide-labels", "--hide-conf"):
        parser.add_argument(switch, action="store_true")
    _add_thresholds(parser, None, None, None)
    parser.add_argument("--thresholds", default="", metavar="FILE", help="thresholds.yaml of val.py: one per class")
    _add_common(parser, "runs/detect")
    _add_words(parser, "what to look for, in words")
    parser.add_argument(
        "--masks", action="store_true", help="masks of what is found, with --set model.sam=mobile_sam.pt"
    )
    parser.add_argument(
        "--set", dest="assignments", action="append", default=[], metavar="key=value", help="model.static, model.sam"
    )
    values = parser.read(argv)
    return DetectFlags(**{**values, "classes": tuple(values["classes"]), "assignments": tuple(values["assignments"])})


def parse_benchmark(argv: Sequence[str] | None) -> BenchmarkFlags:
    """The flags of python -m models.benchmark. Raises ConfigError."""
    parser = _Parser("python -m models.benchmark", "Time a model YAML on this machine.")
    parser.add_argument("--cfg", default="idfe-net.yaml", help="model YAML, looked up in cfg/models too")
    parser.add_argument("--imgsz", "--img", "--img-size", type=_whole, default=640)
    parser.add_argument("--batch-size", "--batch", type=_whole, default=1)
    parser.add_argument("--device", default="", help="cpu, 0, cuda:0")
    parser.add_argument("--repeats", type=_whole, default=10)
    parser.add_argument("--train", action="store_true", help="time forward and backward too")
    parser.add_argument("--bf16", action="store_true", help="time bfloat16 too")
    parser.add_argument("--text-encoder", default="", help="RTVPNet: as train.py's (default: the YAML's, else ngram)")
    parser.add_argument("--against", default="", help="model YAML whose time, in turn, it is compared with")
    return BenchmarkFlags(**parser.read(argv))


def parse_evaluator_benchmark(argv: Sequence[str] | None) -> EvaluatorBenchmarkFlags:
    """The flags of python -m utils.benchmark. Raises ConfigError."""
    parser = _Parser("python -m utils.benchmark", "Time an evaluation of random boxes on this machine.")
    parser.add_argument("--images", type=_whole, default=5_000)
    parser.add_argument("--classes", type=_whole, default=80)
    parser.add_argument("--detections", type=_whole, default=500_000)
    parser.add_argument("--compare", action="store_true", help="time the comparison of two runs too")
    parser.add_argument("--out", default="", metavar="FOLDER", help="write report.html there, and time it")
    return EvaluatorBenchmarkFlags(**parser.read(argv))


def parse_data_benchmark(argv: Sequence[str] | None) -> DataBenchmarkFlags:
    """The flags of python -m data.benchmark. Raises ConfigError."""
    parser = _Parser("python -m data.benchmark", "Time the index, the samplers and the loader on made-up data.")
    parser.add_argument("--images", type=_whole, default=1_000_000, help="pictures of the COCO json; none is drawn")
    parser.add_argument("--boxes", type=_whole, default=3, help="boxes in each on average")
    parser.add_argument("--classes", type=_whole, default=351, help="classes, with a long tail")
    parser.add_argument("--files", type=_whole, default=20_000, help="pictures of the set with txt labels: one, linked")
    parser.add_argument("--pictures", type=_whole, default=256, help="JPEGs that are drawn for the loader")
    parser.add_argument("--imgsz", "--img", "--img-size", type=_whole, default=640)
    parser.add_argument("--batch-size", "--batch", type=_whole, default=16)
    parser.add_argument("--seed", type=int, default=0)
    return DataBenchmarkFlags(**parser.read(argv))


def parse_pack(argv: Sequence[str] | None) -> PackFlags:
    """The flags of python -m data.pack. Raises ConfigError."""
    parser = _Parser("python -m data.pack", "Pack a data set into a few tar files, which train.py and val.py read.")
    parser.add_argument("--data", required=True, help="data YAML, looked up in cfg/data too, or a folder")
    parser.add_argument("--out", required=True, help="a new folder")
    parser.add_argument("--root", default="", help="where the data lies (default: as `path` of the YAML says)")
    parser.add_argument("--shard-mb", dest="shard_bytes", type=_megabytes, default=1 << 30, help="default: 1024")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="skip")
    parser.add_argument("--max-pixels", type=_whole, default=178_956_970)
    return PackFlags(**parser.read(argv))


def parse_folds(argv: Sequence[str] | None) -> FoldsFlags:
    """The flags of python -m data.folds. Raises ConfigError."""
    parser = _Parser(
        "python -m data.folds", "Divide a data set into folds, each with a data YAML to train and validate."
    )
    parser.add_argument("--data", required=True, help="data YAML, looked up in cfg/data too, or a folder")
    parser.add_argument("--out", required=True, help="a new folder")
    parser.add_argument("--folds", type=_several, default=5)
    parser.add_argument("--seed", type=_natural, default=0)
    parser.add_argument(
        "--group", default="", metavar="REGEX", help="pictures in whose stem it finds the same stay together"
    )
    parser.add_argument("--root", default="", help="where the data lies (default: as `path` of the YAML says)")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="error")
    parser.add_argument("--allow-empty", action="store_true")
    parser.add_argument("--max-pixels", type=_whole, default=178_956_970)
    return FoldsFlags(**parser.read(argv))


def _megabytes(text: str) -> int:
    return _whole(text) << 20


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, got {text}")
    return value


def _amount(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number from 0, got {text}")
    return value


def _whole(text: str, least: int = 1) -> int:
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text}")
    return value


def _natural(text: str) -> int:
    return _whole(text, 0)


def _several(text: str) -> int:
    return _whole(text, 2)
