"""The flags that val.py and detect.py share."""

from __future__ import annotations

from utils.config.config import DataConfig, ValConfig
from utils.config.ranges import knob_flag
from utils.flags.parser import Parser


def add_common(parser: Parser, project: str) -> None:
    """The flags that val.py and detect.py share."""
    parser.add_argument("--device", default="", help="cpu, 0, cuda:0")
    parser.add_argument("--project", default=project)
    parser.add_argument("--name", default="exp")
    parser.add_argument("--exist-ok", action="store_true")
    parser.add_argument("--half", action="store_true", help="fp16 on a GPU")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="error" if "val" in project else "skip")
    parser.add_argument("--max-pixels", type=knob_flag(DataConfig, "max_pixels"), default=DataConfig().max_pixels)


def add_words(parser: Parser, text: str) -> None:
    """What an open-vocabulary network looks for; `text` is the help of --prompts."""
    parser.add_argument("--prompts", default=None, metavar='"a, b"', help=f"RTVPNet: {text}")
    parser.add_argument(
        "--examples",
        default="",
        metavar="FOLDER|YAML",
        help="RTVPNet: a labelled set that shows what to look for",
    )
    parser.add_argument("--unknown", action="store_true", help="RTVPNet: also defects that none of the names fits")
    parser.add_argument("--text-encoder", default="", help="RTVPNet: the checkpoint's, where it has moved")
    add_glossary(parser, "glossary", "", "the checkpoint's")


def add_glossary(parser: Parser, key: str, default: str, usual: str) -> None:
    """What describes names to the text encoder; `usual` is the default in words."""
    parser.add_argument(
        "--glossary",
        dest=key,
        default=default,
        metavar="YAML",
        help=f"RTVPNet: descriptions of words beside the built-in ones (default: {usual})",
    )
    parser.add_argument(
        "--no-glossary", dest=key, default=default, action="store_const", const="none", help="RTVPNet: names alone"
    )


def add_thresholds(parser: Parser, conf: float | None, iou: float | None, max_det: int | None) -> None:
    """NMS and the size of the network's input; None: the default is only known once the checkpoint is read."""
    parser.add_argument(
        "--conf-thres", "--conf", type=knob_flag(ValConfig, "conf"), default=conf, help="least confidence"
    )
    parser.add_argument(
        "--iou-thres", "--iou", type=knob_flag(ValConfig, "iou"), default=iou, help="overlap at which NMS removes"
    )
    parser.add_argument(
        "--max-det", type=knob_flag(ValConfig, "max_det"), default=max_det, help="detections per picture"
    )
    parser.add_argument(
        "--imgsz",
        "--img",
        "--img-size",
        type=knob_flag(DataConfig, "imgsz"),
        default=None,
        help="default: the checkpoint's",
    )
