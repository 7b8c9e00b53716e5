"""The outlines of defects: how much of each pixel a line, a crack, a blob or a cloud of dots covers.

Every function draws a patch (h, w) float32 0..1 whose longer side is about `side` px, lying along the x axis where it
has a direction, and a margin around it.
"""

from __future__ import annotations

import cv2
import numpy as np

from data.surfaces.fields import borders, cells, ramp, smooth

Rng = np.random.Generator
Mask = np.ndarray
MARGIN = 3  # px of nothing around a shape
SHIFT = 4  # binary places of cv2's coordinates
LEAST = 0.9  # px: the thinnest line that a camera shows


def _empty(length: float, breadth: float) -> np.ndarray:
    return np.zeros((int(np.ceil(breadth)) + 2 * MARGIN, int(np.ceil(length)) + 2 * MARGIN), np.uint8)


def _points(points: np.ndarray) -> np.ndarray:
    return np.rint(points * (1 << SHIFT)).astype(np.int32)


def _lines(canvas: np.ndarray, points: np.ndarray, widths: np.ndarray) -> None:
    """A line through `points` (N, 2) px, of `widths` (N,) px: those below one pixel are faint instead of thin."""
    for (start, end), width in zip(zip(points[:-1], points[1:], strict=True), widths, strict=False):
        strength = int(255 * min(max(width, 0.25) / 1.4, 1))
        layer = canvas if strength >= 255 else np.zeros_like(canvas)
        a, b = (tuple(p) for p in _points(np.stack((start, end))).tolist())
        cv2.line(layer, a, b, strength, max(round(width), 1), cv2.LINE_AA, SHIFT)
        if layer is not canvas:
            np.maximum(canvas, layer, out=canvas)


def _walk(rng: Rng, length: float, breadth: float, count: int, rough: float) -> np.ndarray:
    """(count, 2) px: a way from left to right, smooth (`rough` 0) or jagged (1), within about `breadth`."""
    headings = np.zeros(count)
    for k in range(1, count):  # keeps its direction for a while, and comes back to straight on
        headings[k] = 0.75 * headings[k - 1] + rng.normal(0, 0.75 * rough)
    jag = np.cumsum(np.sin(headings)) * length / count
    t = np.linspace(0, 1, count)
    bow = np.sin(np.pi * t * rng.uniform(0.5, 1.5) + rng.uniform(0, np.pi)) * breadth
    y = bow - np.linspace(bow[0], bow[-1], count) + jag - np.linspace(jag[0], jag[-1], count)
    y -= y.min()
    return np.stack((t * length, y * min(breadth / max(float(y.max()), 1e-6), 1)), 1) + MARGIN


def stroke(rng: Rng, side: float, width: float, bend: float = 0.1, rough: float = 0.0) -> Mask:
    """A line of `width` (a part of its length) that tapers at its ends; `bend`: its breadth as a part of its length."""
    count = int(np.clip(side / 3, 5, 60))
    thick = max(width * side, LEAST)
    points = _walk(rng, side, max(bend * side, 0.1), count, rough)
    canvas = _empty(side, bend * side + thick)
    points[:, 1] += thick / 2
    t = np.linspace(0, 1, count)
    taper = np.clip(np.minimum(t * rng.uniform(3, 20), (1 - t) * rng.uniform(3, 20)), 0.3, 1)
    uneven = np.interp(t, np.linspace(0, 1, 6), rng.uniform(0.6, 1.2, 6))
    _lines(canvas, points, thick * taper * uneven)
    return canvas.astype(np.float32) / 255


def crack(rng: Rng, side: float, width: float, branches: int) -> Mask:
    """A jagged line that grows thinner, with `branches` that leave it."""
    breadth = side * rng.uniform(0.1, 0.4)
    thick, count = max(width * side, LEAST), int(np.clip(side / 3, 8, 60))
    main = _walk(rng, side, breadth, count, rng.uniform(0.6, 1.0))
    canvas = _empty(side, breadth)
    _lines(canvas, main, np.linspace(thick, 0.4 * thick, count))
    for _ in range(branches):
        start = main[rng.integers(1, count - 1)]
        reach, angle = side * rng.uniform(0.15, 0.4), rng.choice((-1, 1)) * rng.uniform(0.4, 1.2)
        way = _walk(rng, reach, 0.25 * reach, max(count // 3, 4), 0.9) - MARGIN
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        _lines(canvas, (way - way[0]) @ turn + start, np.linspace(0.7 * thick, 0.3 * thick, len(way)))
    return canvas.astype(np.float32) / 255


def web(rng: Rng, side: float, meshes: int, width: float = 0.0) -> Mask:
    """A net of cracks: the borders of `meshes` cells within an uneven outline."""
    size = int(side) + 2 * MARGIN
    labels, _ = cells(rng, size, meshes)
    net = borders(labels)
    thick = round(width * side)
    if thick > 1:
        net = cv2.dilate(net, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thick, thick)))
    net = cv2.GaussianBlur(net, (0, 0), 0.6).astype(np.float32) / 255 * np.float32(1.4)
    return np.minimum(net * _inside(rng, size), 1)


def _inside(rng: Rng, size: int) -> Mask:
    """An uneven disc that fills the square, with soft ends."""
    line = np.linspace(-1, 1, size, dtype=np.float32)
    radius = np.hypot(line[None], line[:, None]) + 0.12 * smooth(rng, size, 4)
    return ramp(radius, 0.98, 0.8).astype(np.float32)


def blob(rng: Rng, side: float, aspect: float = 1.0, rough: float = 0.3) -> Mask:
    """A filled, closed outline: `aspect` its breadth by its length, `rough` 0 an ellipse, 1 ragged."""
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones_like(turns)
    for k in range(2, 8):
        radius += rough * rng.normal(0, 0.5 / k) * np.cos(k * turns + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.35, None)
    points = np.stack((radius * np.cos(turns), aspect * radius * np.sin(turns)), 1)
    low, high = points.min(0), points.max(0)
    scale = side / (high - low).max()
    points = (points - low) * scale + MARGIN
    canvas = _empty(*((high - low) * scale))
    cv2.fillPoly(canvas, [_points(points)], 255, cv2.LINE_AA, SHIFT)
    return canvas.astype(np.float32) / 255


def ring(rng: Rng, side: float, width: float) -> Mask:
    """The rim of a blob, now and then with a gap."""
    whole = blob(rng, side, rng.uniform(0.8, 1.0), 0.1)
    thick = max(round(width * side), 1)
    inner = cv2.erode(whole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thick + 1, 2 * thick + 1)))
    rim = whole - inner
    if rng.random() < 0.3:
        rows, columns = rim.shape
        points = np.array([[columns / 2, rows / 2], [columns, rows * rng.uniform(0, 1)], [columns, rows]])
        cv2.fillPoly(rim, [_points(points)], 0.0, cv2.LINE_8, SHIFT)
    return np.ascontiguousarray(rim)


def dots(rng: Rng, side: float, count: int, least: float, most: float) -> Mask:
    """`count` discs, `least` to `most` parts of `side` across, scattered about a middle."""
    canvas = _empty(side, side)
    places = np.clip(rng.normal(0.5, 0.22, (count, 2)), 0.05, 0.95) * side + MARGIN
    for place, part in zip(places, rng.uniform(least, most, count) ** 1.5 * most**-0.5, strict=True):
        centre = tuple(_points(place).tolist())
        cv2.circle(canvas, centre, int(max(part * side / 2, 0.6) * (1 << SHIFT)), 255, -1, cv2.LINE_AA, SHIFT)
    return canvas.astype(np.float32) / 255


def area(rng: Rng, side: float, fill: float, aspect: float = 1.0) -> Mask:
    """A region in scraps: noise above a threshold, dense in the middle; `fill` is about its covered part."""
    size = int(side) + 2 * MARGIN
    line = np.linspace(-1, 1, size, dtype=np.float32)
    hill = 1.2 - 1.9 * np.hypot(line[None], line[:, None] / max(aspect, 0.2)) ** 2
    field = hill + 0.8 * smooth(rng, size, rng.uniform(2, 5), 4, 0.6)
    level = float(np.quantile(field[np.abs(line) < aspect], 1 - fill)) if fill < 1 else -9.0
    field[:2] = field[-2:] = -9
    field[:, :2] = field[:, -2:] = -9
    return ramp(field, level - 0.12, level + 0.12).astype(np.float32)


def strip(rng: Rng, side: float, width: float) -> Mask:
    """A straight band with even ends."""
    canvas = _empty(side, max(width * side, LEAST))
    rows, columns = canvas.shape
    canvas[MARGIN : rows - MARGIN, MARGIN : columns - MARGIN] = 255
    return cv2.GaussianBlur(canvas, (0, 0), 0.5).astype(np.float32) / 255


def bars(rng: Rng, side: float, count: int) -> Mask:
    """Parallel lines across the length, as a tool that chatters leaves them."""
    breadth = side * rng.uniform(0.3, 0.8)
    canvas = _empty(side, breadth)
    for place in np.linspace(0.5, count - 0.5, count) / count * side + rng.normal(0, 0.04 * side / count, count):
        ends = np.array([[place, rng.uniform(0, 0.15) * breadth], [place, breadth * rng.uniform(0.85, 1)]]) + MARGIN
        _lines(canvas, ends, np.full(1, max(0.3 * side / count, LEAST)))
    return canvas.astype(np.float32) / 255


def fibre(rng: Rng, side: float, width: float) -> Mask:
    """A thin thread that lies in loops."""
    t = np.linspace(0, 1, 40)
    x = np.cumsum(np.cos(2 * np.pi * np.cumsum(rng.normal(0, 0.05, 40)) + rng.uniform(0, 6)))
    y = np.cumsum(np.sin(3 * np.pi * t * rng.uniform(-1, 1) + rng.uniform(0, 6)))
    points = np.stack((x - x.min(), y - y.min()), 1)
    points *= side / points.max()
    canvas = _empty(*points.max(0))
    _lines(canvas, points + MARGIN, np.full(40, max(width * side, LEAST)))
    return canvas.astype(np.float32) / 255


def drip(rng: Rng, side: float, width: float) -> Mask:
    """A run of liquid along the x axis: a tail that ends in a drop."""
    thick = max(width * side, 2.0)
    canvas = _empty(side, 1.6 * thick)
    middle = MARGIN + 0.8 * thick
    points = np.stack(
        (np.linspace(0, side - 0.8 * thick, 12) + MARGIN, np.full(12, middle) + rng.normal(0, 0.06 * thick, 12)), 1
    )
    _lines(canvas, points, np.linspace(0.5 * thick, 0.9 * thick, 12) * rng.uniform(0.8, 1.1, 12))
    centre = tuple(_points(points[-1]).tolist())
    cv2.circle(canvas, centre, int(0.75 * thick * (1 << SHIFT)), 255, -1, cv2.LINE_AA, SHIFT)
    return canvas.astype(np.float32) / 255


def shard(rng: Rng, side: float, aspect: float) -> Mask:
    """A broken-out piece: a polygon of few straight edges."""
    turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(4, 8))))
    radius = rng.uniform(0.55, 1.0, len(turns))
    points = np.stack((radius * np.cos(turns), aspect * radius * np.sin(turns)), 1)
    low, high = points.min(0), points.max(0)
    scale = side / max((high - low).max(), 1e-6)
    canvas = _empty(*((high - low) * scale))
    cv2.fillPoly(canvas, [_points((points - low) * scale + MARGIN)], 255, cv2.LINE_AA, SHIFT)
    return canvas.astype(np.float32) / 255
