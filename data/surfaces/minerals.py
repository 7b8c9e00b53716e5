"""Surfaces of stone, concrete, asphalt, tiles, bricks and glass."""

from __future__ import annotations

import cv2
import numpy as np

from data.surfaces.fields import along, axes, cells, grain, layers, ramp, smooth, streaks, tinted, warped
from data.surfaces.metals import painted
from data.surfaces.surface import Rng, Surface, mounted, surface


def concrete(rng: Rng, size: int) -> Surface:
    """Grey, cloudy, sandy, with small pores."""
    light = (
        rng.uniform(0.45, 0.7) + 0.04 * smooth(rng, size, 4, 4, 0.7) + rng.uniform(0.02, 0.05) * grain(rng, size, 0.6)
    )
    pores = smooth(rng, size, size / 5)
    light -= rng.uniform(0.05, 0.25) * ramp(pores, rng.uniform(2.6, 3.6), 4.5)
    return surface(rng, light.astype(np.float32), (1.0, 0.985, 0.95))


def asphalt(rng: Rng, size: int) -> Surface:
    """Dark, with bright stones."""
    labels, _ = cells(rng, size, int(size * size / rng.uniform(12, 40)))
    stones = rng.gamma(2.0, 0.5, labels.max() + 1).astype(np.float32)[labels]
    light = rng.uniform(0.2, 0.38) * (0.65 + 0.35 * cv2.GaussianBlur(stones, (0, 0), 0.7)) + 0.02 * smooth(
        rng, size, 3, 2
    )
    return surface(rng, light, (1.0, 1.0, 1.0))


def stone(rng: Rng, size: int) -> Surface:
    """Marble or slate: clouds and veins."""
    clouds = smooth(rng, size, 3, 5, 0.6)
    veins = np.exp(-np.abs(warped(smooth(rng, size, 3), 9 * smooth(rng, size, 6, 3), 9 * clouds)) * 9)
    light = rng.uniform(0.35, 0.8) + 0.05 * clouds - rng.uniform(-0.15, 0.25) * veins
    return surface(rng, light.astype(np.float32), (1.0, rng.uniform(0.93, 1.0), rng.uniform(0.85, 1.0)))


def tile(rng: Rng, size: int) -> Surface:
    """Glazed: even or speckled, now and then with a joint."""
    made = painted(rng, size)
    colour = 0.55 * made.colour + 0.4
    if rng.random() < 0.4:
        colour -= layers(0.15 * ramp(smooth(rng, size, size / 4), 1.8, 2.6))
    if rng.random() < 0.35:
        joint = np.abs(along(size, mounted(rng)) - rng.uniform(-0.4, 0.4))
        colour = colour * layers(1 - 0.45 * ramp(joint, rng.uniform(0.008, 0.02), 0))
    return Surface(np.clip(colour, 0, 1).astype(np.float32), 0.0, made.lamp)


def glass(rng: Rng, size: int) -> Surface:
    """A pane or a bottle's wall before a lamp: bright, even, bent light near an edge."""
    angle = mounted(rng)
    s = along(size, angle) - rng.uniform(-0.6, 0.6)
    light = rng.uniform(0.6, 0.9) - rng.uniform(0, 0.5) * s * s + 0.01 * streaks(rng, size, 2, 6)
    light -= rng.uniform(0, 0.5) * ramp(np.abs(s), rng.uniform(0.5, 0.7), 0.9)
    light += 0.006 * grain(rng, size)
    return surface(rng, light.astype(np.float32), (rng.uniform(0.75, 1), 1.0, rng.uniform(0.8, 1)), angle)


def brick(rng: Rng, size: int) -> Surface:
    """Masonry: rough bricks and joints."""
    rows, aspect = rng.uniform(3, 8), rng.uniform(2.2, 3)
    x, y = axes(size)
    row = np.floor(y * rows + 50)
    column = x * rows / aspect + 0.5 * (row % 2) + 50
    gap = np.minimum(_to_whole(y * rows), aspect * _to_whole(column)) + 0.02 * smooth(rng, size, 20, 2)
    mortar = layers(ramp(gap, rng.uniform(0.07, 0.1), 0.04))
    tones = rng.normal(0, 0.1, 4096).astype(np.float32)[((row * 37 + np.floor(column)) % 4096).astype(np.int64)]
    brick_colour = tinted(1 + tones + 0.1 * smooth(rng, size, 20, 3), (0.6, 0.32, 0.24))
    colour = brick_colour * (1 - mortar) + np.array((0.62, 0.6, 0.56), np.float32) * mortar
    return Surface(colour * layers(1 + 0.05 * grain(rng, size, 0.6)), 0.0, rng.uniform(-np.pi, np.pi))


def _to_whole(x: np.ndarray) -> np.ndarray:
    """The distance to the nearest whole number."""
    return np.abs(x - np.rint(x))
