"""Configuration -> records of the splits -> scenes -> samples -> loaders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from data.batches.advice import check_boxes
from data.batches.cached_pictures import open_pictures
from data.batches.class_balance import Balance
from data.batches.collate import collate
from data.batches.phrases import PhraseDraw
from data.batches.record_scenes import RecordScenes
from data.batches.sampler import EpochBatches, ShapeBatches, Shapes
from data.batches.samples import EvalSamples, TrainSamples
from data.index.flat_truth import flatten
from data.index.union import open_data
from data.sets.split_reading import ReadPolicy, RecordSet
from utils.config.config import Config, DataConfig
from utils.console.log import LOG
from utils.processes.distributed import ALONE, World
from utils.values.batch import Batch
from utils.values.channels import RGB_CHANNELS, Channels
from utils.values.record import Record
from utils.words.errors import ConfigError
from utils.words.vocabulary import Vocabulary


class Splits(NamedTuple):
    """What a training reads: the records to learn from, and those to evaluate on."""

    train: RecordSet
    val: RecordSet

    def train_vocabulary(self) -> Vocabulary:
        """What the classes to learn are called."""
        return Vocabulary.from_lists(self.train.synonyms)

    def val_vocabulary(self) -> Vocabulary:
        """What the classes to find are called."""
        return Vocabulary.from_lists(self.val.synonyms)

    def box_sizes(self, imgsz: int) -> np.ndarray:
        """(N, 2): width and height of the training boxes, px in pictures whose longest side is `imgsz`."""
        return flatten(self.train.records).input_sizes(imgsz)

    def report(self) -> dict[str, Any]:
        """What data_report.json says."""
        return {name: split.data_report.plain() for name, split in self._asdict().items()}

    def serving(self, channels: Channels, where: str, source: str, reads_text: bool) -> Splits:
        """The splits as a network of `channels` needs them, see RecordSet.serving; `where` names it, `source` the data.

        Raises ConfigError for other classes in validation, which only a network that `reads_text` can look for.
        """
        train, val = (split.serving(channels, where, source) for split in self)
        if not reads_text and train.names != val.names:
            raise ConfigError(
                f"validation has other classes ({', '.join(val.names[:3])}, ...) than training; "
                "that needs a model with text, such as --cfg rtvpnet-s.yaml"
            )
        return Splits(train, val)


@dataclass(frozen=True, eq=False)
class Loaders:
    """The loaders of a training: augmented batches in the order of `sampler`, and validation batches.

    `sampler.set_epoch` comes before each pass. `phrases` says which phrases a training batch is compared with; None for
    a network that reads no text.
    """

    train: DataLoader[Batch]
    sampler: EpochBatches
    val: DataLoader[Batch]
    phrases: PhraseDraw | None

    def first_batch(self, epoch: int) -> Batch:
        """The training batch that `epoch` begins with."""
        self.sampler.set_epoch(epoch)
        return next(iter(self.train))


def new_loaders(
    splits: Splits, cfg: Config, stride: int, device: torch.device, world: World, vocabulary: Vocabulary | None
) -> Loaders:
    """The loaders for a network of `stride` px on `device`, which reads the phrases of `vocabulary` if there is one."""
    pin = device.type == "cuda"
    train, sampler = train_loader(splits.train.records, cfg, stride, pin, splits.train.channels, world)
    batch_size = max(2 * cfg.data.batch_size // world.size, 1)  # without gradients twice as many fit
    val = eval_loader(splits.val.records, cfg.data, stride, batch_size, pin, splits.val.channels, world)
    return Loaders(train, sampler, val, PhraseDraw(vocabulary, cfg.run.seed) if vocabulary else None)


def steps_per_epoch(splits: Splits, cfg: Config, stride: int) -> int:
    """How many training batches make an epoch, without caching a picture."""
    without_cache = replace(cfg, data=replace(cfg.data, cache="none"))
    loader, _ = train_loader(splits.train.records, without_cache, stride, pin=False, channels=splits.train.channels)
    return len(loader)


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
    scenes = RecordScenes(open_pictures(records, data.max_pixels, data.cache, channels))
    compose_until = cfg.schedule.epochs - cfg.schedule.close_mosaic
    samples = TrainSamples(scenes, augment, seed, compose_until, balance)
    shapes = Shapes(data.imgsz, stride, data.multi_scale, scenes.sizes if data.rect else None)
    batches = EpochBatches(len(records), data.batch_size, seed, shapes, balance, world.part)
    workers = _worker_count(data.workers, len(records), data.batch_size, world.local_size)
    return _make_loader(samples, batches, workers, pin), batches


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
    scenes = RecordScenes(open_pictures(records, cfg.max_pixels, cfg.cache, channels))
    samples = EvalSamples(scenes, cfg.imgsz, stride)
    workers = _worker_count(cfg.workers, len(records), batch_size, world.local_size)
    return _make_loader(samples, ShapeBatches(samples.shapes, batch_size, world.rank, world.size), workers, pin)


def _worker_count(wanted: int, pictures: int, batch_size: int, ranks: int = 1) -> int:
    """`wanted` loader processes for each of `ranks` on this machine; -1: the cores shared out, at most 8. Never more
    than there are batches.
    """
    count = max(min(8, (os.cpu_count() or 1) // ranks), 1) if wanted < 0 else wanted
    return min(count, -(-pictures // batch_size))


def _make_loader(samples: Dataset[Any], batches: Sampler[Any], workers: int, pin: bool) -> DataLoader[Batch]:
    """A loader whose workers stay alive over epochs and use one thread each."""
    return DataLoader(
        samples,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pin,
        worker_init_fn=_start_worker,
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers > 0 else None,
        generator=torch.Generator(),  # the loader's draws leave the state that checkpoints keep alone
    )


def _start_worker(_: int) -> None:
    """One thread, and out of reach of signals to the whole group: the main process ends its workers when it is done."""
    os.setpgrp()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def read_split(cfg: DataConfig, split: str) -> RecordSet:
    """The records to evaluate on; logs the notices. Raises ConfigError and DataError."""
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


def read_splits(cfg: Config) -> Splits:
    """Training and validation records; logs the notices and the data reports. Raises ConfigError and DataError."""
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
    check_boxes(cfg, train.records)
    return Splits(train, val)
