"""Many pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from utils.drawing.fonts import draw_text, shortened, text_height
from utils.values.boxes import Letterbox

_SHEET, _SHEET_TEXT = (24, 26, 29), (214, 218, 222)


def fitted(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """`image` (H, W, 3) resized to that size in px: averaged when it shrinks, interpolated when it grows."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def picture_grid(images: Sequence[np.ndarray], captions: Sequence[str], columns: int, cell: int) -> np.ndarray:
    """A contact sheet (H, W, 3) uint8 RGB: pictures row by row, each fitted into a cell below its caption.

    Cells are `cell` px on the longer side; the other side shrinks to the pictures: wide ones waste no paper.
    """
    assert images and len(images) == len(captions), "one caption per picture, and one picture at least"
    fits = [Letterbox.fit(image.shape[:2], (cell, cell)).inner for image in images]
    high, wide = max(h for h, _ in fits), max(w for _, w in fits)
    gap, size = 8, min(max(round(cell / 32), 11), 16)
    strip = text_height(size) + 4
    rows = math.ceil(len(images) / columns)
    shape = (rows * (high + strip + gap) + gap, min(columns, len(images)) * (wide + gap) + gap, 3)
    sheet = np.full(shape, _SHEET, np.uint8)
    corners = []
    for i, (image, (h, w)) in enumerate(zip(images, fits, strict=True)):
        left, top = gap + i % columns * (wide + gap), gap + i // columns * (high + strip + gap)
        y, x = top + strip + (high - h) // 2, left + (wide - w) // 2
        sheet[y : y + h, x : x + w] = fitted(image, h, w)
        corners.append((left, top))
    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    for (left, top), caption in zip(corners, captions, strict=True):
        draw_text(draw, (left + 1, top + 2), shortened(caption, size, wide - 2), size, _SHEET_TEXT)
    return np.array(picture)
