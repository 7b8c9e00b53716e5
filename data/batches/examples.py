"""A small labelled set that shows a network what to look for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.augment.transforms import whole_cells
from data.batches.build import eval_loader
from data.index.flat_truth import flatten
from data.index.union import open_data
from data.sets.split_reading import ReadPolicy, RecordSet
from utils.config.config import DataConfig
from utils.console.log import LOG
from utils.values.batch import Batch
from utils.values.channels import Channels
from utils.words.errors import DataError, printable
from utils.words.text import counted

SEEN_PX = 8  # the least size of an example at which a network of stride 8 sees more than a spot
AT_ONCE = 8  # pictures


@dataclass(frozen=True, eq=False)
class Examples:
    """`batches` of the pictures `paths`, whose labels are numbers of `names`; of some of these there may be no box."""

    names: tuple[str, ...]
    batches: Iterable[Batch]
    paths: frozenset[Path]

    def words_about(self, truth: RecordSet) -> str:
        """What to say where pictures that are to be evaluated are among the examples; empty where none is."""
        count = sum(record.path in self.paths for record in truth.records)
        pictures = counted(len(truth.records), "picture")
        return f"--examples: shows {count:,} of the {pictures} that are evaluated: scores are too high" if count else ""


def read_examples(source: str, needed: Channels, where: str, imgsz: int, stride: int) -> Examples:
    """The training pictures of the set `source`, or those of its only split, for a network of `needed` planes and
    `stride` px which `where` names. Raises UserError, among them DataError for a set without boxes.
    """
    data, notices = open_data(DataConfig(data=source), require=())
    splits = data.members[0].splits
    split = "train" if "train" in splits else next(iter(splits))
    policy = ReadPolicy(bad_data="error", drop_duplicates=True, allow_empty=True)
    truth = data.read(split, policy).serving(needed, where, source)
    for line in (*notices, *truth.data_report.lines()):
        LOG.info(line)
    cfg = DataConfig(imgsz=whole_cells(imgsz, stride), workers=0)
    _say_what_is_hard_to_see(source, truth, cfg.imgsz)
    batches = eval_loader(truth.records, cfg, stride, AT_ONCE, False, truth.channels, strict=True)
    return Examples(truth.names, batches, frozenset(record.path for record in truth.records))


def _say_what_is_hard_to_see(source: str, truth: RecordSet, imgsz: int) -> None:
    flat = flatten(truth.records)
    labels, sizes = flat.labels[~flat.crowd], flat.input_sizes(imgsz).max(1)
    if not len(labels):
        raise DataError(f"--examples {printable(source)}: shows no boxes; label what is to be found")
    largest = np.zeros(len(truth.names))
    np.maximum.at(largest, labels, sizes)
    for name, size in zip(truth.names, largest, strict=True):
        if not size:
            LOG.info("--examples: shows no %s", printable(name))
        elif size < SEEN_PX:
            LOG.warning("--examples: %s is %.0f px at most at --img %d: hardly seen", printable(name), size, imgsz)
