"""The flags of val.py: as values, and their parser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.config.config import DataConfig
from utils.config.ranges import Range, knob_flag
from utils.flags.looking_flags import LookingFlags, add_looking, add_weights, split_weights
from utils.flags.parser import Parser
from utils.flags.shared_flags import add_common, add_thresholds, add_words
from utils.words.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ValFlags(LookingFlags):
    """val.py's command line. None: take the checkpoint's value."""

    data: str | None
    weights: str
    cfg: str
    summary: bool
    batch_size: int
    imgsz: int | None
    conf_thres: float | None
    iou_thres: float | None
    max_det: int | None
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
    save_txt: bool
    save_conf: bool
    save_json: bool
    verbose: bool
    half: bool
    map_classes: str
    fa_per_image: float | None
    max_overkill: float | None
    max_escape: float | None
    match: Literal["iou", "center"]
    match_iou: float | None
    bins: str
    cost: str
    thresholds: str
    roi: str
    from_preds: tuple[str, ...]
    compare: tuple[str, str] | None
    prompts: str | None
    examples: str
    unknown: bool
    text_encoder: str
    glossary: str
    questions: str
    seed: int
    false_yes: float
    false_no: float
    debug: bool

    @property
    def split(self) -> str:
        """The split to evaluate: the one named by --task, or val for --task speed and --task vqa."""
        return "val" if self.task in ("speed", "vqa") else self.task


# Scores need every detection, however faint; speed is measured with the settings that detect.py runs with.
SCORE_DEFAULTS = {"batch_size": 32}  # confidence and IoU: those of the training run
SPEED_DEFAULTS = {"batch_size": 1, "conf_thres": 0.25, "iou_thres": 0.45}


def add_inspection(parser: Parser) -> None:
    """The flags for escape, overkill and the choice of thresholds."""
    parser.add_argument(
        "--from-preds", nargs="+", default=(), metavar="FILE", help="score these COCO results, without weights"
    )
    parser.add_argument("--compare", nargs=2, default=None, metavar="RUN", help="is the second run better, or chance?")
    add = parser.add_argument
    add(
        "--fa-per-image",
        type=Range(0, 1e6).number,
        default=None,
        help="false alarms per picture that are allowed (0.1)",
    )
    overkill = "instead: the share of good pictures that may be rejected"
    add("--max-overkill", type=Range(0, 1).number, default=None, metavar="0.05", help=overkill)
    escape = "instead: the share of bad pictures that may pass"
    add("--max-escape", type=Range(0, 1).number, default=None, metavar="0.02", help=escape)
    add("--match", choices=("iou", "center"), default="iou", help="a hit: by overlap, or centre in the truth box")
    add("--match-iou", type=Range(0, 1, above=True).number, default=None, help="overlap of a hit (0.5)")
    add("--bins", default="", metavar="0,8,16,32,96", help="sizes that recall is reported for, px or mm")
    add("--cost", default="", metavar="escape=50,overkill=1", help="choose the thresholds of least cost instead")
    add("--thresholds", default="", metavar="FILE", help="choose none, score those of a thresholds.yaml")
    add("--roi", default="", metavar="FILE", help="zones.yaml: polygons where defects count, or do not")
    for word, meaning in (("yes", "show it not"), ("no", "show it")):
        help = f"is there one? share of the pictures that {meaning} where {word} is answered (0.1)"
        add(f"--false-{word}", type=Range(0, 0.5).number, default=0.1, help=help)


def parse_val(argv: Sequence[str] | None) -> ValFlags:
    """val.py's flags. Raises ConfigError."""
    parser = Parser("val.py", "Evaluate a checkpoint, or summarise a model YAML.")
    parser.add_argument(
        "--data", default=None, help="data YAML or folder (default: what the checkpoint was trained on)"
    )
    add_weights(parser)
    add_looking(parser)
    parser.add_argument("--cfg", default="", help="model YAML, for --summary")
    parser.add_argument("--summary", action="store_true", help="print rows, shapes, parameters and GFLOPs")
    pictures = knob_flag(DataConfig, "batch_size", also=None)
    parser.add_argument("--batch-size", "--batch", type=pictures, help="default: 32; 1 for --task speed")
    parser.add_argument(
        "--task",
        choices=("train", "val", "test", "speed", "vqa", "study"),
        default="val",
        metavar="{train,val,test,speed,vqa}",
        help="which split to score; how long each step takes; how often answers to questions are right",
    )
    parser.add_argument(
        "--questions", default="", metavar="FILE.json", help="for --task vqa: yours (default: made from the labels)"
    )
    parser.add_argument("--seed", type=Range(0, 2**31 - 1).whole, default=0, help="of the questions of --task vqa")
    parser.add_argument("--workers", type=knob_flag(DataConfig, "workers"), default=-1)
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
    add_thresholds(parser, None, None, None)  # defaults: those of the training run
    add_inspection(parser)
    add_common(parser, "runs/val")
    add_words(parser, "one for each of the data's classes, in their order; any with --single-cls")
    values = split_weights(parser.read(argv))
    if values["task"] == "study":
        raise ConfigError("--task study: is not offered; run val.py once per --imgsz and compare results.json")
    defaults = SPEED_DEFAULTS if values["task"] == "speed" else SCORE_DEFAULTS
    values |= {key: default for key, default in defaults.items() if values[key] is None}
    compared = tuple(values["compare"]) if values["compare"] else None
    predictions = tuple(values["from_preds"])
    return ValFlags(
        **{**values, "assignments": tuple(values["assignments"]), "compare": compared, "from_preds": predictions}
    )
