"""Weighted box fusion: what several looks agree on becomes their weighted mean.

Solovyev, Wang, Gabruseva: Weighted boxes fusion, Image and Vision Computing 107, 2021: boxes of one class that overlap
enough are one cluster; its box is the mean weighted by the scores, its score the mean times the part of the looks that
saw it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.inference.nms import NMSConfig


def fuse(
    boxes: Tensor, scores: Tensor, labels: Tensor, owners: Tensor, looks: int, cfg: NMSConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 4) xyxy px, (N,) scores, (N,) labels and (N,) `owners`, which of so many `looks` each is of -> boxes, scores
    falling, labels, at most `cfg.max_det`. Boxes join the cluster that they overlap most, above `cfg.iou`; at most
    one of each look, its best. `cfg.agnostic`: whatever their class, which is that of the best one.
    """
    order = scores.argsort(descending=True, stable=True)[: cfg.max_candidates]
    given, sure, labels = boxes[order].numpy(), scores[order].numpy(), labels[order]
    kinds, owner = (np.zeros(len(order)) if cfg.agnostic else labels.numpy()), owners[order].numpy()
    sums, means, weights = np.zeros_like(given), np.zeros_like(given), np.zeros_like(sure)  # of each cluster so far
    seen, first = np.zeros((len(order), looks), bool), np.zeros(len(order), int)
    clusters = 0
    for k, box in enumerate(given):  # in numpy, whose calls cost a tenth of torch's where there is little to reckon
        free = (kinds[first[:clusters]] == kinds[k]) & ~seen[:clusters, owner[k]]
        overlaps = np.where(free, _overlaps(box, means[:clusters]), -1.0)
        if clusters and overlaps.max() > cfg.iou:
            place = int(overlaps.argmax())
        else:
            place, clusters = clusters, clusters + 1
            first[place] = k
        sums[place] += box * sure[k]
        weights[place] += sure[k]
        means[place] = sums[place] / weights[place]
        seen[place, owner[k]] = True
    fused, scores = torch.from_numpy(means[:clusters]), torch.from_numpy(weights[:clusters]) / looks
    order = scores.argsort(descending=True, stable=True)[: cfg.max_det]
    return fused[order], scores[order], labels[torch.from_numpy(first[:clusters])][order]


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of (4,) xyxy with each of (N, 4); empty boxes overlap nothing."""
    sides = np.maximum(np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2]), 0)
    inner = sides[:, 0] * sides[:, 1]
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return inner / np.maximum((box[2] - box[0]) * (box[3] - box[1]) + areas - inner, 1e-9)
