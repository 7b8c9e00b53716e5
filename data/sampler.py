"""Which samples form which batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from data.dataset import Key


class EpochBatches(Sampler[list[Key]]):
    """Every picture once per epoch, in an order keyed by (seed, epoch). Call `set_epoch` before iterating."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed, self.epoch = count, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Which epoch the next iteration is."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __iter__(self) -> Iterator[list[Key]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count).tolist()
        for start in range(0, self.count, self.batch_size):
            yield [(self.epoch, index) for index in order[start : start + self.batch_size]]


class ShapeBatches(Sampler[list[int]]):
    """Every picture once, in batches of one shape."""

    def __init__(self, shapes: Sequence[tuple[int, int]], batch_size: int) -> None:
        groups: dict[tuple[int, int], list[int]] = {}
        for index, shape in enumerate(shapes):
            groups.setdefault(shape, []).append(index)
        self.batches = [
            group[start : start + batch_size]
            for _, group in sorted(groups.items())
            for start in range(0, len(group), batch_size)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)
