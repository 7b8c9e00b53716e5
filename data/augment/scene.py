"""A picture together with its truth: what training and evaluation samples are made of, wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from utils.values.channels import Channels


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture and what is on it, in pixels of the picture.

    `planes` (H, W, C) upright, uint8 RGB or as the `channels` of its source say; not to be written to. `boxes` (N, 4)
    float32 xyxy px and `labels` (N,) int64 are what is to be found; in `ignored` (R, 4) float32 xyxy px nothing counts.
    """

    planes: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    ignored: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    @classmethod
    def without_truth(cls, planes: np.ndarray) -> Scene:
        """A picture of which nothing is known."""
        return cls(planes, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) px."""
        return self.planes.shape[0], self.planes.shape[1]


class SceneSource(Protocol):
    """Scenes by index, read from files or drawn when they are asked for; the loader's workers each have a copy of it.

    The scene at an index is always the same. What is asked for beside scenes is known without making one.
    """

    @property
    def channels(self) -> Channels:
        """What the planes of every scene are."""

    @property
    def sizes(self) -> np.ndarray:
        """(P, 2) int32: height and width px."""

    @property
    def donors(self) -> np.ndarray:
        """(P,) bool: the scenes from which copy-paste may take objects; True where that is not known beforehand."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Scene: ...

    def picture(self, index: int, /) -> int:
        """Which picture a scene shows: itself, but for a tile, of which a picture has several."""

    def of_pictures(self, pictures: Iterable[int], /) -> np.ndarray:
        """(n,) int64: the scenes that show these pictures."""
