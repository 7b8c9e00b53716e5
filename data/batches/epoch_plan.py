"""What an epoch of training is made of: pictures or their tiles, how often each comes, which come together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        flat, tiling = flatten(records), tiling_of(data)
        threshold = data.balance_threshold if data.balance == "repeat" else None
        sizes, balance, tiles = flat.sizes, None, None
        if tiling is not None:
            tiled = TiledSet.of(tiling, sizes)
            tiles = Tiles(tiled, TileTruth.of(tiled, records, data.tile_min_visible))
            sizes = tiled.tile_sizes
            balance = Balance.of_tiles(tiles.truth, len(tiled), data.tile_empty, threshold)
        elif threshold is not None:
            balance = Balance.of(records, threshold)
        if data.repeat > 1:
            even = Balance.even(len(sizes), int(flat.labels.max(initial=-1)) + 1)
            balance = (balance or even).times(data.repeat)
        asked = {"--balance": threshold is not None, f"--repeat {data.repeat}": data.repeat > 1}
        return cls(sizes, balance, tuple(flag for flag, given in asked.items() if given), tiles)

    @property
    def samples(self) -> int:
        """In every epoch."""
        return len(self.sizes) if self.balance is None else self.balance.samples

    def lines(self, split: str) -> list[str]:
        """What to say of it."""
        tiles, samples = self.tiles, f"{counted(self.samples, 'sample')} in every epoch"
        scenes = counted(len(self.sizes), "picture" if tiles is None else "tile")
        words = [f"{', '.join(self.asked)}: {scenes} make {samples}"] if self.asked else []
        if tiles is None:
            return words
        assert self.balance is not None, "tiles are balanced"
        empty = self.balance.pictures[~tiles.truth.showing(len(tiles.tiled))]
        return [*tile_words(split, tiles.tiled, tiles.truth, round(float(empty.sum()))), *words]

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
