"""Configuration -> records of the splits -> scenes -> samples -> loaders."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from data.augment.scene import SceneSource
from data.augment.transforms import eval_shapes
from data.batches.epoch_plan import EpochPlan
from data.batches.few_pictures import draw_pictures
from data.batches.looking import Looking
from data.batches.phrases import PhraseDraw
from data.batches.sampler import EpochBatches, ShapeBatches, Shapes
from data.batches.samples import EvalSamples, TrainSamples
from data.batches.watched_loader import WatchedLoader
from data.checks.boxes import lost_boxes
from data.checks.start import said_once
from data.index.fingerprint import fingerprint
from data.index.flat_truth import flatten
from data.index.union import open_data
from data.scenes.cached_pictures import open_pictures
from data.scenes.record_scenes import RecordScenes
from data.scenes.world_scenes import WorldScenes
from data.sets.data_folders import keep_results_out, keep_resumed_out
from data.sets.split_reading import ReadPolicy, RecordSet
from data.tiles.tile_size import with_tile
from utils.config.config import Config, DataConfig
from utils.console.log import LOG
from utils.files.runs import planned_run
from utils.processes.distributed import ALONE, World
from utils.processes.worker_room import Crew, Room, crew_for
from utils.values.batch import Batch
from utils.values.channels import RGB_CHANNELS, Channels
from utils.values.class_counts import ClassCounts
from utils.values.record import Record
from utils.values.split_fingerprint import SplitFingerprint
from utils.values.unknown_defect import PRESENCE
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, DataError
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary


class Splits(NamedTuple):
    """What a training reads: the records to learn from, and those to evaluate on."""

    train: RecordSet
    val: RecordSet

    def train_vocabulary(self, as_defect: bool) -> Vocabulary:
        """What the classes to learn are called, and what else is said of them in training; `as_defect`: also that they
        are defects. Raises ConfigError where one of several classes is called so.
        """
        wordings = self.train.world.wordings if self.train.world else ()
        said = dict.fromkeys(text for one in wordings for row in one.texts for text in row)
        if as_defect:
            called = {name_key(name) for row in self.train.synonyms for name in row}
            if PRESENCE in called and len(self.train.names) > 1:
                raise ConfigError(f"data.as_defect: a class is called {PRESENCE} already; rename it, or leave this out")
            said[PRESENCE] = None
        return replace(Vocabulary.from_lists(self.train.synonyms), further=tuple(said))

    def val_vocabulary(self) -> Vocabulary:
        """What the classes to find are called."""
        return Vocabulary.from_lists(self.val.synonyms)

    def box_sizes(self, data: DataConfig) -> np.ndarray:
        """(N, 2): width and height of the training boxes, px of the network input."""
        return flatten(self.train.records).input_sizes(data.imgsz, data.tile)

    def samples(self, data: DataConfig) -> int:
        """Of which an epoch is made: pictures, or tiles of them, as often as --repeat and --balance say."""
        once = not data.tile and data.repeat == 1 and data.balance == "none"
        return self.train.pictures if once else EpochPlan.of(self.train.records, data).samples

    def counts(self) -> tuple[ClassCounts, ClassCounts]:
        """Pictures and boxes of both."""
        train, val = (flatten(split.records).class_counts(split.names) for split in self)
        return train, val

    def trained(self) -> dict[str, int]:
        """In how many training pictures the class of each name_key is shown, in the order of the names. Nothing of a
        world, of which only the first pictures are known.
        """
        if self.train.world:
            return {}
        counts = flatten(self.train.records).class_counts(self.train.names)
        return dict(zip(map(name_key, counts.names), counts.shown, strict=True))

    def fingerprint(self) -> dict[str, SplitFingerprint]:
        """What each split is known by."""
        return {name: fingerprint(split) for name, split in self._asdict().items()}

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

    train: WatchedLoader
    sampler: EpochBatches
    val: WatchedLoader
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
    drawn = splits.train.world
    wordings = drawn.wordings if drawn and vocabulary else ()
    train, sampler = split_loader(splits.train, cfg, stride, pin, world, coded=bool(wordings))
    batch_size = max(2 * cfg.data.batch_size // world.size, 1)  # without gradients twice as many fit
    val = eval_loader(splits.val.records, cfg.data, stride, batch_size, pin, splits.val.channels, world)
    phrases = PhraseDraw(vocabulary, cfg.run.seed, wordings, cfg.data.as_defect) if vocabulary else None
    return Loaders(train, sampler, val, phrases)


def steps_per_epoch(splits: Splits, cfg: Config, stride: int) -> int:
    """How many training batches make an epoch, without caching a picture."""
    without_cache = replace(cfg, data=replace(cfg.data, cache="none"))
    loader, _ = split_loader(splits.train, without_cache, stride, pin=False)
    return len(loader)


def lone_picture(splits: Splits, cfg: Config, stride: int, world: World) -> tuple[tuple[int, int], str] | None:
    """The smallest (height, width) of a training batch in which a process has one picture, and how that comes about;
    None when there is no such batch.
    """
    data, plan = cfg.data, EpochPlan.of(splits.train.records, cfg.data)
    samples = splits.train.pictures if splits.train.world else plan.samples
    first, last = min(data.batch_size, samples), samples % data.batch_size
    small = [count for count in (first, last) if 0 < count < 2 * world.size]
    if not small:
        return None
    shared = f" for {world.size} processes" if world.size > 1 else ""
    what = counted(samples, "sample" if plan.asked else "tile" if data.tile else "picture")
    why = f"--batch-size {data.batch_size}: {what} make a batch of {small[0]}{shared}"
    size = min(Shapes(data.imgsz, stride, data.multi_scale).sizes)
    if not data.rect:
        return (size, size), why
    each = eval_shapes(plan.sizes, size, stride)
    height, width = each[each.prod(1).argmin()].tolist()
    return (height, width), why


def split_loader(
    train: RecordSet, cfg: Config, stride: int, pin: bool, world: World = ALONE, coded: bool = False
) -> tuple[WatchedLoader, EpochBatches]:
    """See train_loader; of pictures that are drawn when they are needed, too. Their labels are `coded` for a PhraseDraw
    that knows the wordings of their world.
    """
    if train.world is None:
        return train_loader(train.records, cfg, stride, pin, train.channels, world)
    return _augmented(WorldScenes(train.world, coded), None, train.path_of, cfg, stride, pin, world)


def train_loader(
    records: Sequence[Record],
    cfg: Config,
    stride: int,
    pin: bool,
    channels: Channels = RGB_CHANNELS,
    world: World = ALONE,
) -> tuple[WatchedLoader, EpochBatches]:
    """Augmented batches, and the sampler whose `set_epoch` must be called before each pass; of several processes each
    has its part of every batch.
    """
    data, plan = cfg.data, EpochPlan.of(records, cfg.data)
    for line in plan.lines("train"):
        LOG.info(line)
    pictures = RecordScenes(open_pictures(records, data.max_pixels, data.cache, channels))
    return _augmented(pictures, plan, lambda index: records[index].path, cfg, stride, pin, world)


def _augmented(
    pictures: SceneSource,
    plan: EpochPlan | None,
    path_of: Callable[[int], Path],
    cfg: Config,
    stride: int,
    pin: bool,
    world: World,
) -> tuple[WatchedLoader, EpochBatches]:
    """See train_loader; without a `plan` every picture comes once."""
    data, seed = cfg.data, cfg.run.seed
    scenes = plan.scenes(pictures, data.tile_min_visible) if plan else pictures
    balance, neighbours = (plan.balance, plan.neighbours(pictures)) if plan else (None, None)
    augment = replace(cfg.augment, mosaic=0.0) if data.rect else cfg.augment
    compose_until = cfg.schedule.epochs - cfg.schedule.close_mosaic
    samples = TrainSamples(scenes, augment, seed, compose_until, balance)
    shapes = Shapes(data.imgsz, stride, data.multi_scale, scenes.sizes if data.rect else None)
    batches = EpochBatches(len(scenes), data.batch_size, seed, shapes, balance, world.part, neighbours)
    picture = max(shapes.sizes) ** 2 * scenes.channels.bytes_per_pixel
    crew = _crew("training", data, batches.samples, data.batch_size, picture * -(-data.batch_size // world.size), world)

    def named(index: int) -> Path:
        return path_of(scenes.picture(index))

    return WatchedLoader(samples, batches, crew, pin, world.timeout / 2, named), batches


def eval_loader(
    records: Sequence[Record],
    cfg: DataConfig,
    stride: int,
    batch_size: int,
    pin: bool,
    channels: Channels = RGB_CHANNELS,
    world: World = ALONE,
    strict: bool = False,
    augment: bool = False,
) -> WatchedLoader:
    """Letterboxed batches of every view of every picture once (`augment`: also mirrored and enlarged), of several
    processes each with its own. A picture that cannot be read is left out of its batches, which say so; with `strict`
    it is a DataError.
    """
    scenes = RecordScenes(open_pictures(records, cfg.max_pixels, cfg.cache, channels))
    looking = Looking.of(cfg, stride, augment)
    samples = EvalSamples(scenes, looking, strict)
    for line in looking.words():
        LOG.info("evaluation: %s: %s make %s", line, counted(len(records), "picture"), counted(len(samples), "input"))
    apart = None if looking.single else samples.pictures
    batches = ShapeBatches(samples.shapes, batch_size, world.rank, world.size, apart)
    picture = int(samples.shapes.prod(1).max(initial=0)) * channels.bytes_per_pixel
    crew = _crew("evaluation", cfg, len(samples), batch_size, picture * batch_size, world)
    return WatchedLoader(samples, batches, crew, pin, world.timeout / 2, lambda index: records[index].path)


def _crew(use: str, cfg: DataConfig, pictures: int, batch_size: int, batch_bytes: int, world: World) -> Crew:
    """The loader processes of a split that there is room for on this machine, which `world`'s processes share."""
    wanted = _worker_count(cfg.workers, pictures, batch_size, world.local_size)
    crew, words = crew_for(wanted, batch_bytes, Room.here().shared_by(world.local_size) if wanted else Room())
    if words:
        LOG.warning("%s: %s", use, words)
    return crew


def _worker_count(wanted: int, pictures: int, batch_size: int, ranks: int = 1) -> int:
    """`wanted` loader processes for each of `ranks` on this machine; -1: the cores shared out, at most 8. Never more
    than there are batches.
    """
    count = max(min(8, (os.cpu_count() or 1) // ranks), 1) if wanted < 0 else wanted
    return min(count, -(-pictures // batch_size))


def read_split(cfg: DataConfig, split: str, run: Path | None = None) -> RecordSet:
    """The records to evaluate on; logs the notices. `run`: the folder for results, refused among the data.

    Raises ConfigError and DataError.
    """
    if not cfg.data:
        raise ConfigError("--data: the checkpoint names no data; give a data YAML")
    source, notices = open_data(cfg, require=(split,))
    if run is not None:
        keep_results_out(run, source.members)
    for notice in notices:
        LOG.info(notice)
    truth = source.read(split, replace(_policy(cfg), drop_duplicates=False), cfg.index)
    return said_once({split: truth}, source)[split]


def _policy(cfg: DataConfig) -> ReadPolicy:
    return ReadPolicy(
        bad_data=cfg.bad_data, drop_duplicates=True, allow_empty=cfg.allow_empty, max_pixels=cfg.max_pixels
    )


def read_splits(cfg: Config, resumed: Path | None = None) -> Splits:
    """Training and validation records; logs the notices and the data reports. The run's folder, which is `resumed` if
    it exists already, is refused among the data. Raises ConfigError and DataError.
    """
    if not cfg.data.data:
        raise ConfigError("--data: give a data YAML, or try python train.py --demo")
    source, notices = open_data(cfg.data)
    if resumed is not None:
        keep_resumed_out(resumed, source.members)
    else:
        keep_results_out(planned_run(cfg.run.project, cfg.run.name, cfg.run.exist_ok), source.members)
    for notice in notices:
        LOG.info(notice)
    policy = _policy(cfg.data)
    train = source.read("train", policy, cfg.data.index)
    val = source.read("val", replace(policy, bad_data="error", drop_duplicates=False), cfg.data.index)
    for line in (*train.data_report.lines(), *val.data_report.lines()):
        LOG.info(line)
    if train.world:
        _check_drawn(cfg.data)
    if cfg.data.pictures:
        chosen = draw_pictures(train.records, cfg.data.pictures, cfg.run.seed)
        LOG.info("data.pictures: %d of %s", len(chosen), counted(len(train.records), "training picture"))
        train = replace(train, records=tuple(train.records[place] for place in chosen))
    cfg = with_tile(cfg, train.records)
    sizes = flatten(train.records).input_sizes(cfg.data.imgsz, cfg.data.tile)
    lost = tuple(lost_boxes("train", sizes, cfg.data.imgsz, cfg.augment.min_box_px))
    for finding in lost:
        if finding.count == len(sizes):
            raise DataError(str(finding))
    return Splits(**said_once({"train": train.with_findings(lost), "val": val}))


def _check_drawn(cfg: DataConfig) -> None:
    """Raise ConfigError for what asks for pictures before they are drawn."""
    whole = "write it first (python -m data.world), or leave this out"
    if cfg.tile:
        raise ConfigError(f"--tile: a world's pictures are as large as its 'size' says; {whole}")
    if cfg.balance != "none":
        raise ConfigError(f"--balance: what a world's pictures show is not known before they are drawn; {whole}")
    if cfg.repeat > 1:
        raise ConfigError("--repeat: a world draws as many different pictures as its 'count' says; raise that")
    if cfg.pictures:
        raise ConfigError("data.pictures: a world has as many as its 'count' says; change that")
    if cfg.cache != "none":
        raise ConfigError(f"--cache {cfg.cache}: a world's pictures are drawn when they are needed; {whole}")
