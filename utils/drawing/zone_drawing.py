"""Zones drawn on pictures: a dashed outline and a name; what is left out for every class is darker, and hatched.

Pictures are (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image, ImageDraw

from utils.drawing.fonts import draw_text, shortened, text_height, text_width
from utils.zones.zones import Zones

DARKER = 0.75
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def draw_zones(image: np.ndarray, zones: Zones, line_width: int | None = None, names: bool = True) -> np.ndarray:
    """A copy of `image` with the zones laid over it, whatever its shape. `line_width` px (None: by its size)."""
    drawn = np.array(image, np.uint8, order="C")  # (H, W, 3) planes may be one in memory
    height, width = drawn.shape[:2]
    line = line_width or max(1, round(math.sqrt(height + width) / 24))
    corners = [np.minimum(one, (width - 1, height - 1)) for one in zones.corners_in((height, width))]
    for zone, polygon in zip(zones.zones, corners, strict=True):
        if not zone.inside:
            _shade(drawn, polygon, line, darker=zone.labels is None)
    for polygon in corners:
        _dashes(drawn, polygon, line)
    if not names:
        return drawn
    shown = Image.fromarray(drawn)
    draw = ImageDraw.Draw(shown)
    for zone, polygon in zip(zones.zones, corners, strict=True):
        _name(draw, zone.name, polygon, (width, height))
    return np.asarray(shown)


def _shade(drawn: np.ndarray, polygon: np.ndarray, line: int, darker: bool) -> None:
    """Hatch a polygon, and darken it if asked for."""
    left, top = np.floor(polygon.min(0)).astype(int)
    right, bottom = np.ceil(polygon.max(0)).astype(int) + 1
    part = drawn[top:bottom, left:right]
    inside = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(polygon - (left, top)).astype(np.int32)], 1)
    if darker:
        part[inside > 0] = (part[inside > 0] * DARKER).astype(np.uint8)
    hatch, (high, wide) = np.zeros_like(inside), part.shape[:2]
    for start in range(-high, wide, 12 * line):
        cv2.line(hatch, (start, high), (start + high, 0), 1, line)
    lines = (hatch & inside) > 0
    part[lines] = (part[lines] * 0.6 + 0.4 * 255 * (part[lines].mean(1, keepdims=True) < 128)).astype(
        np.uint8
    )  # seen on light and dark


def _dashes(drawn: np.ndarray, polygon: np.ndarray, line: int) -> None:
    """White dashes on a black line around a polygon."""
    whole = np.round(polygon).astype(np.int32)
    cv2.polylines(drawn, [whole], True, BLACK, line + 2)
    for start, end in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        count = max(round(float(np.hypot(*(end - start))) / (10 * line)), 1)
        for k in range(count):
            pair = [
                tuple(np.round(start + (end - start) * (k + part) / count).astype(int).tolist()) for part in (0, 0.5)
            ]
            cv2.line(drawn, pair[0], pair[1], WHITE, line)


def _name(draw: ImageDraw.ImageDraw, name: str, polygon: np.ndarray, picture: tuple[int, int]) -> None:
    """The name at the topmost corner of a polygon, below it, in the picture (width, height)."""
    width, height = picture
    size = max(9, round(6 + (height + width) * 0.0035))
    pad = max(2, size // 4)
    short = shortened(name, size, width - 2 * pad)
    wide, high = math.ceil(text_width(short, size)) + 2 * pad, text_height(size)
    left, top = polygon[np.lexsort((polygon[:, 0], polygon[:, 1]))[0]]
    x, y = max(min(round(left) + pad, width - wide), 0), max(min(round(top) + pad, height - high), 0)
    draw.rectangle((x, y, x + wide - 1, y + high - 1), fill=BLACK)
    draw_text(draw, (x + pad, y), short, size, WHITE)
