"""What belongs on a part and is no defect, though it looks like some: bores, screws, joints, lettering, labels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from data.surfaces.fields import layers, shaded
from data.surfaces.surface import Surface

Rng = np.random.Generator
SIGNS = "ABCDEFGHKLMNPRSTUVXYZ0123456789-/."
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX)
SHIFT = 4  # binary places of cv2's coordinates


def add_features(rng: Rng, surface: Surface) -> None:
    """One or two of them, in place."""
    for _ in range(int(rng.integers(1, 3))):
        FEATURES[rng.integers(len(FEATURES))](rng, surface)


def _lay(surface: Surface, cover: np.ndarray, level: float | np.ndarray) -> None:
    """Light of `level` where `cover` (S, S) uint8 is 255."""
    part = layers(cover.astype(np.float32) / 255)
    surface.colour[:] = surface.colour * (1 - part) + np.float32(level) * part


def _press(surface: Surface, cover: np.ndarray, strength: float, soft: float = 1.0) -> None:
    """Raise what is covered, or press it in where `strength` is negative."""
    height = cv2.GaussianBlur(cover.astype(np.float32) / 255, (0, 0), soft)
    np.multiply(surface.colour, layers(np.clip(shaded(height, surface.lamp, strength), 0.3, 1.8)), out=surface.colour)


def _pattern(rng: Rng, size: int) -> np.ndarray:
    """(N, 2) px: places in a row, a grid or on a circle, as people drill."""
    kind, middle = rng.integers(3), rng.uniform(0.25, 0.75, 2) * size
    if kind == 0:
        step, turn = rng.uniform(0.12, 0.3) * size, rng.choice((0, np.pi / 2)) + rng.normal(0, 0.05)
        offsets = np.arange(rng.integers(1, 6))[:, None] * step * np.array([np.cos(turn), np.sin(turn)])
        return middle + offsets - offsets.mean(0)
    if kind == 1:
        rows, columns = np.mgrid[: rng.integers(2, 4), : rng.integers(2, 4)]
        offsets = np.stack((columns.ravel(), rows.ravel()), 1) * rng.uniform(0.15, 0.35) * size
        return middle + offsets - offsets.mean(0)
    count = int(rng.integers(3, 9))
    turns = rng.uniform(0, 2 * np.pi) + np.arange(count) * 2 * np.pi / count
    return middle + rng.uniform(0.15, 0.4) * size * np.stack((np.cos(turns), np.sin(turns)), 1)


def _discs(size: int, places: np.ndarray, radius: float) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    for place in np.rint(places * (1 << SHIFT)).astype(int).tolist():
        cv2.circle(canvas, place, int(radius * (1 << SHIFT)), 255, -1, cv2.LINE_AA, SHIFT)
    return canvas


def bores(rng: Rng, surface: Surface) -> None:
    """Round holes of one size in a pattern, each with a chamfer."""
    size, places = len(surface.colour), _pattern(rng, len(surface.colour))
    radius = rng.uniform(0.012, 0.05) * size
    _press(surface, _discs(size, places, radius * rng.uniform(1.1, 1.5)), -rng.uniform(2, 4))
    _lay(surface, _discs(size, places, radius), rng.choice((rng.uniform(0, 0.1), rng.uniform(0.8, 1))))


def screws(rng: Rng, surface: Surface) -> None:
    """Round heads of one size in a pattern, with a slot or a cross."""
    size, places = len(surface.colour), _pattern(rng, len(surface.colour))
    radius, slots = rng.uniform(0.025, 0.06) * size, np.zeros((size, size), np.uint8)
    heads = _discs(size, places, radius)
    level = float(surface.colour.mean()) * rng.uniform(0.7, 1.3)
    for place in places:
        turn = rng.uniform(0, np.pi)
        for angle in (turn, turn + np.pi / 2)[: int(rng.integers(0, 3))]:
            reach = 0.75 * radius * np.array([np.cos(angle), np.sin(angle)])
            ends = np.rint(np.stack((place - reach, place + reach)) * (1 << SHIFT)).astype(int).tolist()
            cv2.line(slots, ends[0], ends[1], 255, max(int(0.25 * radius), 1), cv2.LINE_AA, SHIFT)
    _lay(surface, (0.7 * heads).astype(np.uint8), level)
    _press(surface, heads, rng.uniform(2, 4))
    _lay(surface, (0.8 * slots).astype(np.uint8), 0.4 * level)


def joint(rng: Rng, surface: Surface) -> None:
    """A straight groove or ridge from one side of the picture to the other, or two beside each other."""
    size, canvas = len(surface.colour), np.zeros(surface.colour.shape[:2], np.uint8)
    turn, middle = rng.choice((0, np.pi / 2)) + rng.normal(0, 0.03), rng.uniform(0.1, 0.9, 2) * size
    way, apart = np.array([np.cos(turn), np.sin(turn)]), rng.uniform(0.03, 0.2) * size
    for number in range(int(rng.integers(1, 3))):
        start = middle + number * apart * way[::-1] * (-1, 1)
        ends = np.rint(np.stack((start - 2 * size * way, start + 2 * size * way)) * (1 << SHIFT)).astype(int).tolist()
        cv2.line(canvas, ends[0], ends[1], 255, int(rng.integers(1, max(size // 60, 2) + 1)), cv2.LINE_AA, SHIFT)
    if rng.random() < 0.5:
        _lay(surface, (rng.uniform(0.3, 0.9) * canvas).astype(np.uint8), rng.uniform(0, 0.3))
    _press(surface, canvas, rng.choice((-1, 1)) * rng.uniform(1, 3))


def _writing(rng: Rng, height: int, strong: bool = True) -> np.ndarray:
    """(h, w) uint8: some signs of about `height` px."""
    text = "".join(rng.choice(list(SIGNS), int(rng.integers(2, 9))).tolist())
    font, thick = FONTS[rng.integers(len(FONTS))], int(rng.integers(1, 3)) if strong else 1
    scale = height / cv2.getTextSize("H", font, 1, thick)[0][1]
    (width, tall), below = cv2.getTextSize(text, font, scale, thick)
    canvas = np.zeros((tall + below + 4, width + 4), np.uint8)
    cv2.putText(canvas, text, (2, tall + 2), font, scale, 255, thick, cv2.LINE_AA)
    return canvas


def _set_down(rng: Rng, size: int, *patches: np.ndarray) -> list[np.ndarray]:
    """(S, S) uint8 each: patches of one size at one place of the picture, straight, on their heads or on their sides,
    cut off at the picture's edge.
    """
    turns = int(rng.integers(4))
    turned = [np.rot90(patch, turns)[:size, :size] for patch in patches]
    height, width = turned[0].shape
    top, left = (int(rng.integers(size - length + 1)) for length in (height, width))
    canvases = [np.zeros((size, size), np.uint8) for _ in turned]
    for canvas, patch in zip(canvases, turned, strict=True):
        canvas[top : top + height, left : left + width] = patch
    return canvases


def lettering(rng: Rng, surface: Surface) -> None:
    """Printed, or stamped into the material."""
    size = len(surface.colour)
    (signs,) = _set_down(rng, size, _writing(rng, int(rng.integers(7, max(size // 8, 8)))))
    if rng.random() < 0.5:
        _press(surface, signs, rng.choice((-1, 1)) * rng.uniform(1.5, 3))
    else:
        _lay(surface, (rng.uniform(0.5, 1) * signs).astype(np.uint8), rng.choice((rng.uniform(0, 0.2), 0.9)))


def label(rng: Rng, surface: Surface) -> None:
    """A bright sticker with signs and bars."""
    height = int(rng.uniform(0.12, 0.25) * len(surface.colour))
    signs = _writing(rng, max(height // 4, 5), strong=False)
    width = max(signs.shape[1] + 8, height)
    ink, sticker = np.zeros((height, width), np.uint8), np.full((height, width), 255, np.uint8)
    ink[4 : 4 + signs.shape[0], 4 : 4 + signs.shape[1]] = signs[: height - 4]
    bars = np.repeat(rng.random(width) < 0.5, int(rng.integers(1, 4)))[:width]
    ink[height // 2 : -4, 4:-4] = 255 * bars[4:-4]
    sticker, ink = _set_down(rng, len(surface.colour), sticker, ink)
    _lay(surface, sticker, rng.uniform(0.8, 0.95))
    _lay(surface, ink, 0.1)


FEATURES: tuple[Callable[[Rng, Surface], None], ...] = (bores, screws, joint, lettering, label)
