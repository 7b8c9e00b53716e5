"""Surfaces of wood, paper, textiles, leather, plastics."""

from __future__ import annotations

import cv2
import numpy as np

from data.surfaces.fields import axes, borders, cells, grain, layers, shaded, smooth, streaks, turned, warped
from data.surfaces.metals import painted
from data.surfaces.surface import Rng, Surface, any_colour, mounted, surface


def plastic(rng: Rng, size: int) -> Surface:
    """Moulded: even, finely textured, one colour."""
    made = painted(rng, size)
    return Surface(made.colour * layers(1 + 0.015 * grain(rng, size, 0.8)), 0.0, made.lamp)


def rubber(rng: Rng, size: int) -> Surface:
    """Dark, dull, speckled."""
    light = rng.uniform(0.08, 0.2) + 0.012 * grain(rng, size, 0.7) + 0.012 * smooth(rng, size, 8, 3)
    return surface(rng, light, (1.0, 1.0, 1.03))


def wood(rng: Rng, size: int) -> Surface:
    """A board: year rings cut along, fibres, pores."""
    angle = mounted(rng)
    x, y = axes(size)
    wave = rng.uniform(0.02, 0.12) * streaks(rng, size, 2, 3) + rng.uniform(-0.5, 0.5) * x * x
    rings = (y + wave) * np.float32(rng.uniform(5, 22))
    saw = rings - np.floor(rings)
    light = rng.uniform(0.45, 0.75) - rng.uniform(0.04, 0.14) * saw**2
    light = light + 0.02 * streaks(rng, size, 4, size / 2) + 0.02 * streaks(rng, size, 8, size / 4)
    tint = (1.0, rng.uniform(0.72, 0.86), rng.uniform(0.48, 0.66))
    return surface(rng, turned(light.astype(np.float32), angle), tint, angle)


def woven(rng: Rng, size: int) -> Surface:
    """Cloth: threads over and under each other, plain or twill."""
    angle, pitch, twill = mounted(rng), rng.uniform(4, 9), rng.integers(1, 4)
    x, y = np.arange(size, dtype=np.float32)[None] / pitch, np.arange(size, dtype=np.float32)[:, None] / pitch
    x, y = x + 0.15 * smooth(rng, size, 4), y + 0.15 * smooth(rng, size, 4)
    over = (np.floor(x) + twill * np.floor(y)) % (twill + 1) == 0
    across = np.where(over, x - np.floor(x), y - np.floor(y))
    light = np.sin(np.pi * across) ** 0.7 * np.where(over, 1.0, rng.uniform(0.75, 0.97))
    light = rng.uniform(0.35, 0.85) * (0.72 + 0.28 * light) * (1 + 0.03 * grain(rng, size, 0.5))
    hue = (1.0, rng.uniform(0.8, 1.05), rng.uniform(0.7, 1.1))
    return surface(rng, turned(light.astype(np.float32), angle), hue, angle)


def leather(rng: Rng, size: int) -> Surface:
    """Cells with furrows between them."""
    labels, distance = cells(rng, size, int(rng.integers(300, 1500)))
    furrows = cv2.GaussianBlur(borders(labels).astype(np.float32) / 255, (0, 0), 1.0)
    light = rng.uniform(0.2, 0.6) * (1 - 0.5 * furrows + 0.05 * smooth(rng, size, 5, 2))
    return surface(rng, light, (1.0, rng.uniform(0.6, 0.95), rng.uniform(0.4, 0.9)))


def paper(rng: Rng, size: int) -> Surface:
    """Paper or cardboard: bright or brown, with fibres."""
    fibres = streaks(rng, size, 30, 60, 2) if rng.random() < 0.5 else smooth(rng, size, 40, 3, 0.8)
    light = rng.uniform(0.6, 0.95) + 0.02 * fibres + 0.01 * grain(rng, size)
    brown = rng.random() < 0.4
    return surface(rng, light, (1.0, 0.83, 0.64) if brown else (1.0, 1.0, 0.98))


def film(rng: Rng, size: int) -> Surface:
    """Foil: bright, with soft folds that shine."""
    lamp, height = rng.uniform(-np.pi, np.pi), 14 * streaks(rng, size, rng.uniform(1, 4), rng.uniform(1, 6), 2)
    light = rng.uniform(0.5, 0.8) * shaded(height, lamp, rng.uniform(0.2, 0.8))
    return surface(rng, light, (1.0, rng.uniform(0.9, 1), rng.uniform(0.75, 1.05)))


def knitted(rng: Rng, size: int) -> Surface:
    """Loops side by side, row above row."""
    angle, pitch = mounted(rng), rng.uniform(6, 14)
    x, y = np.arange(size, dtype=np.float32)[None] / pitch, np.arange(size, dtype=np.float32)[:, None] / pitch
    x, y = x + 0.1 * smooth(rng, size, 4), y + 0.15 * smooth(rng, size, 4)
    leg = np.abs(x - np.rint(x))  # two legs of a loop lean towards each other
    yarn = (
        np.abs(np.sin(np.pi * (y + rng.uniform(0.8, 1.4) * leg))) ** 0.6 * np.sin(np.pi * (2 * leg * 0.9 + 0.05)) ** 0.5
    )
    light = rng.uniform(0.3, 0.85) * (0.55 + 0.45 * yarn) * (1 + 0.04 * grain(rng, size, 0.6))
    return surface(rng, turned(light.astype(np.float32), angle), any_colour(rng, (0, 0.5), (0.7, 1.0)).tolist(), angle)


def carpet(rng: Rng, size: int) -> Surface:
    """Tufts in relief, each of a tone of its own."""
    labels, distance = cells(rng, size, int(size * size / rng.uniform(25, 90)))
    tones = rng.normal(1, rng.uniform(0.04, 0.15), labels.max() + 1).astype(np.float32)[labels]
    light = rng.uniform(0.25, 0.75) * tones * (1.15 - 0.5 * distance) * (1 + 0.08 * grain(rng, size, 0.6))
    return surface(rng, light.astype(np.float32), any_colour(rng, (0, 0.7), (0.6, 1.0)).tolist())


def carbon(rng: Rng, size: int) -> Surface:
    """Carbon fibre: dark tows in twill, which shine as they lie."""
    angle, pitch = mounted(rng), rng.uniform(10, 26)
    x, y = np.arange(size, dtype=np.float32)[None] / pitch, np.arange(size, dtype=np.float32)[:, None] / pitch
    over = (np.floor(x) + np.floor(y)) % 4 < 2
    across = np.where(over, x - np.floor(x), y - np.floor(y))
    fibres = np.where(over, streaks(rng, size, size / 2, 6), streaks(rng, size, 6, size / 2))
    tone = np.where(over, rng.uniform(0.06, 0.14), rng.uniform(0.14, 0.3))
    light = tone * (0.7 + 0.5 * np.sin(np.pi * across)) + 0.015 * fibres
    return surface(rng, turned(light.astype(np.float32), angle), (1.0, 1.0, 1.02), angle)


def particles(rng: Rng, size: int) -> Surface:
    """Particle board: flakes of wood, each of its own brown."""
    labels, distance = cells(rng, size, int(rng.integers(250, 1600)))
    bend = rng.uniform(2, 6)
    labels = warped(labels.astype(np.float32), bend * streaks(rng, size, 3, 40), bend * streaks(rng, size, 40, 3))
    tones = rng.normal(0, 1, int(labels.max()) + 2).astype(np.float32)[labels.astype(np.int64)]
    light = rng.uniform(0.5, 0.72) + rng.uniform(0.03, 0.09) * cv2.GaussianBlur(tones, (0, 0), 0.8) - 0.04 * distance
    tint = (1.0, rng.uniform(0.78, 0.88), rng.uniform(0.55, 0.7))
    return surface(rng, light + 0.02 * grain(rng, size, 0.7), tint)
