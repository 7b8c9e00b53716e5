"""Configuration -> records -> loaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch.utils.data import DataLoader

from data.balance import Balance
from data.dataset import EvalSamples, TrainSamples
from data.description import read_description
from data.loader import make_loader, worker_count
from data.pictures import RGB_CHANNELS, open_pictures
from data.records import ReadPolicy, RecordSet, read_records
from data.sampler import EpochBatches, ShapeBatches, Shapes
from utils.channels import Channels
from utils.config import Config, DataConfig
from utils.errors import ConfigError
from utils.log import LOG
from utils.structures import Batch, Record


def train_loader(
    records: Sequence[Record], cfg: Config, stride: int, pin: bool, channels: Channels = RGB_CHANNELS
) -> tuple[DataLoader[Batch], EpochBatches]:
    """Augmented batches, and the sampler whose `set_epoch` must be called before each pass."""
    data, seed = cfg.data, cfg.run.seed
    balance = Balance.of(records, data.balance_threshold) if data.balance == "repeat" else None
    if balance:
        LOG.info("--balance: %d pictures make %d samples in every epoch", len(records), balance.samples)
    augment = replace(cfg.augment, mosaic=0.0) if data.rect else cfg.augment
    pictures = open_pictures(records, data.max_pixels, data.cache, channels)
    compose_until = cfg.schedule.epochs - cfg.schedule.close_mosaic
    samples = TrainSamples(pictures, augment, seed, compose_until, balance)
    sizes = [record.size for record in records] if data.rect else None
    shapes = Shapes(data.imgsz, stride, data.multi_scale, sizes)
    batches = EpochBatches(len(records), data.batch_size, seed, shapes, balance)
    workers = worker_count(data.workers, len(records), data.batch_size)
    return make_loader(samples, batches, workers, pin), batches


def eval_loader(
    records: Sequence[Record],
    cfg: DataConfig,
    stride: int,
    batch_size: int,
    pin: bool,
    channels: Channels = RGB_CHANNELS,
) -> DataLoader[Batch]:
    """Letterboxed batches of every picture once."""
    samples = EvalSamples(open_pictures(records, cfg.max_pixels, cfg.cache, channels), cfg.imgsz, stride)
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
