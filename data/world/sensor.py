"""What a camera makes of a surface: lens, exposure, noise, grey or colour, the file's compression."""

from __future__ import annotations

import cv2
import numpy as np

from data.world.fields import coordinates, smooth

Rng = np.random.Generator


def photographed(rng: Rng, colour: np.ndarray) -> np.ndarray:
    """(S, S, 3) float32 light 0..1 and above -> (S, S, 3) uint8 RGB."""
    light = np.clip(colour, 0, 1.5)
    light *= _lens(rng, len(light))[..., None]
    if rng.random() < 0.5:
        light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 1.1))
    light = _exposed(rng, light)
    if rng.random() < 0.45:  # a camera without colours
        light = np.repeat(light.mean(2, keepdims=True), 3, 2)
        light += np.float32(rng.uniform(0, 0.03)) * rng.standard_normal(light.shape[:2], np.float32)[..., None]
    else:
        light += np.float32(rng.uniform(0, 0.03)) * rng.standard_normal(light.shape, np.float32)
    picture = np.clip(light * 255 + 0.5, 0, 255).astype(np.uint8)
    return _compressed(rng, picture) if rng.random() < 0.5 else picture


def _lens(rng: Rng, size: int) -> np.ndarray:
    """Light that falls off to the edges and from one side."""
    x, y = coordinates(size)
    fall = rng.uniform(0, 0.7) ** 2 * (x * x + y * y)
    tilt = rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y
    return np.clip(1 - fall + tilt, 0.2, None).astype(np.float32)


def _exposed(rng: Rng, light: np.ndarray) -> np.ndarray:
    """Brightness, contrast and gamma of the camera."""
    gain, gamma = rng.lognormal(0, 0.18), rng.lognormal(0, 0.15)
    return np.clip(light * np.float32(gain), 0, 1) ** np.float32(gamma)


def _compressed(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """As JPEG keeps it."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None, "it was just written"
    return read


def glare(rng: Rng, colour: np.ndarray) -> None:
    """A reflection of a lamp, in place: no defect."""
    size = len(colour)
    x, y = coordinates(size)
    along, across = rng.uniform(0.05, 0.5), rng.uniform(0.02, 0.12)
    turn = rng.uniform(-np.pi, np.pi)
    dx, dy = x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    spot = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2)).astype(np.float32)
    colour += (rng.uniform(0.1, 0.6) * spot)[..., None]


def shadow(rng: Rng, colour: np.ndarray) -> None:
    """Soft shade over a part of the picture, in place: no defect."""
    colour *= np.clip(1 + rng.uniform(0.05, 0.25) * smooth(rng, len(colour), rng.uniform(1, 2)), 0.4, 1.4)[..., None]
