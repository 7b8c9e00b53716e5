"""Rare classes more often: the repeat factors of LVIS (Gupta, Dollar, Girshick, CVPR 2019, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.index.flat_truth import flatten
from data.tiles.tiled_set import TileTruth
from utils.values.record import Record


@dataclass(frozen=True, eq=False)
class Balance:
    """How often pictures come in an epoch on average: `pictures` (N,) factors, `classes` (K,) those of classes, from 1.

    A class in a part f of the pictures has the factor max(1, sqrt(threshold / f)), a picture the largest of its
    classes, a good picture 1. Ignore regions and crowd boxes do not count.
    """

    pictures: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(cls, records: Sequence[Record], threshold: float) -> Balance:
        """The factors of a data set. A `threshold` of 0 is the mean of the classes' parts, whatever their number."""
        flat = flatten(records)
        rows = np.flatnonzero(~flat.crowd)
        labels, pictures, total = flat.labels[rows].astype(np.int64), flat.pictures[rows], len(records)
        return cls.of_rows(labels, pictures, total, threshold * total)

    @classmethod
    def even(cls, total: int, classes: int) -> Balance:
        """Every one of `total` pictures once."""
        return cls(np.ones(total), np.ones(classes))

    def times(self, repeat: int) -> Balance:
        """Each so many times as often."""
        return Balance(self.pictures * repeat, self.classes)

    @classmethod
    def of_rows(cls, labels: np.ndarray, pictures: np.ndarray, total: int, wanted: float) -> Balance:
        """The factors of `total` pictures; `labels` (N,) int64 and `pictures` (N,): each box's class and picture. A
        class that is in fewer than `wanted` pictures (0: than in the mean of all classes) comes more often.
        """
        count = int(labels.max(initial=-1)) + 1
        pairs = np.sort(pictures * np.int64(count) + labels)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # each class of a picture once
        found = np.bincount(pairs % max(count, 1), minlength=count)
        seen = np.maximum(found, 1)  # a class that is nowhere repeats nothing
        wanted = wanted or found[found > 0].mean() if found.any() else 0.0
        classes = np.maximum(1.0, np.sqrt(wanted / seen))
        classes[found == 0] = 1.0
        factors = np.ones(total)
        np.maximum.at(factors, pictures, classes[labels])
        return cls(factors, classes)

    @classmethod
    def of_tiles(cls, truth: TileTruth, total: int, empty: float, threshold: float | None) -> Balance:
        """The factors of `total` tiles: of those that show no box there come `empty` times as many in each epoch as of
        the others, or all if there are fewer. `threshold`: as of a data set; None: no class comes more often.
        """
        showing = truth.showing(total)
        count = int(showing.sum())
        if threshold is None:
            balance = cls.even(total, int(truth.labels.max(initial=-1)) + 1)
        else:
            balance = cls.of_rows(truth.labels, truth.tiles, total, threshold * count)
        if 0 < count < total:
            balance.pictures[~showing] = min(empty * count / (total - count), 1.0)
        return balance

    @property
    def samples(self) -> int:
        """Samples in every epoch: the sum of the factors, rounded up."""
        return int(np.ceil(round(float(self.pictures.sum()), 6)))

    def copies(self, rng: np.random.Generator) -> np.ndarray:
        """(N,) how often each picture comes in one epoch, `samples` in all.

        Each factor is rounded down or up at random, with the chance of its fraction: a picture of factor 1 or
        more comes at least once. The draws are systematic (one shift for all pictures in random order), so that their
        sum is fixed; what the fractions lack to a whole number, less than one, is shared among those that are not
        whole.
        """
        whole = np.floor(self.pictures)
        chance = self.pictures - whole
        open_ones = chance > 0
        rest = self.samples - whole.sum()
        room = open_ones.sum() - chance.sum()
        if room > 0:
            chance[open_ones] += (1 - chance[open_ones]) * (rest - chance.sum()) / room
        order = rng.permutation(len(chance))
        marks = np.minimum(np.floor(np.concatenate(([0.0], chance[order].cumsum())) + rng.random()), rest)
        marks[-1] = rest  # what it is but for rounding errors
        extra = np.zeros(len(chance), int)
        extra[order] = np.diff(marks)
        return whole.astype(int) + extra
