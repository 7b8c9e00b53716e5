"""The scenes of a data set: pictures from files or a cache, truth from records."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from data.augment.scene import Scene
from data.index.flat_truth import flatten
from data.pictures.picture_decoder import image_error
from data.scenes.cached_pictures import Pictures
from utils.values.channels import Channels


class RecordScenes:
    """A SceneSource of the records of `pictures`. Raises DataError as `Pictures` does, and for a picture of another
    size than its record says: it was replaced, and its boxes lie elsewhere.

    It keeps no array of its own: pickled for a worker, it must not carry what an index maps into memory.
    """

    def __init__(self, pictures: Pictures) -> None:
        self.pictures, self.records = pictures, pictures.records

    @property
    def channels(self) -> Channels:
        """See SceneSource."""
        return self.pictures.channels

    @property
    def sizes(self) -> np.ndarray:
        """(P, 2) int32: height and width px, as the records say."""
        return flatten(self.records).sizes

    @property
    def donors(self) -> np.ndarray:
        """(P,) bool: the pictures that show a defect outside ignore regions."""
        truth = flatten(self.records)
        return np.bincount(truth.pictures[~truth.crowd], minlength=len(self)) > 0

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Scene:
        record = self.records[index]
        planes = self.pictures[index]
        if planes.shape[:2] != record.size:
            (height, width), (now_high, now_wide) = record.size, planes.shape[:2]
            reason = f"is {now_wide} x {now_high}, but was {width} x {height} when the labels were read"
            raise image_error(record.path, reason, "start again, so that both are read anew")
        boxes, crowd = record.pixel_boxes(), record.crowd
        return Scene(planes, boxes[~crowd], record.labels[~crowd], boxes[crowd])

    def picture(self, index: int) -> int:
        """See SceneSource."""
        return index

    def of_pictures(self, pictures: Iterable[int]) -> np.ndarray:
        """See SceneSource."""
        return np.array(list(pictures), np.int64)
