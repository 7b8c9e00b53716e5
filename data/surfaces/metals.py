"""Surfaces of metals: sheets, castings, machined parts, welds, coats of paint."""

from __future__ import annotations

from math import cos, sin

import cv2
import numpy as np

from data.surfaces.fields import along, axes, cells, grain, layers, ramp, shaded, smooth, streaks, tinted, turned
from data.surfaces.surface import Rng, Surface, any_colour, mounted, surface


def brushed(rng: Rng, size: int) -> Surface:
    """Fine parallel lines, long or short."""
    angle, level = mounted(rng), rng.uniform(0.4, 0.7)
    lines = streaks(rng, size, rng.uniform(1, 8), size / rng.uniform(1, 2), 1)
    lines += 0.5 * streaks(rng, size, rng.uniform(1, 3), size / 6)
    light = level + rng.uniform(0.02, 0.06) * lines + 0.02 * smooth(rng, size, 3)
    return surface(rng, turned(light, angle), (1.0, 1.0, 1.01), angle)


def rolled(rng: Rng, size: int) -> Surface:
    """Hot-rolled strip: grey, mottled, drawn out along the rolling direction."""
    angle = mounted(rng)
    light = rng.uniform(0.3, 0.6) + rng.uniform(0.02, 0.06) * streaks(rng, size, 6, 24, 4, 0.7)
    light += rng.uniform(0.01, 0.03) * grain(rng, size, 0.6)
    return surface(rng, turned(light, angle), (1.0, 0.99, 0.98), angle)


def cast(rng: Rng, size: int) -> Surface:
    """A sand-cast skin: grains in relief."""
    height = smooth(rng, size, size / rng.uniform(4, 9), 2, 0.6)
    lamp = rng.uniform(-np.pi, np.pi)
    light = rng.uniform(0.25, 0.5) * shaded(height, lamp, rng.uniform(0.4, 1.0)) + 0.03 * smooth(rng, size, 4, 2)
    return Surface(tinted(light, (1.0, 0.98, 0.95)), 0.0, lamp)


def machined(rng: Rng, size: int) -> Surface:
    """Turned or milled: arcs around a centre, or straight passes."""
    x, y = axes(size)
    far = rng.uniform(0, 2.5)
    turn = rng.uniform(-np.pi, np.pi)
    radius = np.hypot(x - far * cos(turn), y - far * sin(turn))
    radius += 0.002 * smooth(rng, size, 4)
    passes = np.sin(radius * np.float32(2 * np.pi * rng.uniform(30, 90)))
    light = rng.uniform(0.45, 0.65) + rng.uniform(0.02, 0.06) * passes + 0.02 * grain(rng, size, 0.7)
    light += 0.04 * smooth(rng, size, 2)
    return surface(rng, light.astype(np.float32), (1.0, 1.0, 1.0), turn + np.pi / 2)


def galvanised(rng: Rng, size: int) -> Surface:
    """Spangle: crystals of zinc, each of its own grey."""
    labels, distance = cells(rng, size, int(rng.integers(40, 200)))
    tones = rng.uniform(-1, 1, labels.max() + 1).astype(np.float32)[labels]
    light = rng.uniform(0.5, 0.68) + rng.uniform(0.03, 0.09) * cv2.GaussianBlur(tones, (0, 0), 0.8)
    return surface(rng, light + 0.03 * streaks(rng, size, 20, 20, 3) - 0.03 * distance, (0.97, 1.0, 1.02))


def painted(rng: Rng, size: int) -> Surface:
    """A coat of paint of any colour, with a little orange peel and a soft reflection."""
    lamp, height = rng.uniform(-np.pi, np.pi), smooth(rng, size, size / rng.uniform(6, 14))
    colour = any_colour(rng, (0, 0.8), (0.3, 0.95))
    light = shaded(height, lamp, rng.uniform(0, 0.25)) * (1 + rng.uniform(0, 0.3) * along(size, lamp))
    return Surface(tinted(light, colour), 0.0, lamp)


def lathed(rng: Rng, size: int) -> Surface:
    """Turned on a lathe: rings about a middle that is in the picture, shining in two sectors."""
    x, y = axes(size)
    dx, dy = x - rng.uniform(-0.35, 0.35), y - rng.uniform(-0.35, 0.35)
    lamp = rng.uniform(-np.pi, np.pi)
    rings = np.sin(np.hypot(dx, dy) * np.float32(2 * np.pi * rng.uniform(40, 110)) + 0.5 * smooth(rng, size, 3))
    shine = np.cos(2 * (np.arctan2(dy, dx) - lamp)) ** 4
    light = rng.uniform(0.3, 0.55) + rng.uniform(0.02, 0.06) * rings + rng.uniform(0.05, 0.3) * shine
    return Surface(tinted(light + 0.02 * grain(rng, size, 0.6), (1.0, 1.0, 1.0)), 0.0, lamp)


def welded(rng: Rng, size: int) -> Surface:
    """Sheet with a weld from one side of the picture to the other: a raised bead of ripples, tinted beside it."""
    angle, lamp = mounted(rng), rng.uniform(-np.pi, np.pi)
    x, y = axes(size)
    off = (y - rng.uniform(-0.25, 0.25)) / rng.uniform(0.05, 0.14) + 0.1 * streaks(rng, size, 6, 1)
    bead = np.sqrt(np.clip(1 - off * off, 0, 1))
    ripples = np.sin(2 * np.pi * (x * np.float32(rng.uniform(12, 30)) + rng.uniform(0.2, 0.6) * off * off))
    height = (size * 0.05 * bead * (1 + 0.12 * ripples)).astype(np.float32)
    light = rng.uniform(0.35, 0.55) * np.clip(shaded(height, lamp, rng.uniform(0.5, 1.0)), 0.3, 1.9)
    light = light + 0.03 * streaks(rng, size, 3, size / 8) + 0.02 * grain(rng, size, 0.6)
    heat = layers((rng.uniform(0, 0.5) * np.exp(-0.5 * (np.abs(off) - 1.4) ** 2 / 0.2)).astype(np.float32))
    colour = tinted(light, (1.0, 1.0, 1.0)) * (1 - heat * np.array((0.1, 0.35, 0.6), np.float32))
    return Surface(turned(colour, angle), angle, lamp)


def perforated(rng: Rng, size: int) -> Surface:
    """Sheet with round holes in rows, before something dark or bright."""
    made, pitch = brushed(rng, size), rng.uniform(0.06, 0.16)
    x, y = axes(size)
    down = y / pitch + rng.uniform()
    row = np.rint(down)
    column = x / pitch + (0.5 * (row % 2) if rng.random() < 0.6 else 0 * row)
    distance = np.hypot(column - np.rint(column), down - row)
    edge, soft = rng.uniform(0.2, 0.36), 1.2 / (pitch * size)
    holes = ramp(distance, edge + soft, edge - soft).astype(np.float32)
    rim = shaded(cv2.GaussianBlur(holes, (0, 0), 1.0), made.lamp, 1.5)
    behind = rng.choice((rng.uniform(0, 0.1), rng.uniform(0.8, 1.0)))
    colour = made.colour * layers(np.clip(rim, 0.5, 1.6) * (1 - holes)) + layers(np.float32(behind) * holes)
    return Surface(colour, made.angle, made.lamp)


def anodised(rng: Rng, size: int) -> Surface:
    """Aluminium, blasted and dyed: even, with fine grains that sparkle."""
    colour = any_colour(rng, (0, 0.6), (0.25, 0.85))
    sparkle = np.maximum(grain(rng, size, 0.5), 0) ** 2
    light = 0.95 + 0.02 * smooth(rng, size, 3, 2) + rng.uniform(0.01, 0.05) * sparkle
    lamp = rng.uniform(-np.pi, np.pi)
    return Surface(tinted(light * (1 + rng.uniform(0, 0.2) * along(size, lamp)), colour), 0.0, lamp)
