"""Configuration -> records -> loaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch.utils.data import DataLoader

from data.batches.balance import Balance
from data.batches.cached_pictures import open_pictures
from data.batches.loader import make_loader, worker_count
from data.batches.sampler import EpochBatches, ShapeBatches, Shapes
from data.batches.samples import EvalSamples, TrainSamples
from data.index.flat_truth import flatten
from data.index.union import open_data
from data.sets.split_reading import ReadPolicy, RecordSet
from utils.config.config import Config, DataConfig
from utils.console.log import LOG
from utils.processes.dist import ALONE, World
from utils.values.batch import Batch
from utils.values.channels import RGB_CHANNELS, Channels
from utils.values.record import Record
from utils.words.errors import ConfigError


def train_loader(
    records: Sequence[Record],
    cfg: Config,
    stride: int,
    pin: bool,
    channels: Channels = RGB_CHANNELS,
    world: World = ALONE,
) -> tuple[DataLoader[Batch], EpochBatches]:
    """Augmented batches, and the sampler whose `set_epoch` must be called before each pass; of several processes each
    has its part of every batch.
    """
    data, seed = cfg.data, cfg.run.seed
    balance = Balance.of(records, data.balance_threshold) if data.balance == "repeat" else None
    if balance:
        LOG.info("--balance: %d pictures make %d samples in every epoch", len(records), balance.samples)
    augment = replace(cfg.augment, mosaic=0.0) if data.rect else cfg.augment
    pictures = open_pictures(records, data.max_pixels, data.cache, channels)
    compose_until = cfg.schedule.epochs - cfg.schedule.close_mosaic
    samples = TrainSamples(pictures, augment, seed, compose_until, balance)
    sizes = flatten(records).sizes if data.rect else None
    shapes = Shapes(data.imgsz, stride, data.multi_scale, sizes)
    batches = EpochBatches(len(records), data.batch_size, seed, shapes, balance, world.part)
    workers = worker_count(data.workers, len(records), data.batch_size, world.local_size)
    return make_loader(samples, batches, workers, pin), batches


def eval_loader(
    records: Sequence[Record],
    cfg: DataConfig,
    stride: int,
    batch_size: int,
    pin: bool,
    channels: Channels = RGB_CHANNELS,
    world: World = ALONE,
) -> DataLoader[Batch]:
    """Letterboxed batches of every picture once, of several processes each with its own batches."""
    samples = EvalSamples(open_pictures(records, cfg.max_pixels, cfg.cache, channels), cfg.imgsz, stride)
    workers = worker_count(cfg.workers, len(records), batch_size, world.local_size)
    return make_loader(samples, ShapeBatches(samples.shapes, batch_size, world.rank, world.size), workers, pin)


def read_split(cfg: DataConfig, split: str) -> RecordSet:
    """The records to evaluate on; notices are said aloud."""
    if not cfg.data:
        raise ConfigError("--data: the checkpoint names no data; give a data YAML")
    source, notices = open_data(cfg, require=(split,))
    for notice in notices:
        LOG.info(notice)
    return source.read(split, replace(_policy(cfg), drop_duplicates=False), cfg.index)


def _policy(cfg: DataConfig) -> ReadPolicy:
    return ReadPolicy(
        bad_data=cfg.bad_data, drop_duplicates=True, allow_empty=cfg.allow_empty, max_pixels=cfg.max_pixels
    )


def read_splits(cfg: Config) -> tuple[RecordSet, RecordSet]:
    """Training and validation records; notices and the data reports are said aloud."""
    if not cfg.data.data:
        raise ConfigError("--data: give a data YAML, or try python train.py --demo")
    source, notices = open_data(cfg.data)
    for notice in notices:
        LOG.info(notice)
    policy = _policy(cfg.data)
    train = source.read("train", policy, cfg.data.index)
    val = source.read("val", replace(policy, bad_data="error", drop_duplicates=False), cfg.data.index)
    for line in (*train.data_report.lines(), *val.data_report.lines()):
        LOG.info(line)
    return train, val
