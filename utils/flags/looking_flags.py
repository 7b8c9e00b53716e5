"""How val.py and detect.py look at pictures: in tiles, also mirrored and enlarged, with several networks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from utils.config.config import DataConfig
from utils.config.given_values import as_switch
from utils.config.ranges import in_range, knob_flag
from utils.flags.parser import Parser
from utils.words.errors import ConfigError
from utils.words.text import shown

AUTO = -1  # data.tile: the side is chosen from the sizes of the training boxes
MERGES = ("nms", "wbf")
_SIDE, _OVERLAP = knob_flag(DataConfig, "tile"), knob_flag(DataConfig, "tile_overlap")


@dataclass(frozen=True, kw_only=True)
class LookingFlags:
    """None: as the checkpoint was trained. `ensemble`: the checkpoints after the first."""

    tile: int | None
    tile_overlap: float | None
    tile_full: bool | None
    augment: bool
    merge: Literal["nms", "wbf"] | None
    ensemble: tuple[str, ...]

    def tiled(self, data: DataConfig, imgsz: int | None) -> DataConfig:
        """The data section with what the flags say of tiles. The network's input is as large as a tile that is given,
        unless `imgsz` px are. Raises ConfigError for what does nothing.
        """
        if self.tile == AUTO:
            raise ConfigError("--tile auto: is chosen in training; give px, or leave it out for those of the training")
        tile = data.tile if self.tile is None else self.tile
        given = {"--tile-overlap": self.tile_overlap is not None, "--tile-full": self.tile_full}
        if not tile and (idle := next((flag for flag, value in given.items() if value), "")):
            raise ConfigError(f"{idle}: pictures are looked at as a whole; add --tile, or leave it out")
        return replace(
            data,
            tile=tile,
            tile_overlap=data.tile_overlap if self.tile_overlap is None else self.tile_overlap,
            tile_full=data.tile_full if self.tile_full is None else self.tile_full,
            imgsz=imgsz or self.tile or data.imgsz,
        )

    def looking(self) -> dict[str, Any]:
        """As a Detector takes it. Raises ConfigError for what does nothing."""
        self.check_merge()
        names = ("tile", "tile_overlap", "tile_full", "augment")
        return {**{name: getattr(self, name) for name in names}, "merge": self.merge or "wbf"}

    def check_merge(self) -> None:
        """Raise ConfigError for --merge with nothing to merge."""
        if self.merge and not (self.augment or self.ensemble):
            raise ConfigError("--merge: there is one look at each picture; add --augment or several --weights")


def given_looking(
    tile: int | None,
    tile_overlap: float | None,
    tile_full: bool | None,
    augment: bool,
    merge: Literal["nms", "wbf"],
    others: Sequence[Path],
) -> LookingFlags:
    """What a Python program asks for; `others`: the checkpoints after the first. Raises ConfigError."""
    if merge not in MERGES:
        raise ConfigError(f"merge must be {' or '.join(MERGES)}, got {shown(merge)}")
    return LookingFlags(
        tile=None if tile is None else in_range(DataConfig, "tile", tile),
        tile_overlap=None if tile_overlap is None else in_range(DataConfig, "tile_overlap", tile_overlap),
        tile_full=None if tile_full is None else as_switch("tile_full", tile_full),
        augment=augment,
        merge=merge,
        ensemble=tuple(map(str, others)),
    )


def side_or_auto(text: str) -> int:
    """A side in px, or `auto`: argparse's `type`."""
    return AUTO if text == "auto" else int(_SIDE(text))


def add_looking(parser: Parser) -> None:
    """The flags of LookingFlags, but --weights; `split_weights` makes two of that."""
    add = parser.add_argument
    add("--tile", type=side_or_auto, default=None, metavar="PX", help="look in tiles; 0: at pictures as a whole")
    add("--tile-overlap", type=_OVERLAP, default=None, metavar="PART", help="of tiles, of their side (0.2)")
    add(
        "--tile-full",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="with tiles: at pictures as a whole, too, for large defects",
    )
    add("--augment", action="store_true", help="look also mirrored and enlarged: slower, more accurate")
    add("--merge", choices=MERGES, default=None, help="of several looks: weighted box fusion (default), or NMS")


def add_weights(parser: Parser) -> None:
    """--weights, of which there may be several."""
    words = "checkpoint (default: best.pt of the newest run); several look together"
    parser.add_argument("--weights", nargs="+", default=[""], metavar="FILE", help=words)


def split_weights(values: dict[str, Any]) -> dict[str, Any]:
    """The first of --weights, and the others as the `ensemble`."""
    first, *others = values["weights"]
    return {**values, "weights": first, "ensemble": tuple(others)}
