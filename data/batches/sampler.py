"""Which samples form which batch, and how large its network input is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Sampler

from data.augment.transforms import Shape, eval_shapes
from data.batches.class_balance import Balance

BLANK = -1  # the index of a sample that does not count


@dataclass(frozen=True, slots=True)
class Key:
    """A training sample's address. `copy` counts from 0 how often the picture was in this epoch before; every copy has
    its own random draws. One that does not `count` shows its picture, and teaches nothing. `near`: pictures that are in
    memory at the same time, where samples are tiles of pictures; () where any other scene is as near.
    """

    epoch: int
    index: int
    shape: Shape
    copy: int = 0
    counts: bool = True
    near: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Which samples come near each other in an epoch: those of `at_once` pictures, so that each is decoded once.

    `pictures` (N,): the picture that each sample is of.
    """

    pictures: np.ndarray
    at_once: int

    def blocks(self, rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, ...]]]:
        """(N,) the block of each sample in one epoch, and the pictures of each block."""
        order = rng.permutation(int(self.pictures.max(initial=-1)) + 1)
        block = np.empty(len(order), np.int64)
        block[order] = np.arange(len(order)) // self.at_once
        parts = range(0, len(order), self.at_once)
        return block[self.pictures], [tuple(order[start : start + self.at_once].tolist()) for start in parts]


@dataclass(frozen=True)
class Shapes:
    """The network inputs of an epoch's batches: multiples of the stride.

    Squares of `imgsz`; with `multi_scale` each batch has its own size from 0.5 to 1.5 of that. With `pictures`, the
    (height, width) of every picture, each batch is the smallest rectangle that holds its pictures at that size.
    """

    imgsz: int
    stride: int
    multi_scale: bool = False
    pictures: Sequence[Shape] | np.ndarray | None = None

    @property
    def sizes(self) -> list[int]:
        """What a batch's longest side can be."""
        if not self.multi_scale:
            return [self.imgsz]
        first, last = math.ceil(0.5 * self.imgsz / self.stride), math.floor(1.5 * self.imgsz / self.stride)
        return [steps * self.stride for steps in range(max(first, 1), last + 1)]

    def of_batch(self, size: int, indices: Sequence[int]) -> Shape:
        """(height, width) of a batch of these pictures whose longest side is `size`."""
        if self.pictures is None:
            return size, size
        shapes = eval_shapes(np.array([self.pictures[index] for index in indices]), size, self.stride)
        height, width = shapes.max(0).tolist()
        return height, width


class EpochBatches(Sampler[list[Key]]):
    """Every picture of an epoch, in an order that is a pure function of (seed, epoch). Call `set_epoch` before
    iterating.

    Of several processes each gets its `part` of every batch, so that together they see the batches of one. Where a last
    small batch has nothing for a process, the first picture once more, which does not count, keeps it in step: an empty
    picture would enter the statistics of BatchNorm, those of all processes with --sync-bn.

    Without `balance` each picture comes once, with it as often as `Balance.copies` says; an epoch has the same number
    of samples in any case, so that its length is known beforehand. With rectangles pictures of similar shape share a
    batch: they are shuffled, sorted by aspect ratio, cut into batches, and the batches are shuffled. With `neighbours`
    the pictures are shuffled, then all that is said above is of the samples of some pictures at a time.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        seed: int,
        shapes: Shapes,
        balance: Balance | None = None,
        part: Callable[[list[Key]], list[Key]] = list,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.shapes, self.balance, self.part, self.neighbours = shapes, balance, part, neighbours
        self.samples = count if balance is None else balance.samples
        self.epoch, self.skip = 0, 0

    def set_epoch(self, epoch: int, skip: int = 0) -> None:
        """Which epoch the next iteration is, without its first `skip` batches."""
        self.epoch, self.skip = epoch, skip

    def __len__(self) -> int:
        return -(-self.samples // self.batch_size)

    def __iter__(self) -> Iterator[list[Key]]:
        rng = np.random.default_rng((self.seed, self.epoch))
        times = np.ones(self.count, int) if self.balance is None else self.balance.copies(rng)
        indices = np.repeat(np.arange(self.count), times)
        copies = np.arange(len(indices)) - np.repeat(times.cumsum() - times, times)
        order = rng.permutation(len(indices))
        # without neighbours all samples are of one block, near which no picture is nearer than others
        block, near = self.neighbours.blocks(rng) if self.neighbours else (np.zeros(self.count, np.int64), [()])
        aspects = np.zeros(self.count)
        if self.shapes.pictures is not None:
            sizes = np.asarray(self.shapes.pictures)
            aspects = sizes[:, 0] / sizes[:, 1]
        shuffled = indices[order]
        order = order[np.lexsort((aspects[shuffled], block[shuffled]))]  # stable: what is equal stays shuffled
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        if self.shapes.pictures is not None and not self.neighbours:
            batches = [batches[number] for number in rng.permutation(len(batches))]
        sizes = rng.choice(self.shapes.sizes, len(batches))
        # All draws are done: skipping batches, when a run is resumed, changes none of those that follow.
        for batch, size in list(zip(batches, sizes.tolist(), strict=True))[self.skip :]:
            shape = self.shapes.of_batch(size, indices[batch].tolist())
            rows = zip(indices[batch].tolist(), copies[batch].tolist(), strict=True)
            keys = [Key(self.epoch, index, shape, copy, near=near[block[index]]) for index, copy in rows]
            yield self.part(keys) or [replace(keys[0], counts=False)]


class ShapeBatches(Sampler[list[int]]):
    """Every input once, in batches of one shape; of several processes each takes whole batches in turn, or, where
    `pictures` (N,) says which picture each input is of, all inputs of every picture that is its.
    """

    def __init__(
        self,
        shapes: Sequence[Shape] | np.ndarray,
        batch_size: int,
        rank: int = 0,
        ranks: int = 1,
        pictures: np.ndarray | None = None,
    ) -> None:
        different, which = np.unique(np.asarray(shapes), axis=0, return_inverse=True)
        order = np.argsort(which.reshape(-1), kind="stable")
        groups = np.split(order, np.bincount(which.reshape(-1), minlength=len(different)).cumsum()[:-1])
        if pictures is not None:
            groups, rank, ranks = [group[pictures[group] % ranks == rank] for group in groups], 0, 1
        self.batches = [
            group[start : start + batch_size] for group in groups for start in range(0, len(group), batch_size)
        ][rank::ranks]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return (batch.tolist() for batch in self.batches)
