"""The flags of train.py: as values, as a table, and their parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from utils.config.config import LogTool
from utils.config.settings import Setting
from utils.flags.looking_flags import side_or_auto
from utils.flags.parser import Parser, hours, number_or_name
from utils.flags.shared_flags import add_glossary
from utils.words.errors import ConfigError
from utils.words.text import did_you_mean, shown


@dataclass(frozen=True, kw_only=True)
class TrainFlags:
    """train.py's command line: `settings` go into the configuration, the rest controls the script."""

    settings: tuple[Setting, ...]
    hyp: str
    assignments: tuple[str, ...]
    resume: str | None
    demo: bool
    dry_run: bool
    debug: bool
    local_rank: int | None


def log_tools(text: str) -> list[str]:
    """`tensorboard,mlflow` as names. Raises ConfigError."""
    known, names = get_args(LogTool), [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            near = did_you_mean(name, known) or f"; possible are {', '.join(known)}, with a comma between them"
            raise ConfigError(f"--log {shown(text)}: {shown(name)} is not known{near}")
    return names


# flag names, configuration key, type (None: a switch), help
TRAIN_FLAGS: tuple[tuple[tuple[str, ...], str, Callable[[str], Any] | None, str], ...] = (
    (("--weights",), "model.weights", str, "checkpoint to start from (default: from scratch)"),
    (("--cfg",), "model.cfg", str, "model YAML, looked up in cfg/models too (idfe-net-lite0-n.yaml)"),
    (
        ("--text-encoder",),
        "model.text_encoder",
        str,
        "RTVPNet: open_clip:MODEL:TAG or :FILE, minilm, vectors:FILE, ...",
    ),
    (("--data",), "data.data", str, "data YAML, looked up in cfg/data too, or a folder"),
    (("--epochs",), "schedule.epochs", int, ""),
    (("--batch-size", "--batch"), "data.batch_size", int, "pictures per step over all processes; -1: as many as fit"),
    (("--imgsz", "--img", "--img-size"), "data.imgsz", int, "longest side of the network input, px"),
    (("--device",), "run.device", str, "cpu, 0, cuda:0; 0,1: two processes (default: the first GPU if there is one)"),
    (("--nproc",), "run.nproc", int, "processes on this machine, with --device cpu or all GPUs"),
    (("--workers",), "data.workers", int, "loader processes"),
    (("--optimizer",), "optim.name", str, "SGD, Adam or AdamW"),
    (("--patience",), "schedule.patience", int, "epochs without improvement before stopping"),
    (("--close-mosaic",), "schedule.close_mosaic", int, "epochs without mosaic, mixup, copy-paste at the end"),
    (("--accumulate",), "optim.accumulate", int, "steps to accumulate gradients over"),
    (("--label-smoothing",), "anchor_loss.label_smoothing", float, ""),
    (("--best-metric",), "run.best_metric", str, "what best.pt goes by: fitness (0.1 AP50 + 0.9 AP), recall, APs, ..."),
    (("--max-time",), "run.max_time", hours, "hours (or 90s, 30m, 2h) after which the run ends, resumable"),
    (("--seed",), "run.seed", int, ""),
    (("--project",), "run.project", str, ""),
    (("--name",), "run.name", str, ""),
    (("--save-period",), "run.save_period", int, "keep a checkpoint every so many epochs"),
    (("--save-steps",), "run.save_steps", int, "write last.pt every so many steps too"),
    (("--bad-data",), "data.bad_data", str, "skip (reported, up to a limit) or error"),
    (("--max-pixels",), "data.max_pixels", int, "refuse larger pictures before decoding them"),
    (("--repeat",), "data.repeat", int, "how often every training picture comes in an epoch, where there are few"),
    (("--single-cls",), "data.single_cls", None, "all classes as one, called defect"),
    (
        ("--tile",),
        "data.tile",
        side_or_auto,
        "cut pictures into tiles of so many px, or auto: as small defects ask for",
    ),
    (("--tile-overlap",), "data.tile_overlap", float, "of tiles, as a part of their side (0.2)"),
    (("--tile-full",), "data.tile_full", None, "with tiles: pictures as a whole, too, for large defects"),
    (("--rect",), "data.rect", None, "batches of pictures of similar shape, with little padding and without mosaic"),
    (("--multi-scale",), "data.multi_scale", None, "each batch at its own size, 0.5 to 1.5 of --img"),
    (("--cos-lr",), "schedule.cosine", None, "cosine learning rate"),
    (("--bf16",), "run.bf16", None, "mixed precision in bfloat16, on any device"),
    (
        ("--cuda-graph",),
        "run.cuda_graph",
        None,
        "record the network's kernels on the GPU once, replay them in each step",
    ),
    (("--sync-bn",), "run.sync_bn", None, "BatchNorm over the pictures of all GPUs"),
    (("--exist-ok",), "run.exist_ok", None, "write into an existing run folder"),
    (("--nosave",), "run.nosave", None, "write only the last checkpoint"),
    (("--noval",), "run.noval", None, "evaluate only after the last epoch"),
    (("--noplots",), "run.noplots", None, "write no pictures"),
    (("--log",), "run.log", log_tools, "tensorboard, mlflow: keep the run there, too (comma between; csv: always)"),
    (("--noautoanchor",), "anchor_assign.noautoanchor", None, "keep the model YAML's anchors however badly they fit"),
    (("--allow-empty",), "data.allow_empty", None, "accept that most label files are missing"),
)


def parse_train(argv: Sequence[str] | None) -> TrainFlags:
    """train.py's flags. Raises ConfigError."""
    parser = Parser("train.py", "Train a defect detector.")
    for flags, key, kind, text in TRAIN_FLAGS:
        # SUPPRESS: a flag that is not given leaves no value, so it cannot override the training YAML
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
    add_glossary(parser, "model.glossary", unset, "the built-in ones for open_clip and minilm")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=None, help=unset)
    parser.add_argument("--hyp", default="", help="training YAML, ours or YOLOv5's (default: by model)")
    parser.add_argument("--resume", nargs="?", const="", default=None, metavar="last.pt", help="continue a run")
    parser.add_argument("--demo", action="store_true", help="two to three minutes on the built-in glass pictures")
    parser.add_argument("--dry-run", action="store_true", help="say what a run would do and cost; write nothing")
    add_set(parser)
    values = parser.read(argv)
    # reversed: of two flags with one destination the first gives the name
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
