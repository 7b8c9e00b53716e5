"""What an epoch of training is made of: pictures or their tiles, how often each comes, which come together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from data.augment.scene import SceneSource
from data.batches.class_balance import Balance
from data.batches.sampler import Neighbours
from data.index.flat_truth import flatten
from data.tiles.tile_scenes import RecentScenes, TileScenes
from data.tiles.tile_size import tile_words, tiling_of
from data.tiles.tiled_set import TiledSet, TileTruth
from utils.config.config import DataConfig
from utils.values.record import Record
from utils.words.text import counted

KEPT_BYTES = 1 << 28  # of decoded pictures whose tiles come together, in each process that reads
KEPT = 64  # pictures, at most: from so many a sample is composed
AT_LEAST = 2


class Tiles(NamedTuple):
    """The tiles of a split, and what they show."""

    tiled: TiledSet
    truth: TileTruth


@dataclass(frozen=True, eq=False)
class EpochPlan:
    """`sizes` (N, 2) int32 height and width px of every sample's scene, how often each comes (`balance`, None: once) by
    which flags (`asked`), and the `tiles` that the scenes are (None: whole pictures).
    """

    sizes: np.ndarray
    balance: Balance | None
    asked: tuple[str, ...] = ()
    tiles: Tiles | None = None

    @classmethod
    def of(cls, records: Sequence[Record], data: DataConfig) -> EpochPlan:
        """What `data` asks for."""
        plan = cls._once(records, data)
        if data.repeat == 1:
            return plan
        balance = plan.balance or Balance.even(len(plan.sizes))
        return replace(plan, balance=balance.times(data.repeat), asked=(*plan.asked, f"--repeat {data.repeat}"))

    @classmethod
    def _once(cls, records: Sequence[Record], data: DataConfig) -> EpochPlan:
        sizes, tiling = flatten(records).sizes, tiling_of(data)
        threshold = data.balance_threshold if data.balance == "repeat" else None
        if tiling is None:
            return cls(sizes, None) if threshold is None else cls(sizes, Balance.of(records, threshold), ("--balance",))
        tiled = TiledSet.of(tiling, sizes)
        truth = TileTruth.of(tiled, records, data.tile_min_visible)
        return cls(
            tiled.tile_sizes,
            Balance.of_tiles(truth, len(tiled), data.tile_empty, threshold),
            tiles=Tiles(tiled, truth),
        )

    @property
    def samples(self) -> int:
        """In every epoch."""
        return len(self.sizes) if self.balance is None else self.balance.samples

    def lines(self, split: str) -> list[str]:
        """What to say of it."""
        if self.tiles is None:
            asked, pictures = ", ".join(self.asked), counted(len(self.sizes), "picture")
            return [f"{asked}: {pictures} make {self.samples:,} samples in every epoch"] if asked else []
        tiled, truth = self.tiles
        assert self.balance is not None, "tiles are balanced"
        empty = self.balance.pictures[~truth.showing(len(tiled))]
        return tile_words(split, tiled, truth, round(float(empty.sum())))

    def scenes(self, pictures: SceneSource, least: float) -> SceneSource:
        """The scenes of the samples, of which `pictures` are the pictures; `least`: see cut_scene."""
        if self.tiles is None:
            return pictures
        tiled, truth = self.tiles
        recent = RecentScenes(pictures, self._at_once(pictures))
        return TileScenes(recent, tiled, truth.showing(len(tiled)), least)

    def neighbours(self, pictures: SceneSource) -> Neighbours | None:
        """Which samples come together; None: any."""
        return None if self.tiles is None else Neighbours(self.tiles.tiled.pictures, self._at_once(pictures))

    def _at_once(self, pictures: SceneSource) -> int:
        """How many pictures are decoded at the same time: a matter of their sizes alone, so that the same seed gives
        the same samples on any machine.
        """
        largest = int(pictures.sizes.astype(np.int64).prod(1).max(initial=1)) * pictures.channels.bytes_per_pixel
        return max(min(KEPT_BYTES // largest, KEPT), AT_LEAST)
