"""DataLoaders over samples."""

from __future__ import annotations

import os
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from data.batches.collate import collate
from utils.values.batch import Batch


def worker_count(wanted: int, pictures: int, batch_size: int, ranks: int = 1) -> int:
    """`wanted` loader processes for each of `ranks` on this machine; -1: the cores shared out, at most 8. Never more
    than there are batches.
    """
    count = max(min(8, (os.cpu_count() or 1) // ranks), 1) if wanted < 0 else wanted
    return min(count, -(-pictures // batch_size))


def make_loader(samples: Dataset[Any], batches: Sampler[Any], workers: int, pin: bool) -> DataLoader[Batch]:
    """A loader whose workers stay alive over epochs and use one thread each."""
    return DataLoader(
        samples,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pin,
        worker_init_fn=_start_worker,
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers > 0 else None,
        generator=torch.Generator(),  # the loader's draws leave the state that checkpoints keep alone
    )


def _start_worker(_: int) -> None:
    """One thread, and out of reach of signals to the whole group: the main process ends its workers when it is done."""
    os.setpgrp()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
