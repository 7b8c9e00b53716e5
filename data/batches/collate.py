"""Samples -> Batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from data.batches.sampler import BLANK
from utils.values.batch import Batch, Sample, Targets


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples of one shape. Images keep their type and stay channels last in memory, as they were decoded.

    Blank samples are left out where there are others; what could not be read is handed on in any case.
    """
    missing = {index: reason for s in samples for index, reason in s.lost.items()}
    samples = [s for s in samples if s.index != BLANK] or samples
    images = torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2)
    targets = Targets(
        _owners([len(s.labels) for s in samples]),
        torch.from_numpy(np.concatenate([s.labels for s in samples])).long(),
        torch.from_numpy(np.concatenate([s.boxes for s in samples])).float().reshape(-1, 4),
        _owners([len(s.ignored) for s in samples]),
        torch.from_numpy(np.concatenate([s.ignored for s in samples])).float().reshape(-1, 4),
    )
    lost = sum(s.boxes_lost for s in samples)
    full = samples[0].full
    views = tuple(s.view for s in samples if s.view is not None)
    return Batch(images, targets, tuple(s.index for s in samples), views, lost, full=full, lost=missing)


def _owners(counts: Sequence[int]) -> torch.Tensor:
    """(sum of counts,) int64: which sample each row belongs to."""
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
