"""Surfaces of circuit boards, solar cells, wafers and displays."""

from __future__ import annotations

import cv2
import numpy as np

from data.surfaces.fields import axes, cells, grain, layers, ramp, smooth, tinted
from data.surfaces.surface import Rng, Surface, any_colour, surface


def board(rng: Rng, size: int) -> Surface:
    """A circuit board: tracks and pads on solder resist."""
    parts = np.zeros((size, size), np.uint8)
    pitch, width = rng.uniform(0.06, 0.14) * size, rng.uniform(0.018, 0.04) * size
    for k in range(int(size / pitch) + 1):
        place, bend = (k + 0.5) * pitch, rng.uniform(0.2, 0.8) * size
        shift = rng.choice((-1, 0, 0, 1)) * pitch
        points = np.array([[0, place], [bend, place], [bend + abs(shift), place + shift], [size, place + shift]])
        cv2.polylines(parts, [np.rint(points * 16).astype(np.int32)], False, 255, max(int(width), 1), cv2.LINE_AA, 4)
        if rng.random() < 0.6:
            at = (round(rng.uniform(0.05, 0.95) * size), round(place))
            cv2.circle(parts, at, int(width * rng.uniform(1.1, 1.8)), 255, -1, cv2.LINE_AA)
    upright = rng.random() < 0.5
    parts = np.ascontiguousarray(parts.T) if upright else parts
    base, copper = _board_colours(rng)
    mix = layers(parts.astype(np.float32) / 255)
    colour = base * (1 - mix) + copper * mix
    colour = colour * layers(1 + 0.02 * grain(rng, size, 0.7) + 0.03 * smooth(rng, size, 3))
    return Surface(colour.astype(np.float32), np.pi / 2 * upright, rng.uniform(-np.pi, np.pi), parts)


def _board_colours(rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    pairs = (
        ((0.05, 0.28, 0.12), (0.25, 0.55, 0.25)),
        ((0.05, 0.15, 0.35), (0.2, 0.4, 0.6)),
        ((0.08, 0.08, 0.08), (0.95, 0.95, 0.95)),
        ((0.5, 0.4, 0.25), (0.85, 0.55, 0.35)),
    )
    base, copper = pairs[rng.integers(len(pairs))]
    return np.array(base, np.float32), np.array(copper, np.float32)


def solar(rng: Rng, size: int) -> Surface:
    """A photovoltaic cell: bars and fingers on blue or, by its own light, grey silicon."""
    x, y = axes(size)
    labels, _ = cells(rng, size, int(rng.integers(20, 90)))
    crystals = rng.uniform(-1, 1, labels.max() + 1).astype(np.float32)[labels]
    light = 1 + rng.uniform(0, 0.2) * cv2.GaussianBlur(crystals, (0, 0), 0.6) + 0.05 * smooth(rng, size, 4, 3)
    fingers = ramp(np.abs((y * rng.uniform(30, 60)) % 1 - 0.5), 0.12, 0.05)
    bars = ramp(np.abs((x * rng.uniform(2, 5) + rng.uniform()) % 1 - 0.5), 0.04, 0.03)
    lines = layers(np.maximum(0.5 * fingers, bars))
    grey = rng.random() < 0.5
    base, metal = (np.array((0.5,) * 3, np.float32), 0.1) if grey else (np.array((0.08, 0.14, 0.38), np.float32), 0.75)
    colour = tinted(light, base) * (1 - lines) + np.float32(metal) * lines
    return Surface(colour.astype(np.float32), 0.0, rng.uniform(-np.pi, np.pi))


def wafer(rng: Rng, size: int) -> Surface:
    """Dies in rows: the same small pattern in each, between bright or dark streets."""
    pitch = int(rng.uniform(0.07, 0.25) * size)
    die = np.full((pitch, pitch), rng.uniform(0.3, 0.6), np.float32)
    for _ in range(int(rng.integers(2, 9))):
        low = rng.integers(0, pitch, 2)
        high = low + rng.integers(1, max(pitch // 2, 2), 2)
        die[low[0] : high[0], low[1] : high[1]] += rng.uniform(-0.15, 0.2)
    street = max(int(rng.uniform(0.03, 0.1) * pitch), 1)
    die[:street], die[:, :street] = (rng.choice((0.12, 0.85)),) * 2
    count = -(-size // pitch) + 1
    top, left = rng.integers(0, pitch, 2)
    dies = np.tile(die, (count, count))[top : top + size, left : left + size]
    light = cv2.GaussianBlur(dies, (0, 0), 0.6) * (1 + 0.03 * smooth(rng, size, 2)) + 0.01 * grain(rng, size)
    hue = any_colour(rng, (0, 0.4), (0.8, 1.0))
    return surface(rng, light.astype(np.float32), hue.tolist())


def display(rng: Rng, size: int) -> Surface:
    """A panel that shows one colour: its pixels as stripes of red, green and blue, or too fine to be told apart."""
    pitch, level = rng.uniform(2, 9), rng.uniform(0.15, 0.9)
    x, y = np.arange(size, dtype=np.float32)[None] / pitch, np.arange(size, dtype=np.float32)[:, None] / pitch
    rows = np.clip(6 * np.abs(y - np.rint(y)), 0.3, 1)
    shown = any_colour(rng, (0, 0.5), (0.6, 1.0))
    stripes = [np.clip(3 - 6 * np.abs(x + k / 3 - np.rint(x + k / 3)), 0.15, 1) * rows for k in range(3)]
    colour = cv2.merge([(level * s * c).astype(np.float32) for s, c in zip(stripes, shown.tolist(), strict=True)])
    even = layers((1 + 0.03 * smooth(rng, size, 2) + 0.01 * grain(rng, size)).astype(np.float32))
    return Surface(colour * even, 0.0, rng.uniform(-np.pi, np.pi))
