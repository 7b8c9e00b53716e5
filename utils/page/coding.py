"""Pictures for a browser."""

from __future__ import annotations

import cv2
import numpy as np

from utils.drawing.contact_sheet import fitted
from utils.words.errors import DataError

LONGEST = 1600  # px of the longer side
QUALITY = 88


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) px of a picture as it is shown."""
    scale = min(LONGEST / max(*size, 1), 1.0)
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def as_jpeg(image: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB as a JPEG of at most LONGEST px. Raises DataError."""
    grey = image.strides[2] == 0  # a huge one, whose planes are one in memory: OpenCV would copy it three times
    small = fitted(image[..., 0] if grey else image, *shown_size((image.shape[0], image.shape[1])))
    planes = np.ascontiguousarray(small if grey else cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    done, data = cv2.imencode(".jpg", planes, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise DataError("a picture cannot be shown: it could not be encoded; look at it in another program")
    return data.tobytes()
