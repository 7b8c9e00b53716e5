"""What the command lines of the commands inside the packages say, as values."""

from __future__ import annotations

from dataclasses import dataclass


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
    bf16: bool
    text_encoder: str
    against: str
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
class PackFlags:
    """The command line of python -m data.pack."""

    data: str
    out: str
    shard_bytes: int
    bad_data: str
    max_pixels: int
    root: str
    debug: bool
