"""What runs in a worker process of a loader."""

from __future__ import annotations

import os
import signal
from collections.abc import MutableSequence, Sequence
from multiprocessing import queues
from typing import Any

import cv2
import torch
from torch.utils.data import get_worker_info

from data.augment.scene import Scene, SceneSource
from data.batches.collate import collate
from utils.console.signals import NUMBERS
from utils.processes.memory import keep_small_blocks
from utils.processes.threads import when_parent_is_gone
from utils.values.batch import Batch, Sample

Book = MutableSequence[int]  # in shared memory: of each worker what it reads, counted from 1, and how many it has read
SHORT_CODE = 6  # the exit code of a worker that cannot send its batch, for lack of shared memory or handles


class NotedScenes:
    """The scenes of a worker; `book` says which one it reads, and how many it has read."""

    def __init__(self, scenes: SceneSource, book: Book, number: int) -> None:
        self.scenes, self.book, self.number = scenes, book, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scenes, name)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Scene:
        self.book[2 * self.number] = index + 1
        scene = self.scenes[index]
        self.book[2 * self.number + 1] += 1
        return scene


def collate_shared(samples: Sequence[Sample]) -> Batch:
    """See collate. A worker moves its batch to shared memory at once: when that fails later, in the thread that sends
    it, the batch is dropped and waited for in vain.
    """
    batch = collate(samples)
    if get_worker_info() is not None:
        for tensor in (batch.images, *vars(batch.targets).values()):
            tensor.share_memory_()
    return batch


def start_worker(number: int, book: Book) -> None:
    """One thread, and out of reach of signals to the whole group: the main process ends its workers when it is done.
    Huge pictures, one each, not at once, must not add up.
    """
    os.setpgrp()
    for signal_number in NUMBERS:
        if signal_number != signal.SIGTERM:  # PyTorch's loader uses that one
            signal.signal(signal_number, signal.SIG_IGN)
    when_parent_is_gone(lambda: os._exit(1))
    queues.Queue._on_queue_feeder_error = staticmethod(_cannot_send)  # type: ignore[attr-defined]
    keep_small_blocks()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    info = get_worker_info()
    assert info is not None, "a worker starts here"
    samples: Any = info.dataset  # this worker's own copy
    samples.scenes = NotedScenes(samples.scenes, book, number)


def _cannot_send(error: Exception, batch: Any) -> None:
    """The batch would be dropped in silence: end, so that the main process notices."""
    os._exit(SHORT_CODE)
