"""The gate: a file is used only if it finds what its network finds. Nothing is written that was not compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor

from models.inference.backend import Backend
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from utils.deciding.threshold_file import Limits
from utils.values.batch import Batch
from utils.values.boxes import pairwise_iou
from utils.values.detections import Detections
from utils.values.view import View
from utils.words.errors import CheckpointError, NumericError

EXCUSED = 0.01  # of all boxes: more than that is no chance
TINY = 1e-5  # a score's own rounding
BEYOND = 4096  # px of an input to each side of it, in which boxes are not cut


class NotEqual(NumericError):
    """A file finds something else than its network."""


@dataclass(frozen=True)
class Tolerance:
    """Boxes are the same that overlap by `iou`, or all of whose edges lie within `px` (slivers at an edge of the
    picture), and whose scores differ by at most `score`, and by that `part` of the score: else all faint boxes were
    the same. So near to the limit of NMS as `nms`, an overlap, rounding decides which of two boxes stays.
    """

    iou: float
    score: float
    px: float = 0.0
    nms: float = 1e-3
    part: float = 1.0

    def margin(self, scores: Tensor) -> Tensor:
        """How far scores (...) may be from others."""
        return (scores * self.part + TINY).clamp(max=self.score)


TOLERANCES = {"fp32": Tolerance(0.99, 1e-3, 0.01, 1e-3, 0.01), "fp16": Tolerance(0.98, 5e-3, 0.2, 0.02, 0.2)}


@dataclass(eq=False)
class Compared:
    """What was compared so far, the largest differences of what passed, and how many boxes were `excused` for having no
    partner, since rounding alone may decide about them.
    """

    inputs: int = 0
    boxes: int = 0
    excused: int = 0
    verdicts: int = 0
    least_iou: float = 1.0
    largest_score_difference: float = 0.0
    sizes: set[str] = field(default_factory=set)
    batches: set[int] = field(default_factory=set)

    def plain(self) -> dict[str, object]:
        """JSON-ready values."""
        return {**vars(self), "sizes": sorted(self.sizes), "batches": sorted(self.batches)}

    def words(self) -> str:
        """One line."""
        sizes, batches = ", ".join(sorted(self.sizes)), " and ".join(map(str, sorted(self.batches)))
        judged = f", {self.verdicts:,} verdicts" if self.verdicts else ""
        return (
            f"{self.boxes:,} boxes of {self.inputs:,} inputs ({sizes}; batches of {batches}){judged}: least overlap "
            f"{self.least_iou:.6f}, largest score difference {self.largest_score_difference:.1e}; "
            f"{self.excused} at limits"
        )


class Found(NamedTuple):
    """Of an input: `boxes` in its pixels, not limited to the picture, and the detections that are `shown` to a user."""

    boxes: Detections
    shown: Detections


@dataclass(frozen=True, eq=False)
class Gate:
    """`network` is right; what `file` finds must be the same within `tolerance`, under `nms`, and so must OK or NG be
    by `limits` (None: there are no thresholds).
    """

    network: Backend
    file: Backend
    names: tuple[str, ...]
    nms: NMSConfig
    tolerance: Tolerance
    limits: Limits | None = None

    def __call__(self, batches: Iterable[Batch]) -> Compared:
        """Compare picture by picture, and where a batch holds several also all at once. Raises NotEqual."""
        done = Compared()
        for batch in batches:
            wanted = [self._found(self.network, one)[0] for one in each(batch)]
            for one, right in zip(each(batch), wanted, strict=True):
                self._check(done, [right], self._found(self.file, one), one)
            if len(wanted) > 1:
                self._check(done, wanted, self._found(self.file, batch), batch)
        if done.excused > EXCUSED * done.boxes + 1:
            many = f"gate: {done.excused:,} boxes of {done.boxes:,} have no partner, each at some limit"
            raise NotEqual(f"{many}; a network that gives many boxes one score has learnt too little to be compared")
        if not done.boxes:
            raise NotEqual("gate: the network finds nothing in any picture, so that nothing is proved; name --data")
        return done

    def _found(self, backend: Backend, batch: Batch) -> list[Found]:
        """What is found in each input."""
        inference = Inference((backend,), self.nms, torch.arange(len(self.names)), self.names)
        try:
            predictions = inference.predictions(batch)
        except CheckpointError as error:  # what computes it refuses inputs of this size
            raise NotEqual(f"gate: {error}") from error
        views = [replace(view, picture=k) for k, view in enumerate(batch.views)]
        # boxes as NMS compares them: whole, also those that reach beyond the picture
        whole = [View(k, (4 * BEYOND, 4 * BEYOND), (1.0, 1.0), (-BEYOND, -BEYOND)) for k in range(len(views))]
        boxes, shown = inference.detections(predictions, whole), inference.detections(predictions, views)
        return [Found(replace(boxes[k], boxes=boxes[k].boxes - BEYOND), shown[k]) for k in range(len(views))]

    def _check(self, done: Compared, wanted: Sequence[Found], found: Sequence[Found], batch: Batch) -> None:
        size = f"{batch.images.shape[3]} x {batch.images.shape[2]}"
        where = f"gate: {size} px, batch of {len(batch.views)}"
        done.sizes, done.batches = done.sizes | {size}, done.batches | {len(batch.views)}
        for right, other in zip(wanted, found, strict=True):
            done.inputs += 1
            self._check_boxes(done, right.boxes, other.boxes, where)
            if self.limits is not None:
                done.verdicts += 1
                self._check_verdict(self.limits, right.shown, other.shown, where)

    def _check_verdict(self, limits: Limits, right: Detections, found: Detections, where: str) -> None:
        decisive = limits.passing(right), limits.passing(found)
        if bool(len(decisive[0])) == bool(len(decisive[1])):
            return
        bad = decisive[0] if len(decisive[0]) else decisive[1]
        label, score = int(bad.labels[0]), float(bad.scores[0])
        words = f"{self.names[label]} {score:.5f} at a threshold of {limits.thresholds.values[label]:g}"
        who = ("network", "file") if len(decisive[0]) else ("file", "network")
        raise NotEqual(f"{where}: NG by the {who[0]} ({words}), OK by the {who[1]}")

    def _check_boxes(self, done: Compared, right: Detections, found: Detections, where: str) -> None:
        iou, difference, missing, extra = matched(right, found, self.tolerance)
        done.boxes += len(iou)
        done.least_iou = min([done.least_iou, *iou.tolist()])
        done.largest_score_difference = max([done.largest_score_difference, *difference.tolist()])
        alone = [(right, index, found, "is missing in the file") for index in missing]
        alone += [(found, index, right, "is in the file alone") for index in extra]
        excused: list[tuple[Detections, int]] = []
        for mine, index, others, what in sorted(alone, key=lambda one: -float(one[0].scores[one[1]])):
            if not (self._borderline(mine, index, others) or self._follows(mine, index, excused)):
                raise NotEqual(f"{where}: {self._words(mine, index, others)} {what}")
            excused.append((mine, index))
        done.excused += len(excused)

    def _borderline(self, mine: Detections, index: int, others: Detections) -> bool:
        """Whether rounding alone may decide if this box is there: its score is at the limit of what is looked at, or it
        is so thin that it may be empty, or its overlap with a better one is at that of NMS, or a rival of its own score
        took its place, or there is no room for more boxes.
        """
        score, margin = float(mine.scores[index]), float(self.tolerance.margin(mine.scores[index]))
        x1, y1, x2, y2 = mine.boxes[index].tolist()
        if score <= self.nms.conf + margin or min(x2 - x1, y2 - y1) <= self.tolerance.px:
            return True
        if len(others.scores) >= self.nms.max_det and score <= float(others.scores.min()) + margin:
            return True
        for one in (mine, others):
            better = one.keep((one.labels == mine.labels[index]) & (one.scores >= score - margin))
            overlap = pairwise_iou(mine.boxes[index : index + 1], better.boxes)[0] - self.nms.iou
            at_limit = overlap.abs() <= self.tolerance.nms
            rival = (overlap > 0) & ((better.scores - score).abs() <= margin) & (one is others)
            if bool((at_limit | rival).any()):
                return True
        return False

    def _follows(self, mine: Detections, index: int, excused: Sequence[tuple[Detections, int]]) -> bool:
        """Whether a box is there because a better one, which has its excuse, is not, or the other way round."""
        for theirs, other in excused:
            if theirs is mine or theirs.labels[other] != mine.labels[index]:
                continue
            overlap = pairwise_iou(mine.boxes[index : index + 1], theirs.boxes[other : other + 1])
            if float(overlap) > self.nms.iou - self.tolerance.nms:
                return True
        return False

    def _words(self, mine: Detections, index: int, others: Detections) -> str:
        """A box and what is nearest to it, for a message."""
        label, box = int(mine.labels[index]), ", ".join(f"{v:.1f}" for v in mine.boxes[index].tolist())
        words = f"{self.names[label]} {float(mine.scores[index]):.4f} at ({box})"
        same = others.keep(others.labels == label)
        if not len(same.scores):
            return words
        overlap = pairwise_iou(mine.boxes[index : index + 1], same.boxes)[0]
        best = int(overlap.argmax())
        near, by = float(same.scores[best]), float(overlap[best])
        return f"{words}, whose nearest is {near:.4f} with an overlap of {by:.4f},"


def each(batch: Batch) -> list[Batch]:
    """The inputs of a batch, one by one."""
    return [
        replace(batch, images=batch.images[k : k + 1], views=batch.views[k : k + 1], indices=batch.indices[k : k + 1])
        for k in range(len(batch.views))
    ]


def matched(right: Detections, found: Detections, limit: Tolerance) -> tuple[Tensor, Tensor, list[int], list[int]]:
    """Pairs of boxes of one class within `limit`, from the best score downwards, each with the one that overlaps it
    most -> their overlaps and differences of scores (N,), and which of `right` and of `found` have no partner.
    """
    overlap = pairwise_iou(right.boxes, found.boxes)
    difference = (right.scores[:, None] - found.scores[None]).abs()
    apart = (right.boxes[:, None] - found.boxes[None]).abs().amax(-1)
    may = (
        ((overlap >= limit.iou) | (apart <= limit.px))
        & (difference <= limit.margin(right.scores)[:, None])
        & (right.labels[:, None] == found.labels[None])
    )
    value = torch.where(may, overlap, -1.0)
    pairs: list[tuple[int, int]] = []
    for index in range(len(right.scores)):
        if not len(found.scores) or float(value[index].max()) < 0:
            continue
        partner = int(value[index].argmax())
        pairs.append((index, partner))
        value[:, partner] = -1.0
    mine, theirs = ([pair[k] for pair in pairs] for k in (0, 1))
    left = [sorted(set(range(len(one.scores))) - set(used)) for one, used in ((right, mine), (found, theirs))]
    return overlap[mine, theirs], difference[mine, theirs], left[0], left[1]


def worst_drop(right: Mapping[str, float | None], found: Mapping[str, float | None]) -> tuple[str, float]:
    """Of scores by name (None: undefined, as it is in both then) the one that fell most, and by how much."""
    drops = {name: (one or 0.0) - (found[name] or 0.0) for name, one in right.items()}
    name = max(drops, key=lambda name: drops[name])
    return name, drops[name]
