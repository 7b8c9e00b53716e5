"""The truth of many Records as a few arrays: what is counted over a whole data set never makes a Record for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.index.record_index import RecordIndex
from data.index.record_sequence import MergedRecords, relabelled
from utils.values.class_counts import ClassCounts
from utils.values.record import EVERY_CLASS, Record

GOOD = -1  # stands for the class of a picture without a defect


@dataclass(frozen=True, eq=False)
class FlatTruth:
    """`sizes` (P, 2) int32 height and width px and `counts` (P,) int64 rows of each picture; all rows one after the
    other: `boxes` (N, 4) float32 xyxy fractions, `labels` (N,) of whole numbers, `crowd` (N,) bool.
    """

    sizes: np.ndarray
    counts: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray

    @property
    def pictures(self) -> np.ndarray:
        """(N,) int32: the picture of each row."""
        return np.repeat(np.arange(len(self.counts), dtype=np.int32), self.counts)

    def class_counts(self, names: tuple[str, ...]) -> ClassCounts:
        """Pictures and boxes of each of the classes `names`."""
        kept, classes = ~self.crowd, len(names)
        labels, picture = self.labels[kept].astype(np.int64), self.pictures[kept].astype(np.int64)
        boxes = np.bincount(labels, minlength=classes)
        shown = np.bincount(np.unique(picture * classes + labels) % classes, minlength=classes)
        bad = np.unique(self.pictures[self.labels != EVERY_CLASS])
        pictures = len(self.counts)
        return ClassCounts(names, pictures, pictures - len(bad), tuple(boxes.tolist()), tuple(shown.tolist()))

    def rarest_classes(self) -> np.ndarray:
        """(P,) of each picture the class that is in the fewest pictures among those it shows, else GOOD."""
        rows = np.flatnonzero(~self.crowd)
        shown = np.stack((self.pictures[rows].astype(np.int64), self.labels[rows].astype(np.int64)))
        pictures, labels = np.unique(shown, axis=1)
        counts = np.bincount(labels)
        order = np.lexsort((labels, counts[labels]))[::-1]  # the rarest last, so that it is what stays
        rarest = np.full(len(self.counts), GOOD)
        rarest[pictures[order]] = labels[order]
        return rarest

    def to_learn(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n, 4) float32 xyxy px of their pictures, (n,) labels and (n,) pictures of the boxes to learn (not crowd)."""
        rows = np.flatnonzero(~self.crowd)
        pictures = self.pictures[rows]
        boxes = self.boxes[rows] * np.tile(self.sizes[pictures][:, ::-1], 2).astype(np.float32)
        return boxes, self.labels[rows], pictures

    def input_sizes(self, imgsz: int, tile: int = 0) -> np.ndarray:
        """(n, 2) float32: `Record.input_sizes` of all pictures one after the other; with a `tile` (px) of inputs that
        show so much of a picture.
        """
        boxes, _, pictures = self.to_learn()
        sides = self.sizes[pictures].max(1)
        scale = (imgsz / (np.minimum(sides, tile) if tile else sides)).astype(np.float32)
        return (boxes[:, 2:] - boxes[:, :2]) * scale[:, None]


def flatten(records: Sequence[Record]) -> FlatTruth:
    """The arrays of an index as they are mapped; of other Records they are put together."""
    if isinstance(records, RecordIndex):
        return FlatTruth(records.sizes, records.box_counts, records.boxes, records.labels, records.crowd)
    if isinstance(records, MergedRecords):
        return _merged(records)
    columns = [[getattr(record, name) for record in records] for name in ("boxes", "labels", "crowd")]
    empty = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)
    boxes, labels, crowd = (np.concatenate([e, *c]) for e, c in zip(empty, columns, strict=True))
    sizes = np.array([record.size for record in records], np.int32).reshape(-1, 2)
    return FlatTruth(sizes, np.array([len(one) for one in columns[1]], np.int64), boxes, labels, crowd)


def picture_paths(records: Sequence[Record]) -> list[str]:
    """The path of every picture."""
    if isinstance(records, RecordIndex):
        return [os.fsdecode(path) for path in records.paths()]
    if isinstance(records, MergedRecords):
        return [path for member in records.members for path in picture_paths(member)]
    return [os.fspath(record.path) for record in records]


def _merged(records: MergedRecords) -> FlatTruth:
    parts = [flatten(member) for member in records.members]
    tables = [table.astype(np.int32) for table in records.tables]
    return FlatTruth(
        sizes=np.concatenate([part.sizes for part in parts]),
        counts=np.concatenate([part.counts for part in parts]),
        boxes=np.concatenate([part.boxes for part in parts]),
        labels=np.concatenate([relabelled(p.labels, t) for p, t in zip(parts, tables, strict=True)]),
        crowd=np.concatenate([part.crowd for part in parts]),
    )
