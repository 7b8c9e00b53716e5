"""Tiles as scenes: pixels and truth of a part of a picture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

from data.augment.scene import Scene, SceneSource
from data.tiles.tiled_set import Area, TiledSet, shown_parts
from utils.values.channels import Channels


def cut_scene(scene: Scene, area: Area, least: float) -> Scene:
    """The part of a scene in `area` (xyxy px), with a picture of its own. A box of which it shows less than the part
    `least` is an ignored region there: neither a defect nor background.
    """
    if area == (0, 0, scene.size[1], scene.size[0]):
        return scene
    left, top, right, bottom = area
    planes = np.ascontiguousarray(scene.planes[top:bottom, left:right])
    shown = shown_parts(scene.boxes, np.array([area]))[:, 0]
    whole, partial = shown >= least, (shown > 0) & (shown < least)
    ignored = np.concatenate((scene.boxes[partial], scene.ignored))
    ignored = _within(ignored, area)
    return Scene(
        planes,
        _within(scene.boxes[whole], area),
        scene.labels[whole],
        ignored[(ignored[:, 2:] > ignored[:, :2]).all(1)],
    )


def _within(boxes: np.ndarray, area: Area) -> np.ndarray:
    """(N, 4) xyxy px of a picture -> px of its area, limited to that."""
    left, top, right, bottom = area
    origin, most = np.array([left, top] * 2, np.float32), np.array([right - left, bottom - top] * 2, np.float32)
    limited: np.ndarray = np.clip(boxes - origin, 0, most)
    return limited


class RecentScenes:
    """The scenes of `scenes`, of which the last `count` stay in memory: tiles of one picture need it decoded once."""

    def __init__(self, scenes: SceneSource, count: int) -> None:
        self.scenes, self.count = scenes, count
        self.kept: OrderedDict[int, Scene] = OrderedDict()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for while it is being copied, when there is no `scenes` yet
            raise AttributeError(name)
        return getattr(self.scenes, name)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "kept": OrderedDict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Scene:
        if index in self.kept:
            self.kept.move_to_end(index)
            return self.kept[index]
        while len(self.kept) >= self.count:  # before another one takes its place in memory
            self.kept.popitem(last=False)
        scene = self.kept[index] = self.scenes[index]
        return scene


class TileScenes:
    """A SceneSource of the tiles of the pictures of `scenes`, numbered as in `tiled`. `showing` (T,) bool: which show
    a box; `least`: see cut_scene.
    """

    def __init__(self, scenes: RecentScenes, tiled: TiledSet, showing: np.ndarray, least: float) -> None:
        self.scenes, self.tiled, self.showing, self.least = scenes, tiled, showing, least

    @property
    def channels(self) -> Channels:
        """See SceneSource."""
        channels: Channels = self.scenes.channels
        return channels

    @property
    def sizes(self) -> np.ndarray:
        """(T, 2) int32: height and width px."""
        return self.tiled.tile_sizes

    @property
    def donors(self) -> np.ndarray:
        """(T,) bool: the tiles that show a box."""
        return self.showing

    def __len__(self) -> int:
        return len(self.tiled)

    def __getitem__(self, index: int) -> Scene:
        return cut_scene(self.scenes[self.tiled.picture(index)], self.tiled.area(index), self.least)

    def picture(self, index: int) -> int:
        """The picture that the tile is of."""
        return self.tiled.picture(index)

    def of_pictures(self, pictures: Iterable[int]) -> np.ndarray:
        """(n,) int64: the tiles of these pictures."""
        return self.tiled.of_pictures(pictures)
