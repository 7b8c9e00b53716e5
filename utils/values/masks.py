"""Masks of objects as COCO's run-length code: a few bytes each instead of a picture's worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

Rle = dict[str, Any]  # {"size": [height, width], "counts": COCO's compressed runs as text}
_TINT = 0.4  # share of the colour inside a filled mask


def encode_mask(mask: np.ndarray) -> Rle:
    """A mask (H, W) bool in COCO's run-length code, ready for JSON."""
    from pycocotools import mask as coco_masks  # here: only who asks for masks needs it

    code = coco_masks.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(mask.shape), "counts": code["counts"].decode("ascii")}


def decode_mask(rle: Rle) -> np.ndarray:
    """The mask (H, W) bool of a run-length code."""
    from pycocotools import mask as coco_masks

    return coco_masks.decode({**rle, "counts": rle["counts"].encode("ascii")}).astype(bool)


def shrunk_mask(rle: Rle, height: int, width: int) -> Rle:
    """A mask made smaller: a pixel is in it where half of what it stands for is."""
    from pycocotools import mask as coco_masks

    columns = coco_masks.decode({**rle, "counts": rle["counts"].encode("ascii")}).T  # contiguous: no copy for OpenCV
    return encode_mask(cv2.resize(columns, (height, width), interpolation=cv2.INTER_AREA).T.astype(bool))


def fill_masks(image: np.ndarray, masks: Sequence[Rle], colours: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """A new (H, W, 3) uint8 RGB picture: `image` with each mask, of its size, filled translucently."""
    picture = image.copy()
    for rle, colour in zip(masks, colours, strict=True):
        mask = decode_mask(rle)
        picture[mask] = np.rint(picture[mask] * (1 - _TINT) + np.array(colour) * _TINT).astype(np.uint8)
    return picture
