"""Samples -> Batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from utils.structures import Batch, Sample, Targets


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples of one shape. Images stay uint8 and channels last in memory, which is how they were decoded."""
    images = torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2)
    counts = torch.tensor([len(s.labels) for s in samples])
    targets = Targets(
        torch.arange(len(samples)).repeat_interleave(counts),
        torch.from_numpy(np.concatenate([s.labels for s in samples])).long(),
        torch.from_numpy(np.concatenate([s.boxes for s in samples])).float().reshape(-1, 4),
    )
    lost = sum(s.boxes_lost for s in samples)
    return Batch(images, targets, tuple(s.index for s in samples), tuple(s.letterbox for s in samples), lost)
