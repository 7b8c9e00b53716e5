"""How large tiles are to be, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.index.flat_truth import flatten
from data.tiles.tiled_set import TiledSet, TileTruth
from utils.config.config import Config, DataConfig
from utils.flags.looking_flags import AUTO
from utils.tiling.tiles import Tiling
from utils.values.record import Record
from utils.words.errors import ConfigError, DataError
from utils.words.text import counted

WANTED = 16  # px of the network's input that a small box has at least
LARGEST = 4  # times a tile is enlarged to become the network's input
STEP = 32  # px: a multiple of every network's stride


def with_tile(cfg: Config, records: Sequence[Record]) -> Config:
    """The configuration of a training on `records`, with --tile auto replaced. Raises DataError."""
    if cfg.data.tile != AUTO:
        return cfg
    side = chosen_tile(records, cfg.data.imgsz)
    return replace(cfg, data=replace(cfg.data, tile=side))


def auto_words(asked: int, data: DataConfig) -> str:
    """What became of --tile auto, if it was asked for."""
    if asked != AUTO:
        return ""
    if not data.tile:
        return f"--tile auto: at --img {data.imgsz} pictures as a whole show small boxes as well: no tiles"
    return f"--tile auto: {data.tile} px, which become inputs of {data.imgsz} px"


def tiling_of(cfg: DataConfig) -> Tiling | None:
    """How pictures are cut; None: not at all."""
    return Tiling(cfg.tile, cfg.tile_overlap, cfg.tile_full) if cfg.tile else None


def chosen_tile(records: Sequence[Record], imgsz: int) -> int:
    """--tile auto: the side px of a tile that becomes a network input of `imgsz` px in which the median of the smaller
    half of the boxes is `WANTED` px wide and high on (geometric) average; 0: whole pictures do as well. Raises
    DataError where there are no boxes.
    """
    flat = flatten(records)
    boxes, _, pictures = flat.to_learn()
    if not len(boxes):
        raise DataError("--tile auto: there are no boxes to choose by; give a number of pixels")
    small = float(np.quantile(np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1)), 0.25))
    side = int(small * imgsz / WANTED) // STEP * STEP
    side = max(side, -(-imgsz // LARGEST // STEP) * STEP, STEP)
    return 0 if side >= int(flat.sizes[pictures].max()) else side


def check_tile(tile: int, stride: int) -> None:
    """Raise ConfigError for a tile that is no multiple of the network's `stride` px."""
    if tile > 0 and tile % stride:
        near = sorted({max(tile // stride, 1) * stride, -(-tile // stride) * stride})
        words = " or ".join(map(str, near))
        raise ConfigError(f"--tile {tile}: must be a multiple of the network's stride {stride}: take {words}")


def tile_words(split: str, tiled: TiledSet, truth: TileTruth, drawn: int) -> list[str]:
    """What a split becomes in tiles, so that pictures, tiles and boxes balance; `drawn` empty tiles an epoch."""
    side, count = tiled.tiling.side, len(tiled)
    showing = int(truth.showing(count).sum())
    pictures = counted(len(tiled.sizes), "picture")
    wholes = int((np.diff(tiled.starts) > 1).sum()) if tiled.tiling.whole else 0
    also = f" and {wholes:,} whole ones" if wholes else ""
    lines = [
        f"{split}: {pictures} make {count - wholes:,} tiles of {side} px{also}: {showing:,} show defects, "
        f"{count - showing:,} none, of which {drawn:,} come in each epoch"
    ]
    if int(tiled.sizes.max(initial=0)) <= side:
        lines.append(f"{split}: no picture is larger than a tile of {side} px: each is one tile")
    if truth.unseen:
        lines.append(
            f"{split}: {truth.unseen:,} of {counted(truth.boxes, 'box')} are shown enough of by no tile, and learnt "
            "from none; a larger --tile-overlap may, --tile-full shows whole pictures, too"
        )
    return lines
