"""Non-maximum suppression: of boxes that overlap too much the best one stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BLOCK = 512  # boxes that suppression looks at together


@dataclass(frozen=True, kw_only=True)
class NMSConfig:
    """`conf` and `iou` thresholds 0..1, the most detections kept per picture, and how many candidates are looked at.

    `agnostic` lets a box suppress boxes of other classes. `classes` keeps only those labels.
    """

    conf: float = 0.001
    iou: float = 0.6
    max_det: int = 300
    max_candidates: int = 30_000
    agnostic: bool = False
    classes: tuple[int, ...] | None = None


def suppress(boxes: Tensor, labels: Tensor, cfg: NMSConfig) -> Tensor:
    """Greedy NMS over (N, 4) boxes already sorted by falling score -> indices kept, at most `max_det`.

    Exactly the greedy per-class set (no class-offset trick, which loses it in float32), found over all classes in score
    order, block by block, so that it can stop at `max_det`.
    """
    box, label = boxes.float().numpy(), labels.numpy()
    kept: list[int] = []
    for start in range(0, len(box), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(box)))
        # first without what the boxes kept so far remove, so that only the rest is compared with each other
        block = block[~_removes(box, label, np.asarray(kept, np.int64), block, cfg).any(0)]
        removes = _removes(box, label, block, block, cfg)
        left = np.ones(len(block), bool)
        for place in range(len(block)):
            if left[place] and len(kept) < cfg.max_det:
                kept.append(int(block[place]))
                left &= ~removes[place]  # also the box itself, which is kept already
        if len(kept) >= cfg.max_det:
            break
    return torch.tensor(kept, dtype=torch.int64)


def _removes(box: np.ndarray, label: np.ndarray, ones: np.ndarray, others: np.ndarray, cfg: NMSConfig) -> np.ndarray:
    """(M, N) bool: whether boxes `ones` (M,), were they kept, remove boxes `others` (N,); both index `box`."""
    one, other = box[ones].T[:, :, None], box[others].T[:, None]
    width, height = (np.minimum(one[k + 2], other[k + 2]) - np.maximum(one[k], other[k]) for k in (0, 1))
    inner = np.maximum(width, 0) * np.maximum(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    # the lower limit of the union avoids 0 / 0 for two empty boxes
    overlaps: np.ndarray = inner / np.maximum(areas[0] + areas[1] - inner, np.float32(1e-12)) > cfg.iou
    return overlaps if cfg.agnostic else overlaps & (label[ones, None] == label[others])
