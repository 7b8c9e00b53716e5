"""Task-aligned assignment: predictions that classify and locate a target well answer for it (TOOD, arXiv 2108.07755).

Works on lists of (target, prediction) pairs, not on padded tables: a crowded picture costs only its own pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from models.losses.iou import IOUS
from utils.config.config import FreeAssignConfig
from utils.values.batch import Targets
from utils.values.predictions import Assignment, Predictions

PAIRS_AT_ONCE = 2**20  # (target, point) pairs looked at together: about 200 MB at worst
TINY = 1e-9  # keeps the logarithm of an overlap finite


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Candidates, (P,) each, sorted by target and within a target from the best alignment down.

    `target` and `prediction` index Targets and Predictions, `key` is the prediction's number in the whole batch,
    `alignment` a logarithm, `overlap` 0..1.
    """

    target: Tensor
    prediction: Tensor
    key: Tensor
    alignment: Tensor
    overlap: Tensor

    def keep(self, mask: Tensor | slice) -> _Pairs:
        """The pairs where `mask` (P,), or at those indices."""
        return _Pairs(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


@torch.no_grad()
def assign_aligned(predictions: Predictions, targets: Targets, cfg: FreeAssignConfig) -> Assignment:
    """Each target takes the `topk` candidates of highest score^alpha x overlap^beta; `quality` is their target.

    Candidates are the points strictly inside the box and, whatever the size of the box, the point of the finest level
    nearest to its centre: a defect of 1 to 8 px that lies between the points has a positive too. A prediction taken
    by several targets goes to the one of highest overlap, then to the first. A target that lost all its candidates
    this way takes its best one back from an owner that has others; so a target goes without only where several have
    the same few points, as two small defects in one cell of the finest level.

    `quality` is the alignment divided by the target's highest, times the target's highest overlap or `floor`:
    without that floor a target that nothing overlaps yet has no weight, and small ones are never learnt. The order
    is target, then falling alignment; ties go to the lower index, on any device.
    """
    pairs = _every_candidate(predictions, targets, cfg)
    pairs = pairs.keep(_without_conflicts(pairs, len(targets)))
    quality = _quality(pairs, len(targets), cfg.floor)
    return Assignment(targets.image_index[pairs.target], pairs.prediction, pairs.target, quality)


def _every_candidate(predictions: Predictions, targets: Targets, cfg: FreeAssignConfig) -> _Pairs:
    """The `topk` best candidates of every target, found for a limited number of targets at a time.

    Written into tensors allocated beforehand: small results kept between large temporaries would fragment the heap
    to gigabytes.
    """
    size = len(targets) * cfg.topk
    whole, real = targets.labels.new_empty(size), targets.boxes.new_empty(size, dtype=torch.float32)
    room = _Pairs(whole, whole.clone(), whole.clone(), real, real.clone())
    filled, step = 0, max(PAIRS_AT_ONCE // len(predictions.points), 1)
    # split() turns an empty range into one empty chunk, not into none
    for chunk in torch.arange(len(targets), device=whole.device).split(step) if len(targets) else ():
        pairs = _best_candidates(predictions, targets, chunk, cfg)
        end = filled + len(pairs.target)
        for name in _Pairs.__dataclass_fields__:
            getattr(room, name)[filled:end] = getattr(pairs, name)
        filled = end
    return room.keep(slice(filled))


def _best_candidates(predictions: Predictions, targets: Targets, chunk: Tensor, cfg: FreeAssignConfig) -> _Pairs:
    """The `topk` best candidates of the targets numbered `chunk`."""
    row, prediction = _candidates(predictions, targets.boxes[chunk]).nonzero(as_tuple=True)
    target = chunk[row]
    image = targets.image_index[target]
    # GIoU, DIoU and CIoU can be negative
    overlap = IOUS[cfg.iou](predictions.boxes_at(image, prediction), targets.boxes[target]).clamp(min=0)
    # score^alpha x overlap^beta as a logarithm: as a float32 number it would underflow for small overlaps
    score = logsigmoid(predictions.class_logits[image, prediction, targets.labels[target]].float())
    alignment = cfg.alpha * score + cfg.beta * overlap.clamp(min=TINY).log()
    key = image * predictions.class_logits.shape[1] + prediction
    pairs = _Pairs(target, prediction, key, alignment, overlap)
    # Two stable sorts, the minor key first: by target, within a target by falling alignment, then by index.
    best = alignment.argsort(descending=True, stable=True)
    pairs = pairs.keep(best[row[best].argsort(stable=True)])
    return pairs.keep(_rank(pairs.target) < cfg.topk)


def _candidates(predictions: Predictions, boxes: Tensor) -> Tensor:
    """(N, 4) boxes -> (N, A) bool: inside the box, or nearest to its centre on the finest level."""
    x, y = predictions.points.T
    left, top, right, bottom = (side[:, None] for side in boxes.T)
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    finest = (predictions.strides == predictions.strides.min()).nonzero().flatten()
    distance2 = (x[finest] - (left + right) / 2).square() + (y[finest] - (top + bottom) / 2).square()
    return inside.scatter(1, finest[distance2.argmin(1)][:, None], True)


def _rank(group: Tensor) -> Tensor:
    """(P,) sorted group numbers -> each item's place in its group, from 0."""
    place = torch.arange(len(group), device=group.device)
    _, members = torch.unique_consecutive(group, return_counts=True)
    # the exclusive cumulative sum is where each group starts
    return place - (members.cumsum(0) - members).repeat_interleave(members)


def _without_conflicts(pairs: _Pairs, targets: int) -> Tensor:
    """(P,) bool: one target per prediction."""
    wins = _owners(pairs, torch.ones_like(pairs.key, dtype=torch.bool))
    positives = torch.zeros(targets, dtype=torch.long, device=wins.device).index_add(0, pairs.target, wins.long())
    starved = positives[pairs.target] == 0
    # an owner keeps one positive: its best that no starved target wants, or else its best
    winners = wins.nonzero().flatten()
    contested = torch.isin(pairs.key[winners], pairs.key[starved])
    winners = winners[contested.long().argsort(stable=True)]
    winners = winners[pairs.target[winners].argsort(stable=True)]
    kept = winners[_rank(pairs.target[winners]) == 0]
    claims = (starved & ~torch.isin(pairs.key, pairs.key[kept])).nonzero().flatten()
    claimed = torch.zeros_like(wins)
    # pairs are sorted by target and alignment, so rank 0 is the best that a starved target can still get
    claimed[claims[_rank(pairs.target[claims]) == 0]] = True
    # two starved targets may claim the same prediction: the overlap decides again
    regained = _owners(pairs, claimed)
    return (wins & ~torch.isin(pairs.key, pairs.key[regained])) | regained


def _owners(pairs: _Pairs, taking_part: Tensor) -> Tensor:
    """(P,) bool: of the pairs taking part, for each prediction the one of highest overlap, then the first target's."""
    index = taking_part.nonzero().flatten()
    index = index[pairs.overlap[index].argsort(descending=True, stable=True)]
    index = index[pairs.key[index].argsort(stable=True)]
    owners = torch.zeros_like(taking_part)
    owners[index[_rank(pairs.key[index]) == 0]] = True
    return owners


def _quality(pairs: _Pairs, targets: int, floor: float) -> Tensor:
    """(P,) soft class targets."""
    none = pairs.alignment.new_full((targets,), -torch.inf)
    highest = none.scatter_reduce(0, pairs.target, pairs.alignment, "amax")[pairs.target]
    overlap = none.scatter_reduce(0, pairs.target, pairs.overlap, "amax")[pairs.target]
    # alignments are logarithms: their difference is the logarithm of alignment / highest
    return (pairs.alignment - highest).exp() * overlap.clamp(min=floor)
