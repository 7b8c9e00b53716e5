"""The heat of a box over its picture: warm where its score comes from, the picture as it is where nothing matters."""

from __future__ import annotations

import math

import cv2
import numpy as np

from utils.drawing.box_drawing import BoxStyle, draw_boxes, scaled_boxes
from utils.drawing.colours import class_colour
from utils.values.heat import Heat

MAP = "turbo"  # its colours stay apart from grey metal and brown wood, from blue over green to red
MOST_HIDDEN = 0.6  # of the picture, where the heat is greatest
FULL = 0.5  # of the greatest heat, from which on it hides so much
AROUND, LEAST = 4.0, 240  # of a picture is drawn: so many times the box's longer side, at least so many px
SMALLEST, LARGEST = 480, 1600  # px of the longer side of what is drawn: captions need room, and a page has no more


def heat_caption(name: str, score: float, heat: Heat) -> str:
    """`scratch 0.83; 0.71 of it from inside the box`; `score`: of the detection."""
    if heat.score <= 0:  # several views or networks together found it
        return f"{name} {score:.2f}; not found in this view alone"
    return f"{name} {score:.2f}; {heat.inside:.2f} of it from inside the box"


def draw_heat(image: np.ndarray, heat: Heat, caption: str, style: BoxStyle, beside: bool = False) -> np.ndarray:
    """A new (h, w, 3) uint8 RGB picture: `image` (H, W, 3) with the heat, the box in its class's colour and a caption:
    what lies around the box, at a size that can be looked at. `image` may be smaller than the picture itself.
    `beside`: first the same part as it is, which the heat hides; side by side, or one above the other if it is wide.
    """
    size = (image.shape[0], image.shape[1])
    box = scaled_boxes(np.array([heat.box]), heat.size, size)[0]
    left, top, right, bottom = window = _window(box, size)
    part = image[top:bottom, left:right]
    longer = max(part.shape[:2])
    scale = min(max(longer, SMALLEST), LARGEST) / longer
    height, width = (max(1, round(side * scale)) for side in part.shape[:2])
    smooth = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    part = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=smooth)
    across, down = heat.size[1] / size[1], heat.size[0] / size[0]
    values = _sampled(heat, np.array(window) * (across, down, across, down), (height, width))
    colours, hidden = _coloured(values)
    drawn = part + (colours - part) * hidden[..., None]
    moved = (box - (left, top, left, top)) * np.tile((width / (right - left), height / (bottom - top)), 2)
    colour = class_colour(heat.label)
    drawn = draw_boxes(drawn.round().astype(np.uint8), moved[None], [caption], [colour], style)
    return np.concatenate((part, drawn), 1 if height > width / 2 else 0) if beside else drawn


def heat_png(heat: Heat, size: tuple[int, int]) -> bytes:
    """The heat as a PNG with alpha, to lie over the whole picture shown at `size` (height, width) px."""
    values = _sampled(heat, np.array([0, 0, heat.size[1], heat.size[0]]), size)
    colours, hidden = _coloured(values)
    planes = np.concatenate((colours[..., ::-1], hidden[..., None] * 255), 2)  # OpenCV's order
    done, data = cv2.imencode(".png", planes.round().astype(np.uint8))
    assert done, "a PNG holds any picture that a page shows"
    return data.tobytes()


def _window(box: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Xyxy px of what is drawn of a picture of `size` (height, width)."""
    side = max(AROUND * float((box[2:] - box[:2]).max()), LEAST)
    edges = []
    for middle, length in zip((box[:2] + box[2:]) / 2, size[::-1], strict=True):
        start = math.floor(min(max(middle - side / 2, 0), max(length - side, 0)))
        edges.append((start, min(math.ceil(start + side), length)))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _sampled(heat: Heat, window: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The heat at `size` (height, width) px of a `window` (4,) xyxy px of the picture; 0 where it says nothing."""
    rows = []
    for axis in (0, 1):
        start, end = heat.area[axis], heat.area[axis + 2]
        cells = heat.values.shape[1 - axis] / (end - start)  # for each px of the picture
        step = (window[axis + 2] - window[axis]) / size[1 - axis]
        # OpenCV counts from the middle of the first pixel
        rows.append((step * cells, (window[axis] + step / 2 - start) * cells - 0.5))
    (x, x0), (y, y0) = rows
    matrix = np.array([[x, 0, x0], [0, y, y0]])
    return cv2.warpAffine(heat.values, matrix, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _coloured(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) in 0..1 -> (H, W, 3) RGB colours in 0..255, and (H, W) how far they hide what is below, in 0..1."""
    from matplotlib import colormaps

    table = np.asarray(colormaps[MAP](np.arange(256)))[:, :3] * 255
    steps = (values.clip(0, 1) * 255).round().astype(np.int64)
    return table[steps], (values / FULL).clip(0, 1) * MOST_HIDDEN
