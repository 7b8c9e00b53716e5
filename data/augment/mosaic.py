"""Several pictures as one: four side by side (mosaic), or two blended (mixup)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from data.augment.transforms import Shape, random_matrix, scaling, translation
from utils.config.config import AugmentConfig
from utils.values.batch import Sample

# Of the canvas: how far from its centre a mosaic's pictures can lie (0.25 to where they meet, 0.5 for a picture).
REACH = 0.75


def mosaic_matrices(
    rng: np.random.Generator, cfg: AugmentConfig, sizes: Sequence[Shape], size: int
) -> list[np.ndarray]:
    """One (3, 3) matrix per picture, original pixels -> network input (`size` px square).

    Four pictures (height, width), each scaled to `size` on its longest side, meet in a random point of the middle
    half of a canvas twice as wide, of which `random_matrix` shows a random view.
    """
    meet_x, meet_y = rng.uniform(0.5 * size, 1.5 * size, 2)
    view = random_matrix(rng, cfg, canvas=(2 * size, 2 * size), shape=(size, size), reach=REACH)
    matrices = []
    for (height, width), (right, below) in zip(sizes, ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
        scale = size / max(height, width)
        # Pictures on the left or above end at the meeting point, the others begin there.
        x, y = meet_x - (1 - right) * width * scale, meet_y - (1 - below) * height * scale
        matrices.append(view @ translation(x, y) @ scaling(scale, scale))
    return matrices


def single_matrix(rng: np.random.Generator, cfg: AugmentConfig, picture: Shape, shape: Shape) -> np.ndarray:
    """The matrix of a training picture on its own: centred in the network input, then a random view of that."""
    height, width = picture
    scale = min(shape[0] / height, shape[1] / width)
    x, y = (shape[1] - width * scale) / 2, (shape[0] - height * scale) / 2
    return random_matrix(rng, cfg, canvas=shape, shape=shape) @ translation(x, y) @ scaling(scale, scale)


def mixup(one: Sample, other: Sample, share: float) -> Sample:
    """`share` of `one` and the rest of `other`, samples of one shape; boxes, labels and ignore regions of both.

    Zhang et al., mixup, ICLR 2018, as detectors use it.
    """
    return replace(
        one,
        # reshape: OpenCV drops the last axis of a picture with one plane
        image=cv2.addWeighted(one.image, share, other.image, 1 - share, 0).reshape(one.image.shape),
        boxes=np.concatenate((one.boxes, other.boxes)),
        labels=np.concatenate((one.labels, other.labels)),
        boxes_lost=one.boxes_lost + other.boxes_lost,
        ignored=np.concatenate((one.ignored, other.ignored)),
    )
