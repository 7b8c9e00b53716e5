"""What a camera makes of a surface: lens, exposure, noise, grey or colour, the file's compression."""

from __future__ import annotations

from math import cos, sin

import cv2
import numpy as np

from data.surfaces.fields import axes, layers, smooth

Rng = np.random.Generator


def photographed(rng: Rng, colour: np.ndarray) -> np.ndarray:
    """(S, S, 3) float32 light 0..1 and above -> (S, S, 3) uint8 RGB."""
    light = colour * layers(_lens(rng, len(colour)))
    if rng.random() < 0.5:
        cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 1.1), dst=light)
    grey = rng.random() < 0.45  # a camera without colours
    if grey:
        light = cv2.transform(light, np.full((1, 3), 1 / 3, np.float32))
    picture = cv2.convertScaleAbs(np.maximum(light, 0), alpha=255)
    picture = cv2.LUT(picture, _curve(rng, float(np.mean(cv2.mean(picture)[: 1 if grey else 3]))))
    picture = _noisy(rng, np.atleast_3d(picture))
    picture = np.repeat(picture, 3, 2) if grey else picture
    return _compressed(rng, picture) if rng.random() < 0.5 else picture


def _lens(rng: Rng, size: int) -> np.ndarray:
    """Light that falls off to the edges and from one side."""
    x, y = axes(size)
    fall, tilt = rng.uniform(0, 0.7) ** 2, rng.normal(0, 0.15, 2)
    return np.maximum((1 - fall * x * x + tilt[0] * x) + (tilt[1] * y - fall * y * y), 0.2).astype(np.float32)


def _curve(rng: Rng, mean: float) -> np.ndarray:
    """(256,) uint8: brightness and gamma of a camera that is set for a picture of this `mean`."""
    gain, gamma = min(rng.lognormal(0, 0.2), 190 / max(mean, 1)), rng.lognormal(0, 0.15)
    level = np.clip(np.arange(256) / 255 * gain, 0, 1) ** gamma
    return np.rint(255 * level).astype(np.uint8)


def _noisy(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """With the sensor's noise, of up to 8 grey levels; that of two colours is that of the first, moved."""
    size, planes = picture.shape[0], picture.shape[2]
    noise = rng.standard_normal((size, size), np.float32) * np.float32(rng.uniform(0, 8))
    moves = rng.integers(1, size, (planes, 2)).tolist()
    moved = cv2.merge([np.roll(noise, move, (0, 1)) if k else noise for k, move in enumerate(moves)])
    return cv2.add(picture, np.atleast_3d(moved), dtype=cv2.CV_8U).reshape(picture.shape)


def _compressed(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """As JPEG keeps it."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None, "it was just written"
    return read


def glare(rng: Rng, colour: np.ndarray) -> None:
    """A reflection of a lamp, in place: no defect."""
    x, y = axes(len(colour))
    along, across = rng.uniform(0.05, 0.5), rng.uniform(0.02, 0.12)
    turn = rng.uniform(-np.pi, np.pi)
    dx, dy = x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)
    u, v = (dx * cos(turn) + dy * sin(turn)) / along, (dy * cos(turn) - dx * sin(turn)) / across
    colour += layers(rng.uniform(0.1, 0.6) * np.exp(-0.5 * (u * u + v * v)))


def shadow(rng: Rng, colour: np.ndarray) -> None:
    """Soft shade over a part of the picture, in place: no defect."""
    shade = smooth(rng, len(colour), rng.uniform(1, 2))
    colour *= layers(np.clip(1 + rng.uniform(0.05, 0.25) * shade, 0.4, 1.4))
