"""Configuration + records -> loaders."""

from __future__ import annotations

from collections.abc import Sequence

from torch.utils.data import DataLoader

from data.dataset import EvalSamples, TrainSamples
from data.loader import make_loader, worker_count
from data.sampler import EpochBatches, ShapeBatches
from utils.config import Config, DataConfig
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
