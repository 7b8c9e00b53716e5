"""What a user should know before training: options that cannot act as they are set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data.augment.mosaic import REACH
from data.augment.transforms import tilt_limit
from data.batches.class_balance import Balance
from data.index.flat_truth import FlatTruth, flatten
from utils.config.config import Config
from utils.values.record import Record
from utils.words.text import counted


def advice(cfg: Config, records: Sequence[Record], stride: int) -> list[str]:
    """A sentence for each option that does not act, or not fully, on these training pictures."""
    flat = flatten(records)
    classes = len(np.unique(flat.labels[~flat.crowd]))
    return [*_composing(cfg), *_classes(cfg, records, classes), *_sizes(cfg, stride), *_boxes(flat)]


def _boxes(flat: FlatTruth) -> Iterator[str]:
    if flat.crowd.all():
        ignored = counted(len(flat.labels), "ignored region")
        yield f"there are no boxes to learn from{f', only {ignored}' if len(flat.labels) else ''}"


def _composing(cfg: Config) -> Iterator[str]:
    augment, schedule = cfg.augment, cfg.schedule
    chances = {"mosaic": augment.mosaic, "mixup": augment.mixup, "copy-paste": augment.copy_paste}
    if cfg.data.rect:
        if chances.pop("mosaic"):  # removed, so that the advice below does not name it again
            yield "--rect: mosaic is off, it needs square pictures"
    used = [name for name, chance in chances.items() if chance]
    if used and schedule.close_mosaic >= schedule.epochs:
        last = f"the last {schedule.close_mosaic} of {counted(schedule.epochs, 'epoch')} go"
        yield f"--close-mosaic: {last} without {', '.join(used)}: never on; lower it"


def _classes(cfg: Config, records: Sequence[Record], classes: int) -> Iterator[str]:
    if cfg.anchor_loss.label_smoothing and classes <= 1:
        yield "--label-smoothing: with one class there are no others to smooth towards"
    if cfg.data.balance == "none":
        return
    if classes <= 1:
        yield "--balance: with one class there is nothing to balance"
    elif Balance.of(records, cfg.data.balance_threshold).samples == len(records):
        yield "--balance: no class is rare enough for its pictures to be repeated; raise data.balance_threshold"


def _sizes(cfg: Config, stride: int) -> Iterator[str]:
    # Sizes go up to 1.5 imgsz: below two strides there is only one multiple to choose.
    if cfg.data.multi_scale and 1.5 * cfg.data.imgsz < 2 * stride:
        yield f"--multi-scale: {cfg.data.imgsz} px has no other multiple of {stride} near it"
    size, wanted = cfg.data.imgsz, cfg.augment.perspective
    mosaic = cfg.augment.mosaic and not cfg.data.rect
    canvas, reach = (2 * size, REACH) if mosaic else (size, 0.5)
    limit = tilt_limit(wanted, (canvas, canvas), reach)
    if limit < wanted:
        yield f"augment.perspective: {limit:.2g} is the most at {size} px{' with mosaic' if mosaic else ''}"
