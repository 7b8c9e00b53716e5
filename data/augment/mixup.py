"""Two samples as one, by blending: mixup (Zhang et al., ICLR 2018) as detectors use it, with the boxes of both."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from utils.values.batch import Sample


def mixup(one: Sample, other: Sample, share: float) -> Sample:
    """`share` of `one` and the rest of `other`, samples of one shape; boxes, labels and ignore regions of both."""
    return replace(
        one,
        image=cv2.addWeighted(one.image, share, other.image, 1 - share, 0).reshape(one.image.shape),
        boxes=np.concatenate((one.boxes, other.boxes)),
        labels=np.concatenate((one.labels, other.labels)),
        boxes_lost=one.boxes_lost + other.boxes_lost,
        ignored=np.concatenate((one.ignored, other.ignored)),
    )
