"""A picture of a data set and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

EVERY_CLASS = -1  # the label of an ignore region that belongs to no class in particular


@dataclass(frozen=True, eq=False)
class Record:
    """One picture of a data set and its truth.

    `boxes` (N, 4) float32 xyxy as fractions 0..1 of the upright picture, `labels` (N,) int64 indices into the names,
    `crowd` (N,) bool for regions in which detections of that class count neither as hits nor as false alarms (COCO's
    iscrowd); a crowd row with the label EVERY_CLASS does so for every class. `size` (height, width) of the upright
    picture in pixels, `image_id` the id that predictions.json uses, `labelled` False when no label file was found.
    `outside` (N,) bool, of an evaluation in zones: crowd rows that lie where their class does not count.
    """

    path: Path
    image_id: int
    size: tuple[int, int]
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    labelled: bool = True
    outside: np.ndarray | None = None

    @property
    def good(self) -> bool:
        """A good picture shows no defect that counts; an ignore region of no class in particular does not make it a bad
        one.
        """
        shown = self.labels != EVERY_CLASS
        return not (shown if self.outside is None else shown & ~self.outside).any()

    @property
    def open(self) -> np.ndarray:
        """(N,) bool: the crowd rows in which there may be anything; not those that lie where nothing counts."""
        return self.crowd if self.outside is None else self.crowd & ~self.outside

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) px of the original picture and labels (N,) of what is to be found: without crowd rows."""
        return self.pixel_boxes()[~self.crowd], self.labels[~self.crowd]

    def pixel_boxes(self) -> np.ndarray:
        """(N, 4) float32 xyxy in pixels of the original picture."""
        height, width = self.size
        return self.boxes * np.array([width, height, width, height], np.float32)

    def input_sizes(self, imgsz: int) -> np.ndarray:
        """(N, 2) float32 width, height of the boxes to learn (not crowd) in px of a network input whose longest side
        is `imgsz`.
        """
        boxes = self.pixel_boxes()[~self.crowd]
        return (boxes[:, 2:] - boxes[:, :2]) * np.float32(imgsz / max(self.size))
