"""The flags of detect.py: as values, and their parser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.config.config import Config, DataConfig
from utils.config.looking_flags import LookingFlags, add_looking, add_weights, split_weights
from utils.config.parser import Parser
from utils.config.ranges import Range, knob_flag
from utils.config.settings import build_config, settings_of_assignments
from utils.config.shared_flags import add_common, add_thresholds, add_words
from utils.words.errors import ConfigError

SETTABLE = ("model.sam", "model.static", "run.full_paths")


@dataclass(frozen=True, kw_only=True)
class DetectFlags(LookingFlags):
    """detect.py's command line. None: take the checkpoint's value."""

    weights: str
    source: str | None
    data: str
    imgsz: int | None
    conf_thres: float | None
    iou_thres: float | None
    max_det: int | None
    thresholds: str
    batch_size: int
    device: str
    save_txt: bool
    save_conf: bool
    save_crop: bool
    save_csv: bool
    save_json: bool
    nosave: bool
    view_img: bool
    recursive: bool
    vid_stride: int
    half: bool
    fail_on_defect: bool
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
    prompts: str | None
    examples: str
    unknown: bool
    text_encoder: str
    glossary: str
    save_prompts: str
    masks: bool
    ask: tuple[str, ...]
    ask_file: str
    severity: str
    assignments: tuple[str, ...]
    debug: bool


def parse_detect(argv: Sequence[str] | None) -> DetectFlags:
    """detect.py's flags. Raises ConfigError."""
    parser = Parser("detect.py", "Find defects in pictures.")
    add_weights(parser)
    add_looking(parser)
    parser.add_argument("--source", default=None, help="picture, video, folder, glob or list (default: glass)")
    parser.add_argument("--data", default="", help="data YAML whose class names and numbers are to be used")
    parser.add_argument("--batch-size", "--batch", type=knob_flag(DataConfig, "batch_size", also=None), default=1)
    parser.add_argument("--classes", nargs="+", default=[], help="names or numbers to keep")
    parser.add_argument("--line-thickness", type=Range(1, 1000).whole, default=0, help="px (default: by picture size)")
    add = parser.add_argument
    add("--vid-stride", type=Range(1, 1_000_000).whole, default=1, help="look at every N-th frame of a video only")
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
        "--save-prompts", default="", metavar="FILE", help="RTVPNet: a checkpoint that looks for these by itself"
    )
    parser.add_argument(
        "--masks", action="store_true", help="masks of what is found, with --set model.sam=mobile_sam.pt"
    )
    add("--ask", action="append", default=[], metavar="QUESTION", help='such as "how many scratches?"; repeatable')
    add("--ask-file", default="", metavar="FILE", help="questions, one on each line")
    add(
        "--severity", default="", metavar="YAML", help="your rules for how bad a defect is, see utils/answers/README.md"
    )
    parser.add_argument(
        "--set", dest="assignments", action="append", default=[], metavar="key=value", help="model.static, model.sam"
    )
    values = split_weights(parser.read(argv))
    lists = {key: tuple(values[key]) for key in ("classes", "assignments", "ask")}
    return DetectFlags(**{**values, **lists})


def assigned_config(flags: DetectFlags) -> Config:
    """The values given with --set, defaults for the rest. Raises ConfigError for what detect.py does not use."""
    settings = settings_of_assignments(list(flags.assignments))
    for setting in settings:
        if setting.key not in SETTABLE:
            raise ConfigError(f"{setting.origin}: detect.py takes {', '.join(SETTABLE[:-1])} and {SETTABLE[-1]}")
    return build_config(settings)[0]
