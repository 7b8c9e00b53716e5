"""Weighted box fusion: what several looks agree on becomes their weighted mean.

Solovyev, Wang, Gabruseva: Weighted boxes fusion, Image and Vision Computing 107, 2021: boxes of one class that overlap
enough are one cluster; its box is the mean weighted by the scores, its score the mean times the part of the looks that
saw it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.inference.nms import NMSConfig
from utils.values.boxes import pairwise_iou


def fuse(
    boxes: Tensor, scores: Tensor, labels: Tensor, owners: Tensor, looks: int, cfg: NMSConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 4) xyxy px, (N,) scores, (N,) labels and (N,) `owners`, which of so many `looks` each is of -> boxes, scores
    falling, labels, at most `cfg.max_det`. Boxes join the cluster that they overlap most, above `cfg.iou`; at most
    one of each look, its best. `cfg.agnostic`: whatever their class, which is that of the best one.
    """
    order = scores.argsort(descending=True, stable=True)[: cfg.max_candidates]
    boxes, scores, labels, owners = boxes[order], scores[order], labels[order], owners[order]
    kinds = torch.zeros_like(labels) if cfg.agnostic else labels
    count = len(scores)
    sums, weights = torch.zeros(count, 4), torch.zeros(count)  # of each cluster so far
    seen = torch.zeros(count, looks, dtype=torch.bool)
    first = torch.zeros(count, dtype=torch.long)
    clusters = 0
    for k in range(count):
        means = sums[:clusters] / weights[:clusters, None]
        overlaps = pairwise_iou(boxes[k : k + 1], means)[0]
        free = (kinds[first[:clusters]] == kinds[k]) & ~seen[:clusters, owners[k]]
        overlaps = torch.where(free, overlaps, -1.0)
        if clusters and overlaps.max() > cfg.iou:
            place = int(overlaps.argmax())
        else:
            place, clusters = clusters, clusters + 1
            first[place] = k
        sums[place] += boxes[k] * scores[k]
        weights[place] += scores[k]
        seen[place, owners[k]] = True
    means, scores = sums[:clusters] / weights[:clusters, None], weights[:clusters] / looks
    order = scores.argsort(descending=True, stable=True)[: cfg.max_det]
    return means[order], scores[order], labels[first[:clusters]][order]
