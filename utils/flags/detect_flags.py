"""The flags of detect.py: as values, and their parser."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from utils.config.config import Config, DataConfig
from utils.config.ranges import Range, knob_flag
from utils.config.settings import build_config, settings_of_assignments
from utils.flags.line_flags import LineFlags, add_line
from utils.flags.looking_flags import LookingFlags, add_looking, add_weights, split_weights
from utils.flags.parser import Parser
from utils.flags.serve_flags import ServeFlags, add_serve
from utils.flags.shared_flags import add_common, add_thresholds, add_words
from utils.words.errors import ConfigError, printable

LABEL_FORMATS = ("yolo", "coco", "labelme", "cvat", "labelstudio")
SETTABLE = ("model.sam", "model.static", "run.full_paths")


@dataclass(frozen=True, kw_only=True)
class DetectFlags(ServeFlags, LineFlags, LookingFlags):
    """detect.py's command line. None: take the checkpoint's value."""

    weights: str
    source: str | None
    data: str
    imgsz: int | None
    conf_thres: float | None
    iou_thres: float | None
    max_det: int | None
    thresholds: str
    roi: str
    batch_size: int
    device: str
    save_txt: bool
    save_conf: bool
    save_crop: bool
    save_csv: bool
    save_json: bool
    save_labels: str
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
    explain: int
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
    add_line(parser)
    add_serve(parser)
    parser.add_argument(
        "--source", default=None, help="picture, video, folder, glob, list, camera 0, rtsp:// (default: glass)"
    )
    parser.add_argument("--data", default="", help="data YAML whose class names and numbers are to be used")
    parser.add_argument("--batch-size", "--batch", type=knob_flag(DataConfig, "batch_size", also=None), default=1)
    parser.add_argument("--classes", nargs="+", default=[], help="names or numbers to keep")
    parser.add_argument("--line-thickness", type=Range(1, 1000).whole, default=0, help="px (default: by picture size)")
    add = parser.add_argument
    add("--vid-stride", type=Range(1, 1_000_000).whole, default=1, help="look at every N-th frame of a video only")
    parser.add_argument("--fail-on-defect", action="store_true", help="exit code 10 when a part is NG")
    for switch in ("--save-txt", "--save-conf", "--save-crop", "--save-csv", "--save-json", "--nosave", "--view-img"):
        parser.add_argument(switch, action="store_true")
    add("--save-labels", choices=LABEL_FORMATS, default="", help="pre-labels, to be corrected in a tool")
    for switch in ("--recursive", "--agnostic-nms", "--hide-labels", "--hide-conf"):
        parser.add_argument(switch, action="store_true")
    add_thresholds(parser, None, None, None)
    parser.add_argument("--thresholds", default="", metavar="FILE", help="thresholds.yaml of val.py: one per class")
    add("--roi", default="", metavar="FILE", help="zones.yaml: polygons where defects count, or do not")
    add_common(parser, "runs/detect")
    add_words(parser, "what to look for, in words")
    parser.add_argument(
        "--save-prompts", default="", metavar="FILE", help="RTVPNet: a checkpoint that looks for these by itself"
    )
    parser.add_argument(
        "--masks", action="store_true", help="masks of what is found, with --set model.sam=mobile_sam.pt"
    )
    add(
        "--explain",
        nargs="?",
        type=Range(1, 1000).whole,
        const=3,
        default=0,
        metavar="N",
        help="why the N surest boxes (3)",
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


def wanted(flags: DetectFlags) -> dict[str, Any]:
    """What a Detector is to be, as its arguments. Raises ConfigError."""
    model = assigned_config(flags).model
    names = ("device", "imgsz", "half", "prompts", "examples", "unknown", "text_encoder", "glossary", "masks")
    return {
        **{name: getattr(flags, name) for name in names},
        "sam": model.sam,
        "static": model.static,
        **flags.looking(),
    }


def check_line(flags: DetectFlags, line: bool) -> None:
    """Raise ConfigError for what has no meaning beside a `line` (a folder, a camera) or the page, or without."""
    if flags.watch and flags.source is not None:
        raise ConfigError("--source: --watch names the folder; leave one out")
    idle = _idle_on_a_line(flags) if line else _idle_without(flags)
    idle |= _idle_on_the_page(flags) if flags.serve and not line else {}
    for flag, (meant, why) in idle.items():
        if meant:
            raise ConfigError(f"{flag}: has no effect here: {why}; leave it out")
    if os.path.basename(flags.json_lines) != flags.json_lines:
        shown = printable(flags.json_lines)
        raise ConfigError(f"--json-lines {shown}: is written into the run folder; give a name alone")


def _idle_on_a_line(flags: DetectFlags) -> dict[str, tuple[object, str]]:
    """By flag whether it is given, and why it would do nothing."""
    boxes, exits = "--json-lines has the boxes of pictures without end", "a line has no end at which to fail"
    return {
        "--batch-size": (flags.batch_size != 1, "pictures are judged one by one as they come"),
        "--vid-stride": (flags.watch and flags.vid_stride != 1, "is of cameras and videos"),
        "--save-csv": (flags.save_csv, boxes),
        "--save-json": (flags.save_json, boxes),
        "--save-labels": (flags.save_labels, "is for a set of pictures: name it with --source"),
        "--fail-on-defect": (flags.fail_on_defect, exits),
        "--exist-ok": (flags.exist_ok, "the run of this folder or camera goes on anyway"),
        "--bad-data": (flags.bad_data == "error", "a bad picture is reported and never stops the line"),
        "--recursive": (not flags.watch and flags.recursive, "is of folders"),
        "--move-to": (not flags.watch and flags.move_to, "moves pictures of a folder, see --watch"),
    }


def _idle_without(flags: DetectFlags) -> dict[str, tuple[object, str]]:
    only = "is of --watch and cameras"
    return {
        "--move-to": (flags.move_to, only),
        "--cycle-time": (flags.cycle_time, only),
        "--json-lines": (flags.json_lines, only),
        "--keep": (flags.keep is not None, only),
    }


def _idle_on_the_page(flags: DetectFlags) -> dict[str, tuple[object, str]]:
    files = "--serve writes no files of pictures; the page shows them"
    written = ("save_txt", "save_conf", "save_crop", "save_csv", "save_json", "save_labels", "nosave", "exist_ok")
    return {
        **{f"--{name.replace('_', '-')}": (getattr(flags, name), files) for name in written},
        "--batch-size": (flags.batch_size != 1, "pictures are looked at one by one as they come"),
        "--vid-stride": (flags.vid_stride != 1, "is of videos"),
        "--ask": (flags.ask or flags.ask_file, "questions are typed on the page"),
        "--masks": (flags.masks, "the page draws boxes"),
        "--explain": (flags.explain, "the page explains the box that is touched"),
        "--recursive": (flags.recursive, "the page opens sub-folders"),
        "--fail-on-defect": (flags.fail_on_defect, "there is no end at which to fail"),
        "--bad-data": (flags.bad_data == "error", "a bad picture is said on the page"),
    }
