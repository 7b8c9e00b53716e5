"""The flags of python -m models.export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.config.config import DataConfig
from utils.config.ranges import Range, knob_flag
from utils.flags.parser import Parser
from utils.words.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ExportFlags:
    """The command line of python -m models.export."""

    weights: str
    format: str
    out: str
    nms: bool
    half: bool
    int8: bool
    static: bool
    text_input: bool
    batch_size: int
    imgsz: int | None
    data: str
    assignments: tuple[str, ...]
    thresholds: str
    pictures: int
    tolerance: float
    bundle: str
    debug: bool


def parse_export(argv: Sequence[str] | None) -> ExportFlags:
    """The flags of python -m models.export. Raises ConfigError."""
    parser = Parser("python -m models.export", "Write a network as a file for a line, if it is proved equal.")
    add = parser.add_argument
    add("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    add("--format", choices=("onnx", "openvino", "torchscript", "tensorrt"), default="onnx")
    add("--out", default="", metavar="PATH", help="file or folder (default: beside the checkpoint, under its name)")
    add("--nms", action="store_true", help="onnx: give detections; thresholds are inputs of the file")
    add("--half", action="store_true", help="weights in 16 bit")
    add("--int8", action="store_true", help="onnx, openvino: 8 bit, calibrated on the data; what would cost AP stays")
    add("--static", action="store_true", help="one batch and one size, --batch-size and --imgsz, instead of any")
    add("--text-input", action="store_true", help="RTVPNet: text vectors are an input, so that names may change")
    add("--batch-size", "--batch", type=knob_flag(DataConfig, "batch_size", also=None), default=1, help="with --static")
    add("--imgsz", "--img", "--img-size", type=knob_flag(DataConfig, "imgsz"), default=None, help="as trained")
    add("--data", default="", help="pictures to compare and calibrate on (default: the training's)")
    add("--set", dest="assignments", action="append", default=[], metavar="data.root=FOLDER", help="as for val.py")
    add("--thresholds", default="", metavar="YAML", help="by which OK and NG must be the same (default: the run's own)")
    add("--pictures", type=Range(1, 100_000).whole, default=32, help="how many are compared")
    add("--tolerance", type=Range(0, 1).number, default=0.005, help="--int8: AP50 and APs that may be lost")
    add("--bundle", default="", metavar="FOLDER", help="onnx: a new folder for a line that has no torch")
    values = parser.read(argv)
    flags = ExportFlags(**values | {"assignments": tuple(values["assignments"])})
    _check(flags)
    return flags


def _check(flags: ExportFlags) -> None:
    """Raise ConfigError for what does not go together."""
    if flags.int8 and flags.half:
        raise ConfigError("--int8, --half: a file has one number format; take one of the two")
    if flags.int8 and flags.text_input:
        raise ConfigError("--int8, --text-input: 8 bits are fitted to known names; leave one out")
    if flags.nms and flags.format != "onnx":
        raise ConfigError(f"--nms: is for --format onnx; of {flags.format} val.py, detect.py and infer.py suppress")
    if flags.int8 and flags.format not in ("onnx", "openvino"):
        raise ConfigError(f"--int8: is for --format onnx and openvino, not for {flags.format}")
    if flags.half and flags.format == "torchscript":
        raise ConfigError("--half: is not for --format torchscript; convert the module where it runs")
    if flags.bundle and flags.format != "onnx":
        raise ConfigError(f"--bundle: runs by onnxruntime, not by {flags.format}; take --format onnx")
    if flags.bundle and flags.text_input:
        raise ConfigError("--bundle: has no text encoder; leave --text-input out, and the names are folded in")
    if flags.batch_size != 1 and not flags.static:
        raise ConfigError("--batch-size: a file takes any; with --static it takes this one")
