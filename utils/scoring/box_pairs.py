"""Detections and truth of a data set as flat arrays, and which of them lie near each other.

The geometry of a data set is worked out here once; matching at any IoU, error types and label suspects are then a
matter of picking among the few pairs that are near.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record

NEAREST = 0.1  # pairs of less IoU have nothing to do with each other
CHUNK = 1_000_000  # pairs looked at in one go, so that memory stays flat


@dataclass(frozen=True, eq=False)
class Boxes:
    """N boxes: `picture` (N,) ascending, `xyxy` (N, 4) float32 px of the original picture, `labels` (N,) int64."""

    picture: np.ndarray
    xyxy: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def areas(self) -> np.ndarray:
        """(N,) px^2."""
        return (self.xyxy[:, 2] - self.xyxy[:, 0]) * (self.xyxy[:, 3] - self.xyxy[:, 1])

    def of_pictures(self, chosen: np.ndarray) -> Boxes:
        """Those in the pictures `chosen` (P,) bool, which are numbered anew."""
        kept = chosen[self.picture]
        return Boxes((chosen.cumsum() - 1)[self.picture[kept]], self.xyxy[kept], self.labels[kept])

    def where(self, kept: np.ndarray) -> Boxes:
        """Those where `kept` (N,) bool."""
        return Boxes(self.picture[kept], self.xyxy[kept], self.labels[kept])

    def of_one_class(self) -> Boxes:
        """The same boxes, all of class 0."""
        return replace(self, labels=np.zeros_like(self.labels))


@dataclass(frozen=True, eq=False)
class Pairs:
    """M detections (best first within a picture), T truth boxes to find (no crowd), the crowd `regions` to ignore, and
    the Q pairs of detection and truth box that are near: of IoU >= the `nearest` of `pair_up`, or with the detection's
    centre in the truth box.

    `scores` (M,) float64; `detection`, `truth_box` (Q,) index the two sets, ordered by detection, then by falling IoU,
    then by truth box; `iou` (Q,) and `centred` (Q,) bool describe a pair. `share` (M,) is how much of a detection's
    area lies in a region to ignore for its class, `share_centred` (M,) whether its centre does. Of the P pictures
    `good` show no defect, `bad` show one that can be found (one with nothing but crowd regions of a class is neither),
    and `labelled` have a label file: all (P,) bool. Labels count from 0 to `classes` - 1.
    """

    classes: int
    detections: Boxes
    scores: np.ndarray
    truth: Boxes
    regions: Boxes
    detection: np.ndarray
    truth_box: np.ndarray
    iou: np.ndarray
    centred: np.ndarray
    share: np.ndarray
    share_centred: np.ndarray
    good: np.ndarray
    bad: np.ndarray
    labelled: np.ndarray

    @property
    def pictures(self) -> int:
        """How many pictures there are, good and bad."""
        return len(self.good)

    def of_pictures(self, chosen: np.ndarray) -> Pairs:
        """The same for the pictures `chosen` (P,) bool alone, which are numbered anew."""
        detections, truth = chosen[self.detections.picture], chosen[self.truth.picture]
        near = detections[self.detection]
        return replace(
            self,
            detections=self.detections.of_pictures(chosen),
            scores=self.scores[detections],
            truth=self.truth.of_pictures(chosen),
            regions=self.regions.of_pictures(chosen),
            detection=(detections.cumsum() - 1)[self.detection[near]],
            truth_box=(truth.cumsum() - 1)[self.truth_box[near]],
            iou=self.iou[near],
            centred=self.centred[near],
            share=self.share[detections],
            share_centred=self.share_centred[detections],
            good=self.good[chosen],
            bad=self.bad[chosen],
            labelled=self.labelled[chosen],
        )

    @cached_property
    def class_blind(self) -> Pairs:
        """The same boxes, all of one class. What is near what stays as it is, and so do the order of the detections and
        what is forgiven: a region to ignore forgives those of its own class, as everywhere.
        """
        detections, truth, regions = (boxes.of_one_class() for boxes in (self.detections, self.truth, self.regions))
        return replace(self, classes=1, detections=detections, truth=truth, regions=regions)


def pair_up(
    records: Sequence[Record], found: Mapping[int, Detections], classes: int, nearest: float = NEAREST
) -> Pairs:
    """Lay out `found` (by index into `records`, px of the original pictures) and the truth.

    No later matching can ask for an IoU below `nearest`.
    """
    assert records, "no pictures: the reader refuses such data"
    assert 0 < nearest <= 1, "every pair would be near"
    detections, scores = flatten_detections([found[index] for index in range(len(records))])
    truth, regions = flatten_truth(records, crowd=False), flatten_truth(records, crowd=True)
    share, share_centred = _shares(detections, regions)
    bad = np.zeros(len(records), bool)
    bad[truth.picture] = True
    return Pairs(
        classes,
        detections,
        scores,
        truth,
        regions,
        *_near(detections, truth, nearest),
        share=share,
        share_centred=share_centred,
        good=np.array([record.good for record in records]),
        bad=bad,
        labelled=np.array([record.labelled for record in records]),
    )


def flatten_detections(found: Sequence[Detections]) -> tuple[Boxes, np.ndarray]:
    """The detections of every picture in turn, best first in each, and their scores (M,) float64."""
    picture = np.repeat(np.arange(len(found)), [len(one) for one in found])
    scores = torch.cat([one.scores for one in found]).double().numpy()
    xyxy = torch.cat([one.boxes for one in found]).float().numpy().reshape(-1, 4)
    labels = torch.cat([one.labels for one in found]).long().numpy()
    order = np.lexsort((-scores, picture))  # the last key sorts first; equal scores keep their order
    return Boxes(picture[order], xyxy[order], labels[order]), scores[order]


def flatten_truth(records: Sequence[Record], crowd: bool) -> Boxes:
    """The truth of every picture in turn: what is to be found, or the crowd regions."""
    kept = [record.crowd == crowd for record in records]
    return Boxes(
        np.repeat(np.arange(len(records)), [int(k.sum()) for k in kept]),
        np.concatenate([record.pixel_boxes()[k] for record, k in zip(records, kept, strict=True)]),
        np.concatenate([record.labels[k] for record, k in zip(records, kept, strict=True)]),
    )


def _together(a: Boxes, b: Boxes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices (i, j) of every pair in one picture, ordered by i then j, in chunks."""
    pictures = 1 + max(a.picture.max(initial=-1), b.picture.max(initial=-1))
    many = np.bincount(b.picture, minlength=pictures)
    first = many.cumsum() - many  # b is sorted by picture, so this is where each picture's boxes begin
    ends = many[a.picture].cumsum()
    cuts = np.searchsorted(ends, np.arange(CHUNK, ends[-1] if len(a) else 0, CHUNK))
    for rows in np.split(np.arange(len(a)), cuts):
        repeats = many[a.picture[rows]]
        i = np.repeat(rows, repeats)
        # counts 0, 1, 2, ... again for each row of a: the place of j among the boxes of its picture
        within = np.arange(len(i)) - np.repeat(repeats.cumsum() - repeats, repeats)
        yield i, first[a.picture[i]] + within


def _intersection(a: Boxes, b: Boxes, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    size = [
        np.maximum(np.minimum(a.xyxy[i, k + 2], b.xyxy[j, k + 2]) - np.maximum(a.xyxy[i, k], b.xyxy[j, k]), 0)
        for k in (0, 1)
    ]
    return size[0] * size[1]


def _centred(a: Boxes, b: Boxes, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Whether the centre of a's box lies in b's, its edge included."""
    inside = np.ones(len(i), bool)
    for k in (0, 1):
        centre = (a.xyxy[i, k] + a.xyxy[i, k + 2]) / 2
        inside &= (b.xyxy[j, k] <= centre) & (centre <= b.xyxy[j, k + 2])
    return inside


def overlapping(a: Boxes, b: Boxes, least: float) -> np.ndarray:
    """(N,) bool: which boxes of `a` overlap one of `b` in their picture by an IoU of at least `least`."""
    some = np.zeros(len(a), bool)
    near, _, iou, _ = _near(a, b, least)
    some[near[iou >= least]] = True
    return some


def _near(detections: Boxes, truth: Boxes, nearest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`detection`, `truth_box`, `iou` and `centred` of Pairs. IoU as in utils.values.boxes.pairwise_iou, to the bit."""
    # an empty first entry, so that the columns keep their types even if nothing is near
    kept = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, bool))]
    areas, truth_areas = detections.areas(), truth.areas()
    for i, j in _together(detections, truth):
        common = _intersection(detections, truth, i, j)
        iou = common / np.maximum(areas[i] + truth_areas[j] - common, np.float32(1e-9))
        centred = _centred(detections, truth, i, j)
        near = centred | (iou >= nearest)
        kept.append((i[near], j[near], iou[near], centred[near]))
    i, j, iou, centred = (np.concatenate(column) for column in zip(*kept, strict=True))
    order = np.lexsort((j, -iou, i))
    return i[order], j[order], iou[order], centred[order]


def _shares(detections: Boxes, regions: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """`share` and `share_centred` of Pairs."""
    share, share_centred = np.zeros(len(detections), np.float32), np.zeros(len(detections), bool)
    areas = np.maximum(detections.areas(), np.float32(1e-9))
    for i, j in _together(detections, regions):
        mine = (regions.labels[j] == detections.labels[i]) | (regions.labels[j] == EVERY_CLASS)
        i, j = i[mine], j[mine]
        # .at, because a detection may lie in several regions: plain indexing would keep only one of them
        np.maximum.at(share, i, _intersection(detections, regions, i, j) / areas[i])
        np.logical_or.at(share_centred, i, _centred(detections, regions, i, j))
    return share, share_centred
