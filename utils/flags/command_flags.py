"""The flags of the commands inside the packages, such as python -m data.pack: as values, and their parsers."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from utils.config.config import AugmentConfig, DataConfig, RunConfig
from utils.config.ranges import Range, knob_flag
from utils.flags.parser import Parser, megabytes
from utils.words.errors import ConfigError, printable

COUNT = Range(1, 100_000_000).whole  # of pictures, boxes or repeats that a benchmark makes up
SEED, IMAGE_SIZE = knob_flag(RunConfig, "seed"), knob_flag(DataConfig, "imgsz")
BATCH_SIZE, MAX_PIXELS = knob_flag(DataConfig, "batch_size", also=None), knob_flag(DataConfig, "max_pixels")


@dataclass(frozen=True, kw_only=True)
class EvaluatorBenchmarkFlags:
    """The command line of python -m utils.benchmark."""

    images: int
    classes: int
    detections: int
    compare: bool
    out: str
    debug: bool


@dataclass(frozen=True, kw_only=True)
class BenchmarkFlags:
    """The command line of python -m models.benchmark."""

    cfg: str
    imgsz: int
    batch_size: int
    device: str
    repeats: int
    train: bool
    parts: bool
    bf16: bool
    text_encoder: str
    against: str
    exports: str
    weights: str
    data: str
    assignments: tuple[str, ...]
    debug: bool


@dataclass(frozen=True, kw_only=True)
class DataBenchmarkFlags:
    """The command line of python -m data.benchmark."""

    images: int
    boxes: int
    classes: int
    files: int
    pictures: int
    imgsz: int
    batch_size: int
    seed: int
    debug: bool


@dataclass(frozen=True, kw_only=True)
class FoldsFlags:
    """The command line of python -m data.folds."""

    data: str
    out: str
    folds: int
    seed: int
    group: str
    root: str
    bad_data: str
    allow_empty: bool
    max_pixels: int
    debug: bool


@dataclass(frozen=True, kw_only=True)
class AuditFlags:
    """The command line of python -m data.audit."""

    data: str
    out: str
    write: str
    strict: bool
    imgsz: int
    min_box_px: float
    root: str
    max_pixels: int
    debug: bool


@dataclass(frozen=True, kw_only=True)
class PackFlags:
    """The command line of python -m data.pack."""

    data: str
    out: str
    shard_bytes: int
    bad_data: str
    max_pixels: int
    root: str
    debug: bool


@dataclass(frozen=True, kw_only=True)
class ModelPackFlags:
    """The command line of python -m models.pack."""

    weights: str
    out: str
    glossary_words: bool
    debug: bool


@dataclass(frozen=True, kw_only=True)
class StudyFlags:
    """The command line of python -m utils.study; `roots`: folders of data sets by name, or the only one by ""."""

    plan: str
    out: str
    roots: dict[str, str]
    dry_run: bool
    table: bool
    debug: bool


def parse_study(argv: Sequence[str] | None) -> StudyFlags:
    """The flags of python -m utils.study. Raises ConfigError."""
    parser = Parser("python -m utils.study", "Run the trainings of a plan, those that are done excepted; compare them.")
    parser.add_argument("plan", metavar="PLAN", help="YAML of a plan, looked up in cfg/studies too")
    parser.add_argument("--out", default="", metavar="FOLDER", help="of runs and tables (default: runs/study/PLAN)")
    places = "where a data set lies (default: as its YAML says); repeatable"
    parser.add_argument("--root", action="append", default=[], metavar="NAME=FOLDER", help=places)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--dry-run", action="store_true", help="say which runs are left, and how long; write nothing")
    instead.add_argument("--table", action="store_true", help="only write the tables of the runs that are done")
    values = parser.read(argv)
    roots: dict[str, str] = {}
    for word in values.pop("root"):
        name, equals, folder = word.partition("=")
        name, folder = (name, folder) if equals else ("", name)
        if not folder or name in roots:
            why = "is given twice; leave one out" if folder else "names no folder; give NAME=FOLDER"
            raise ConfigError(f"--root {printable(word[:200])}: {why}")
        roots[name] = folder
    return StudyFlags(roots=roots, **values)


def parse_model_pack(argv: Sequence[str] | None) -> ModelPackFlags:
    """The flags of python -m models.pack. Raises ConfigError."""
    parser = Parser("python -m models.pack", "Write a checkpoint in fewer bytes, to be passed on.")
    parser.add_argument("--weights", default="", help="checkpoint (default: best.pt of the newest run)")
    parser.add_argument("--out", required=True, metavar="FILE", help="a new file")
    parser.add_argument(
        "--glossary-words",
        action="store_true",
        help="RTVPNet: its glossary's names then need no encoder",
    )
    return ModelPackFlags(**parser.read(argv))


def parse_benchmark(argv: Sequence[str] | None) -> BenchmarkFlags:
    """The flags of python -m models.benchmark. Raises ConfigError."""
    parser = Parser("python -m models.benchmark", "Time a model YAML on this machine.")
    parser.add_argument("--cfg", default="idfe-net.yaml", help="model YAML, looked up in cfg/models too")
    parser.add_argument("--imgsz", "--img", "--img-size", type=IMAGE_SIZE, default=0, help="640; --exports: as trained")
    parser.add_argument("--batch-size", "--batch", type=BATCH_SIZE, default=1)
    parser.add_argument("--device", default="", help="cpu, 0, cuda:0")
    parser.add_argument("--repeats", type=COUNT, default=10)
    parser.add_argument("--train", action="store_true", help="time forward and backward too")
    parser.add_argument("--parts", action="store_true", help="--train, and which operations take the time, on the CPU")
    parser.add_argument("--bf16", action="store_true", help="time bfloat16 too")
    parser.add_argument("--text-encoder", default="", help="RTVPNet: as train.py's (default: the YAML's, else ngram)")
    parser.add_argument("--against", default="", help="model YAML whose time, in turn, it is compared with")
    exported = "time and score the exported files of a folder, and the checkpoint that they were made from"
    parser.add_argument("--exports", default="", metavar="FOLDER", help=exported)
    parser.add_argument("--weights", default="", help="of --exports: the checkpoint (default: best.pt, else last.pt)")
    parser.add_argument("--data", default="", help="of --exports: pictures to score on (default: the training's)")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="data.root=FOLDER")
    values = parser.read(argv)
    values["train"] |= values["parts"]
    return BenchmarkFlags(**values | {"assignments": tuple(values["assignments"])})


def parse_evaluator_benchmark(argv: Sequence[str] | None) -> EvaluatorBenchmarkFlags:
    """The flags of python -m utils.benchmark. Raises ConfigError."""
    parser = Parser("python -m utils.benchmark", "Time an evaluation of random boxes on this machine.")
    parser.add_argument("--images", type=COUNT, default=5_000)
    parser.add_argument("--classes", type=COUNT, default=80)
    parser.add_argument("--detections", type=COUNT, default=500_000)
    parser.add_argument("--compare", action="store_true", help="time the comparison of two runs too")
    parser.add_argument("--out", default="", metavar="FOLDER", help="write report.html there, and time it")
    return EvaluatorBenchmarkFlags(**parser.read(argv))


def parse_data_benchmark(argv: Sequence[str] | None) -> DataBenchmarkFlags:
    """The flags of python -m data.benchmark. Raises ConfigError."""
    parser = Parser("python -m data.benchmark", "Time the index, the samplers and the loader on made-up data.")
    parser.add_argument("--images", type=COUNT, default=1_000_000, help="pictures of the COCO json; none is drawn")
    parser.add_argument("--boxes", type=COUNT, default=3, help="boxes in each on average")
    parser.add_argument("--classes", type=COUNT, default=351, help="classes, with a long tail")
    parser.add_argument("--files", type=COUNT, default=20_000, help="pictures of the set with txt labels: one, linked")
    parser.add_argument("--pictures", type=COUNT, default=256, help="JPEGs that are drawn for the loader")
    parser.add_argument("--imgsz", "--img", "--img-size", type=IMAGE_SIZE, default=640)
    parser.add_argument("--batch-size", "--batch", type=BATCH_SIZE, default=16)
    parser.add_argument("--seed", type=SEED, default=0)
    return DataBenchmarkFlags(**parser.read(argv))


def parse_pack(argv: Sequence[str] | None) -> PackFlags:
    """The flags of python -m data.pack. Raises ConfigError."""
    parser = Parser("python -m data.pack", "Pack a data set into a few tar files, which train.py and val.py read.")
    parser.add_argument("--data", required=True, help="data YAML, looked up in cfg/data too, or a folder")
    parser.add_argument("--out", required=True, help="a new folder")
    parser.add_argument("--root", default="", help="where the data lies (default: as `path` of the YAML says)")
    parser.add_argument("--shard-mb", dest="shard_bytes", type=megabytes, default=1 << 30, help="default: 1024")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="skip")
    parser.add_argument("--max-pixels", type=MAX_PIXELS, default=DataConfig().max_pixels)
    return PackFlags(**parser.read(argv))


@dataclass(frozen=True, kw_only=True)
class WorldFlags:
    """The command line of python -m data.world."""

    out: str
    mix: str
    count: int
    val: int
    imgsz: int
    seed: int
    workers: int
    backgrounds: str
    sheet: bool
    debug: bool


def parse_world(argv: Sequence[str] | None) -> WorldFlags:
    """The flags of python -m data.world. Raises ConfigError."""
    parser = Parser("python -m data.world", "Draw pictures of surfaces and their defects as a data set.")
    parser.add_argument("--out", required=True, help="a new folder")
    mixes = ("kinds", "closed", "open", "open-combinations", "open-kinds", "open-words")
    parser.add_argument("--mix", choices=mixes, default="kinds", help="which defects, and as which classes")
    parser.add_argument("--count", type=COUNT, default=1000, help="pictures to train on")
    parser.add_argument("--val", type=Range(0, 10_000_000).whole, default=100, help="pictures to validate on")
    parser.add_argument(
        "--imgsz", "--img", "--img-size", type=Range(96, 2048).whole, default=320, help="their sides, px"
    )
    parser.add_argument("--seed", type=SEED, default=0, help="another seed is another world")
    parser.add_argument("--workers", type=knob_flag(DataConfig, "workers"), default=-1, help="-1: as many as cores")
    parser.add_argument("--backgrounds", default="", metavar="FOLDER", help="good pictures to draw on, as surfaces")
    parser.add_argument("--sheet", action="store_true", help="only sheets that show every kind of defect, to look at")
    return WorldFlags(**parser.read(argv))


@dataclass(frozen=True, kw_only=True)
class DrawnFlags:
    """The command line of python -m data.drawn; None is the set's own default."""

    out: str
    huge: bool
    train: int | None
    val: int | None
    size: int | None
    defects: int | None
    px: int | None
    seed: int
    debug: bool


def parse_drawn(argv: Sequence[str] | None) -> DrawnFlags:
    """The flags of python -m data.drawn. Raises ConfigError."""
    parser = Parser("python -m data.drawn", "Draw pictures of glass and its defects as a data set.")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a new folder; the same set there is kept")
    parser.add_argument("--huge", action="store_true", help="sheet glass under a line-scan camera, with tiny defects")
    parser.add_argument("--train", type=COUNT, metavar="N", help="pictures to train on (default: 240; --huge: 12)")
    parser.add_argument("--val", type=COUNT, metavar="N", help="pictures to validate on (default: 40; --huge: 6)")
    parser.add_argument("--size", type=Range(96, 8192).whole, metavar="PX", help="sides (default: 320; --huge: 4096)")
    parser.add_argument(
        "--defects", type=COUNT, metavar="N", help="--huge: tiny defects in a picture that has any (default: 40)"
    )
    parser.add_argument(
        "--px", type=Range(6, 64).whole, metavar="PX", help="--huge: sides of a tiny defect (default: 8)"
    )
    parser.add_argument("--seed", type=SEED, metavar="N", default=0, help="another seed is another set")
    return DrawnFlags(**parser.read(argv))


def parse_audit(argv: Sequence[str] | None) -> AuditFlags:
    """The flags of python -m data.audit. Raises ConfigError."""
    parser = Parser("python -m data.audit", "Look at every picture and label of a data set, and say what is odd.")
    parser.add_argument("data", metavar="FOLDER|YAML", help="data YAML, looked up in cfg/data too, or a folder")
    parser.add_argument("--out", default="", metavar="FOLDER", help="a new folder for audit.json and pictures")
    parser.add_argument("--write", default="", metavar="YAML", help="a new data YAML, for a folder that has none")
    parser.add_argument("--strict", action="store_true", help="exit code 3 if a number would be wrong or data is lost")
    parser.add_argument("--imgsz", "--img", "--img-size", type=IMAGE_SIZE, default=640, help="of the training")
    parser.add_argument(
        "--min-box-px",
        type=knob_flag(AugmentConfig, "min_box_px"),
        default=1.0,
        help="augment.min_box_px of the training",
    )
    parser.add_argument("--root", default="", help="where the data lies (default: as `path` of the YAML says)")
    parser.add_argument("--max-pixels", type=MAX_PIXELS, default=178_956_970)
    return AuditFlags(**parser.read(argv))


def parse_folds(argv: Sequence[str] | None) -> FoldsFlags:
    """The flags of python -m data.folds. Raises ConfigError."""
    parser = Parser(
        "python -m data.folds", "Divide a data set into folds, each with a data YAML to train and validate."
    )
    parser.add_argument("--data", required=True, help="data YAML, looked up in cfg/data too, or a folder")
    parser.add_argument("--out", required=True, help="a new folder")
    parser.add_argument("--folds", type=Range(2, 1000).whole, default=5)
    parser.add_argument("--seed", type=SEED, default=0)
    parser.add_argument(
        "--group", default="", metavar="REGEX", help="pictures in whose stem it finds the same stay together"
    )
    parser.add_argument("--root", default="", help="where the data lies (default: as `path` of the YAML says)")
    parser.add_argument("--bad-data", choices=("error", "skip"), default="error")
    parser.add_argument("--allow-empty", action="store_true")
    parser.add_argument("--max-pixels", type=MAX_PIXELS, default=DataConfig().max_pixels)
    return FoldsFlags(**parser.read(argv))


@dataclass(frozen=True, kw_only=True)
class SideBySideFlags:
    """The command line of python -m utils.side_by_side: two commands as words."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    repeats: int
    out: str
    debug: bool


def parse_side_by_side(argv: Sequence[str] | None) -> SideBySideFlags:
    """The flags of python -m utils.side_by_side. Raises ConfigError."""
    parser = Parser("python -m utils.side_by_side", "Run two commands in turn: seconds, memory, and their ratio.")
    for name in ("first", "second"):
        parser.add_argument(name, metavar="COMMAND", help="in quotes, as a shell would take it; no shell runs it")
    parser.add_argument("--repeats", type=Range(1, 1000).whole, default=3, help="turns of both")
    parser.add_argument("--out", default="", metavar="FILE", help="a new JSON file of all turns")
    values = parser.read(argv)
    for name in ("first", "second"):
        try:
            values[name] = tuple(shlex.split(values[name]))
        except ValueError as error:
            raise ConfigError(f"COMMAND {printable(values[name][:200])}: {error}") from error
        if not values[name]:
            raise ConfigError("COMMAND: is empty; give a command in quotes")
    return SideBySideFlags(**values)
