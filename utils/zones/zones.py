"""Where in a picture defects count: what lies elsewhere is neither a hit, nor missed, nor a false alarm.

A box counts where it has its centre (a) in a zone to look in, if there are such for its class, and (b) in no zone to
leave out. With `counts: touch` a box counts if some part of it lies there: it is asked of its centre and of the middles
of 16 x 16 fields of it, so that a part of a few percent may go unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record
from utils.values.zones_identity import ZonesIdentity
from utils.words.errors import DataError, printable
from utils.words.text import counted
from utils.zones.polygons import Polygons

Counts = Literal["centre", "touch"]
FIELDS = 16  # of a box, along each side
BLOCK = 100  # boxes whose fields are looked at in one go, so that memory stays flat
ASPECT = 0.01  # by which the shape of a picture may differ
DIGITS = 3  # of px in predictions.json: whoever reads that file decides as we do


@dataclass(frozen=True, eq=False)
class Zone:
    """A polygon with the corners (C, 2) float64 x, y, `inside` which alone (use: in) or in which nothing (use: out)
    counts, for the classes `labels`; None: for every class.
    """

    name: str
    inside: bool
    corners: np.ndarray
    labels: frozenset[int] | None = None

    def concerns(self, label: int) -> bool:
        """Whether it is a zone of this class."""
        return self.labels is None or label in self.labels


@dataclass(frozen=True, eq=False)
class Zones:
    """At least one zone. `size` (width, height) px of the picture that corners are measured in; None: they are parts of
    the picture, 0..1. `counts`: where a box has to lie, see above.
    """

    zones: tuple[Zone, ...]
    identity: ZonesIdentity
    size: tuple[int, int] | None = None
    counts: Counts = "centre"

    def misfit(self, size: tuple[int, int]) -> str:
        """Why zones cannot be laid over a picture of `size` (height, width) px; "" where they can."""
        if self.size is None:
            return ""
        (width, height), ratio = self.size, (size[1] / size[0]) / (self.size[0] / self.size[1])
        if 1 - ASPECT <= ratio <= 1 / (1 - ASPECT):
            return ""
        shown = printable(self.identity.file)
        return f"{size[1]} x {size[0]} px is of another shape than the {width} x {height} px of {shown}"

    def counting(self, found: Detections, size: tuple[int, int]) -> Detections:
        """Those of a picture of `size` (height, width) px that count. Raises DataError where the zones do not fit."""
        outside = self.ignored(found.boxes.double().numpy(), found.labels.numpy(), size)
        return found.keep(torch.from_numpy(~outside)) if outside.any() else found

    def ignored(self, boxes: np.ndarray, labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(N,) bool: which of the boxes (N, 4) xyxy px with `labels` (N,) do not count, in a picture of `size` (height,
        width) px. Raises DataError where the zones do not fit its shape.
        """
        if why := self.misfit(size):
            raise DataError(f"picture: {why}; take zones that were drawn for it")
        if not len(boxes):
            return np.zeros(0, bool)
        boxes = np.asarray(boxes, np.float64)
        corner, sides = boxes[:, :2].round(DIGITS), (boxes[:, 2:] - boxes[:, :2]).round(DIGITS)
        counts = self._lying_where(corner + sides / 2, labels, size)
        if self.counts == "touch" and not counts.all():
            steps = (np.arange(FIELDS) + 0.5) / FIELDS
            fields = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)  # (F, 2)
            for left in np.array_split(np.flatnonzero(~counts), (~counts).sum() // BLOCK + 1):
                points = corner[left, None] + sides[left, None] * fields
                some = self._lying_where(points.reshape(-1, 2), np.repeat(labels[left], len(fields)), size)
                counts[left] = some.reshape(len(left), -1).any(1)
        return ~counts

    def of_class(self, label: int) -> Zones | None:
        """What concerns this class, for labels that are all 0; None: nothing does."""
        own = tuple(replace(one, labels=None) for one in self.zones if one.concerns(label))
        return replace(self, zones=own) if own else None

    def corners_in(self, size: tuple[int, int]) -> list[np.ndarray]:
        """The corners of each zone, (C, 2) float64 x, y px of a picture of `size` (height, width), whatever its
        shape.
        """
        width, height = self.size or (1, 1)
        return [one.corners * (size[1] / width, size[0] / height) for one in self.zones]

    @cached_property
    def _polygons(self) -> Polygons:
        return Polygons.of([one.corners for one in self.zones])

    def _lying_where(self, points: np.ndarray, labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """(N,) bool: whether a point (N, 2) x, y px lies where its class counts."""
        height, width = size
        most = np.array(self.size or (1, 1), np.float64)
        scaled = points * (most / (width, height))  # by 1.0 where sizes are equal: a point on an edge stays there
        held = self._polygons.hold(np.clip(scaled, 0, np.nextafter(most, 0)))  # a box may stick out of its picture
        kinds, kind = np.unique(labels, return_inverse=True)
        concerns = np.array([[one.concerns(k) for k in kinds.tolist()] for one in self.zones])  # (Z, K)
        inside = np.array([one.inside for one in self.zones])
        looked_in = (held & (concerns & inside[:, None])[:, kind]).any(0) | ~concerns[inside].any(0)[kind]
        return looked_in & ~(held & (concerns & ~inside[:, None])[:, kind]).any(0)


def judged(record: Record, zones: Zones) -> Record:
    """A picture with its truth as it is scored: boxes that do not count become regions to ignore, and make it no bad
    picture. Raises DataError, naming it, where the zones do not fit its shape.
    """
    if why := zones.misfit(record.size):
        raise DataError(f"{printable(str(record.path))}: {why}; leave it out, or take zones that were drawn for it")
    outside = zones.ignored(record.pixel_boxes(), record.labels, record.size)
    outside &= record.labels != EVERY_CLASS  # which belongs to no class, and makes no picture a bad one
    return replace(record, crowd=record.crowd | outside, outside=outside) if outside.any() else record


def counting_rows(
    zones: Zones | None, rows: list[dict[str, Any]], records: Sequence[Record], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """The rows of predictions.json of these pictures that count, in their order; without zones all."""
    if zones is None:
        return rows
    sizes, labels = {one.image_id: one.size for one in records}, {number: k for k, number in enumerate(category_ids)}
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row["image_id"], []).append(place)
    counts = np.ones(len(rows), bool)
    for image_id, mine in places.items():
        boxes = np.array([rows[k]["bbox"] for k in mine], np.float64)
        boxes[:, 2:] += boxes[:, :2]  # xywh -> xyxy
        classes = np.array([labels[rows[k]["category_id"]] for k in mine])
        counts[mine] = ~zones.ignored(boxes, classes, sizes[image_id])
    return [row for row, kept in zip(rows, counts.tolist(), strict=True) if kept]


def set_aside(records: Sequence[Record]) -> str:
    """What zones leave out of the truth, in words: records as `judged` makes them."""
    rows = [(one.outside, one.crowd) for one in records if one.outside is not None]
    boxes = sum(int(outside.sum()) for outside, _ in rows)
    good = sum(one.good for one in records if one.outside is not None)
    whole = sum(int((~one.crowd).sum()) for one in records) + boxes
    good_now = f"good without them: {counted(good, 'picture')}"
    return f"{boxes:,} of {counted(whole, 'labelled defect')} lie where none counts; {good_now}"
