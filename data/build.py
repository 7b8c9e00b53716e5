"""Configuration -> records -> loaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch.utils.data import DataLoader

from data.dataset import EvalSamples, TrainSamples
from data.description import read_description
from data.loader import make_loader, worker_count
from data.records import ReadPolicy, RecordSet, read_records
from data.sampler import EpochBatches, ShapeBatches
from utils.config import Config, DataConfig
from utils.errors import ConfigError
from utils.log import LOG
from utils.structures import Batch, Record


def train_loader(records: Sequence[Record], cfg: Config, pin: bool) -> tuple[DataLoader[Batch], EpochBatches]:
    """Augmented batches, and the sampler whose `set_epoch` must be called before each pass."""
    mosaic_until = cfg.schedule.epochs - cfg.schedule.close_mosaic
    samples = TrainSamples(records, cfg.augment, cfg.data.imgsz, cfg.run.seed, mosaic_until, cfg.data.max_pixels)
    batches = EpochBatches(len(records), cfg.data.batch_size, cfg.run.seed)
    workers = worker_count(cfg.data.workers, len(records), cfg.data.batch_size)
    return make_loader(samples, batches, workers, pin), batches


def eval_loader(
    records: Sequence[Record], cfg: DataConfig, stride: int, batch_size: int, pin: bool
) -> DataLoader[Batch]:
    """Letterboxed batches of every picture once."""
    samples = EvalSamples(records, cfg.imgsz, stride, cfg.max_pixels)
    workers = worker_count(cfg.workers, len(records), batch_size)
    return make_loader(samples, ShapeBatches(samples.shapes, batch_size), workers, pin)


def read_splits(cfg: Config) -> tuple[RecordSet, RecordSet]:
    """Training and validation records; notices and the books are said aloud."""
    if not cfg.data.data:
        raise ConfigError("--data: give a data YAML, or try python train.py --demo")
    description, notices = read_description(cfg.data.data, root=cfg.data.root)
    for notice in notices:
        LOG.info(notice)
    if cfg.data.single_cls:
        description = description.single_class()
    policy = ReadPolicy(
        bad_data=cfg.data.bad_data,
        drop_duplicates=True,
        allow_empty=cfg.data.allow_empty,
        max_pixels=cfg.data.max_pixels,
    )
    train = read_records(description, "train", policy)
    val = read_records(description, "val", replace(policy, bad_data="error", drop_duplicates=False))
    for line in (*train.books.lines(), *val.books.lines()):
        LOG.info(line)
    return train, val
