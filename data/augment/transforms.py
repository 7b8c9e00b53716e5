"""Geometry as one matrix per picture, colour as one table per picture. Every random draw comes from the Generator
passed in.

Matrices are (3, 3) float64 and act on continuous coordinates (a picture W wide spans 0..W), so that boxes and
pixels move alike.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from utils.config.config import AugmentConfig
from utils.values.boxes import Letterbox, clip_boxes

PAD = 114  # grey of padding, as in the YOLO family
Shape = tuple[int, int]  # height, width


def translation(x: float, y: float) -> np.ndarray:
    """Shift by x, y px."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def scaling(x: float, y: float) -> np.ndarray:
    """Scale about the origin; negative values mirror."""
    return np.diag([x, y, 1.0])


def random_matrix(
    rng: np.random.Generator, cfg: AugmentConfig, canvas: Shape, shape: Shape, reach: float = 0.5
) -> np.ndarray:
    """A random view of a `canvas` on the network input of `shape`, both (height, width) px.

    Zoom 1 +- scale, rotation +- degrees, shear and perspective about the canvas' centre, shift +- translate, mirrored
    with the chances of flipud and fliplr. What is drawn lies within `reach` canvases of the centre.
    """
    wide, high = shape[1], shape[0]
    zoom = rng.uniform(1 - cfg.scale, 1 + cfg.scale)
    angle = math.radians(rng.uniform(-cfg.degrees, cfg.degrees))
    shear = np.tan(np.radians(rng.uniform(-cfg.shear, cfg.shear, 2)))
    shift = rng.uniform(0.5 - cfg.translate, 0.5 + cfg.translate, 2) * (wide, high)
    mirror = np.where(rng.random(2) < (cfg.fliplr, cfg.flipud), -1.0, 1.0)
    cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
    rotation = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    shearing = np.array([[1, shear[0], 0], [shear[1], 1, 0], [0, 0, 1]])
    tilt = np.eye(3)
    if cfg.perspective:
        tilt[2, :2] = rng.uniform(-1, 1, 2) * tilt_limit(cfg.perspective, canvas, reach)
    # Read from right to left: the canvas' centre to the origin, everything about that, then into the network input.
    moved = translation(*shift) @ shearing @ rotation @ tilt @ translation(-canvas[1] / 2, -canvas[0] / 2)
    flip = translation(wide / 2, high / 2) @ scaling(*mirror) @ translation(-wide / 2, -high / 2)
    return flip @ moved


def tilt_limit(perspective: float, canvas: Shape, reach: float) -> float:
    """The largest perspective term to draw, per px: `perspective`, or what keeps everything within `reach` canvases of
    the centre at a quarter of the camera's distance at least. Behind the camera there is no picture.
    """
    # The depth is 1 + tilt_x * x + tilt_y * y, with x and y up to `reach` sides: it stays at 1 - 0.75 or more.
    return min(perspective, 0.75 / (reach * sum(canvas)))


def warp_into(canvas: np.ndarray, image: np.ndarray, matrix: np.ndarray) -> None:
    """Draw `image` (h, w, C) through `matrix` onto `canvas` (H, W, C) in place; what it does not reach stays as it
    is.
    """
    height, width = image.shape[:2]
    corners = transform_points(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64), matrix)
    limit = (canvas.shape[1], canvas.shape[0])
    x0, y0 = np.clip(np.round(corners.min(0)), 0, limit).astype(int)
    x1, y1 = np.clip(np.round(corners.max(0)), 0, limit).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    image, shrunk = _shrink(image, _scale_at_centre(matrix, width, height))
    local = translation(-x0, -y0) @ matrix @ shrunk
    by_centre = translation(-0.5, -0.5) @ local @ translation(0.5, 0.5)  # OpenCV counts from pixel centres
    view, size = canvas[y0:y1, x0:x1], (int(x1 - x0), int(y1 - y0))
    if local[2, 0] or local[2, 1]:
        border = cv2.BORDER_TRANSPARENT
        cv2.warpPerspective(image, by_centre, size, dst=view, flags=cv2.INTER_LINEAR, borderMode=border)
        return
    # An upright picture fills its rectangle: replicating covers the edge pixels, which interpolation would leave out.
    border = cv2.BORDER_TRANSPARENT if local[0, 1] or local[1, 0] else cv2.BORDER_REPLICATE
    cv2.warpAffine(image, by_centre[:2], size, dst=view, flags=cv2.INTER_LINEAR, borderMode=border)


def _scale_at_centre(matrix: np.ndarray, width: int, height: int) -> float:
    """How much `matrix` enlarges the middle of a picture: the same everywhere unless there is perspective."""
    centre = np.array([[width / 2, height / 2]])
    depth = (centre @ matrix[2, :2] + matrix[2, 2])[0]
    slope = (matrix[:2, :2] - np.outer(transform_points(centre, matrix)[0], matrix[2, :2])) / depth
    return math.sqrt(abs(np.linalg.det(slope)))


def _shrink(image: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Average blocks first where linear interpolation would skip pixels: tiny defects must not fall between samples."""
    factor = int(1 / max(scale, 1e-6))
    height, width = image.shape[:2]
    if factor < 2:
        return image, np.eye(3)
    small = (max(width // factor, 1), max(height // factor, 1))
    return resize(image, small, cv2.INTER_AREA), scaling(width / small[0], height / small[1])


def resize(image: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    """(h, w, C) -> (H, W, C) of `size` (width, height); OpenCV takes four planes at a time."""
    if image.shape[2] > 1 and image.strides[2] == 0:  # planes that are one in memory, which OpenCV would copy as three
        small = cv2.resize(image[..., 0], size, interpolation=interpolation)
        return np.repeat(small[..., None], image.shape[2], axis=2)
    groups = range(0, image.shape[2], 4)
    if len(groups) == 1:
        return cv2.resize(image, size, interpolation=interpolation).reshape(size[1], size[0], -1)
    parts = [cv2.resize(image[..., k : k + 4], size, interpolation=interpolation) for k in groups]
    return np.concatenate([part.reshape(size[1], size[0], -1) for part in parts], 2)


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(N, 2) x, y through a (3, 3) homography that leaves them before the camera (third coordinate above 0)."""
    return (points @ matrix[:2, :2].T + matrix[:2, 2]) / (points @ matrix[2, :2] + matrix[2, 2])[:, None]


def transform_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy -> the upright boxes around their transformed corners, (N, 4) float32."""
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2).astype(np.float64)
    moved = transform_points(corners, matrix).reshape(-1, 4, 2)
    return np.concatenate((moved.min(1), moved.max(1)), 1).astype(np.float32)


def clip_and_keep(boxes: np.ndarray, shape: Shape, cfg: AugmentConfig) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) boxes clipped to the network input (height, width), and which (N,) are still worth learning."""
    clipped = clip_boxes(boxes, *shape)
    before, after = boxes[:, 2:] - boxes[:, :2], clipped[:, 2:] - clipped[:, :2]
    short, long = after.min(1, initial=np.inf), after.max(1, initial=0)
    visible = after.prod(1) / np.maximum(before.prod(1), 1e-9)
    # 1e-3: boxes without area are never kept, even when min_box_px is 0.
    keep = (short >= max(cfg.min_box_px, 1e-3)) & (visible >= cfg.min_box_visible)
    return clipped, keep & (long <= cfg.max_box_aspect * short)


def draw_gains(rng: np.random.Generator, cfg: AugmentConfig) -> tuple[float, float, float] | None:
    """Factors for hue, saturation and brightness; None when the settings leave all as they are."""
    # Drawn even when it is not used: the draws that follow do not depend on these settings.
    hue, saturation, value = (1 + rng.uniform(-1, 1, 3) * (cfg.hsv_h, cfg.hsv_s, cfg.hsv_v)).tolist()
    return None if cfg.hsv_h == cfg.hsv_s == cfg.hsv_v == 0 else (hue, saturation, value)


def scale_hsv(image: np.ndarray, gains: tuple[float, float, float]) -> np.ndarray:
    """A (H, W, 3) RGB picture, uint8 or float32 in 0..1, with hue, saturation and brightness multiplied."""
    hue, saturation, value = gains
    if image.dtype == np.float32:
        planes = cv2.cvtColor(image, cv2.COLOR_RGB2HSV) * np.array(gains, np.float32)
        planes[..., 0] = np.mod(planes[..., 0], 360)  # degrees
        return cv2.cvtColor(np.minimum(planes, np.array([360, 1, 1], np.float32)), cv2.COLOR_HSV2RGB)
    ramp = np.arange(256)
    table = np.empty((1, 256, 3), np.uint8)
    table[0, :, 0] = (ramp * hue) % 180  # OpenCV halves the degrees of hue to fit 8 bits
    table[0, :, 1] = np.clip(ramp * saturation, 0, 255)
    table[0, :, 2] = np.clip(ramp * value, 0, 255)
    return cv2.cvtColor(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), table), cv2.COLOR_HSV2RGB)


def whole_cells(imgsz: int, stride: int) -> int:
    """`imgsz` px rounded up to a multiple of `stride`, as the longest side of a network input is."""
    return -(-imgsz // stride) * stride


def eval_shape(size: Shape, imgsz: int, stride: int) -> Shape:
    """(height, width) of the network input for a picture: longest side `imgsz`, the other no longer than it needs
    to be.

    It depends on the picture alone, never on its neighbours in a batch, so metrics do not depend on batch size or
    order.
    """
    scale = imgsz / max(size)
    # Rounded before ceil: a rounding error must not add a whole stride.
    height, width = (max(math.ceil(round(side * scale, 6) / stride), 1) * stride for side in size)
    return height, width


def eval_shapes(sizes: np.ndarray, imgsz: int, stride: int) -> np.ndarray:
    """(P, 2) int32: `eval_shape` of each of the (P, 2) sizes; each different size is worked out once."""
    different, which = np.unique(sizes, axis=0, return_inverse=True)
    shapes = [eval_shape((height, width), imgsz, stride) for height, width in different.tolist()]
    return np.array(shapes, np.int32).reshape(-1, 2)[which.reshape(-1)]


def filled(shape: Shape, like: np.ndarray, padding: int | np.ndarray) -> np.ndarray:
    """(*shape, C) `padding`, of the planes and type of `like`; row by row, since NumPy fills pixel by pixel where the
    planes differ in theirs.
    """
    row = np.full((shape[1], like.shape[2]), padding, like.dtype)
    canvas = np.empty((*shape, like.shape[2]), like.dtype)
    canvas[:] = row
    return canvas


def letterbox(image: np.ndarray, canvas: Shape, padding: int | np.ndarray = PAD) -> tuple[np.ndarray, Letterbox]:
    """Resize (h, w, C) into the centre of a `canvas` (height, width) of grey, or of (C,) `padding`, keeping the aspect
    ratio.
    """
    fit = Letterbox.fit((image.shape[0], image.shape[1]), canvas)
    if fit.inner != fit.original:
        shrinks = fit.inner[0] < fit.original[0]
        kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        image = resize(image, (fit.inner[1], fit.inner[0]), kind)
    if fit.inner == canvas:
        return image, fit
    padded = filled(canvas, image, padding)
    padded[fit.top : fit.top + fit.inner[0], fit.left : fit.left + fit.inner[1]] = image
    return padded, fit
