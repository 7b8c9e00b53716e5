"""The scenes of a drawn world: pictures and truth, drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from data.augment.scene import Scene
from data.world.drawn_world import DrawnWorld
from utils.values.channels import RGB_CHANNELS, Channels


class WorldScenes:
    """A SceneSource of the training pictures of `world`. Labels are of its classes, or with `coded` what its wordings
    tell apart. Raises DataError for a background that cannot be read.
    """

    def __init__(self, world: DrawnWorld, coded: bool) -> None:
        self.world, self.coded = world, coded

    @property
    def channels(self) -> Channels:
        """See SceneSource."""
        return RGB_CHANNELS

    @property
    def sizes(self) -> np.ndarray:
        """(P, 2) int32: height and width px."""
        return np.full((len(self), 2), self.world.size, np.int32)

    @property
    def donors(self) -> np.ndarray:
        """(P,) bool: all, as nobody knows what a picture shows before it is drawn."""
        return np.ones(len(self), bool)

    def __len__(self) -> int:
        return self.world.count

    def __getitem__(self, index: int) -> Scene:
        picture = self.world.picture(index)
        boxes = np.array([defect.box for defect in picture.defects], np.float32).reshape(-1, 4)
        labels = picture.codes() if self.coded else picture.labels * (not self.world.single)
        return Scene(picture.image, boxes, labels.astype(np.int64))

    def classes(self, labels: np.ndarray) -> np.ndarray:
        """(D,) int64: what its labels are as classes."""
        return self.world.classes(labels) if self.coded else labels

    def picture(self, index: int) -> int:
        """See SceneSource."""
        return index

    def of_pictures(self, pictures: Iterable[int]) -> np.ndarray:
        """See SceneSource."""
        return np.array(list(pictures), np.int64)
