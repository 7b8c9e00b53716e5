"""Random fields that surfaces and defects are made of: smooth noise, streaks, cells, warps, slopes."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin, sqrt

import cv2
import numpy as np

Field = np.ndarray  # (S, S) float32
FINE = 12  # px a bump, before a field is enlarged to its whole size


def smooth(rng: np.random.Generator, size: int, cells: float, octaves: int = 1, gain: float = 0.5) -> Field:
    """Value noise of mean 0 and about unit spread; `cells` bumps across, each further octave twice as fine and `gain`
    times as strong.
    """
    return streaks(rng, size, cells, cells, octaves, gain)


def streaks(
    rng: np.random.Generator, size: int, across: float, down: float, octaves: int = 1, gain: float = 0.5
) -> Field:
    """As `smooth`, with other numbers of bumps from left to right and from top to bottom."""
    total, power, strength = np.zeros((size, size), np.float32), 0.0, 1.0
    for _ in range(octaves):
        total += strength * _octave(rng, size, across, down)
        power, strength = power + strength**2, strength * gain
        across, down = min(2 * across, size), min(2 * down, size)
    return total * np.float32(1.4 / sqrt(power))


def _octave(rng: np.random.Generator, size: int, across: float, down: float) -> Field:
    """A window, which begins anywhere, of a grid of random numbers that is enlarged: first to FINE pixels a bump, where
    that is less than the whole.
    """
    counts = [int(np.clip(np.ceil(n), 1, size)) + 3 for n in (across, down)]
    grid = rng.standard_normal((counts[1], counts[0]), np.float32)
    ends = [min(size, int(np.ceil(FINE * n))) for n in (across, down)]  # of the window
    whole = [max(round(count * end / n), 2) for count, end, n in zip(counts, ends, (across, down), strict=True)]
    starts = [round(rng.uniform(1, 2) * end / n) for end, n in zip(ends, (across, down), strict=True)]
    enlarged = cv2.resize(grid, whole, interpolation=cv2.INTER_CUBIC)
    field: Field = enlarged[starts[1] : starts[1] + ends[1], starts[0] : starts[0] + ends[0]]
    if field.shape == (size, size):
        return field
    steps = [-(-size // n) for n in ends]  # px that a straight piece is long: as wide a mean makes it round
    return cv2.blur(cv2.resize(field, (size, size), interpolation=cv2.INTER_LINEAR), steps)


def grain(rng: np.random.Generator, size: int, softness: float = 0.0) -> Field:
    """Noise of every pixel, of unit spread; `softness` px of blur."""
    field = rng.standard_normal((size, size), np.float32)
    if softness:
        cv2.GaussianBlur(field, (0, 0), softness, dst=field)
        field *= np.float32(2 * sqrt(pi) * softness) if softness > 0.4 else np.float32(1)
    return field


def axes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """X (1, S) and y (S, 1) of the pixels' centres, -0.5..0.5, float32."""
    line = (((np.arange(size) + 0.5) / size) - 0.5).astype(np.float32)
    return line[None], line[:, None]


def along(size: int, angle: float) -> Field:
    """The coordinate along a direction of `angle` radians from the x axis, about -0.7..0.7."""
    x, y = axes(size)
    return (x * np.float32(cos(angle)) + y * np.float32(sin(angle))).astype(np.float32)


def turned(field: np.ndarray, angle: float) -> np.ndarray:
    """`field` turned about its middle by `angle` radians, enlarged so that no corner is empty."""
    size = len(field)
    enlarge = abs(cos(angle)) + abs(sin(angle))
    matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), np.degrees(angle), enlarge)
    return cv2.warpAffine(field, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def warped(field: np.ndarray, dx: Field, dy: Field) -> np.ndarray:
    """`field` read at places moved by `dx` and `dy` px."""
    rows, columns = field.shape[:2]
    x = np.arange(columns, dtype=np.float32)[None] + dx
    y = np.arange(rows, dtype=np.float32)[:, None] + dy
    return cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def cells(rng: np.random.Generator, size: int, count: int) -> tuple[np.ndarray, Field]:
    """A Voronoi division: (S, S) int32 number 0..count-1 of each pixel's cell, and its distance to the cell's seed as
    a fraction of the mean distance between seeds.
    """
    seeds = np.ones((size, size), np.uint8)
    places = rng.permutation(size * size)[:count]
    seeds.flat[places] = 0
    distance, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    return labels - 1, distance / np.float32(size / sqrt(count))


def borders(labels: np.ndarray) -> np.ndarray:
    """(S, S) uint8, 255 where a pixel's right or lower neighbour is in another cell."""
    edge = np.zeros(labels.shape, np.uint8)
    edge[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    edge[:-1] |= labels[1:] != labels[:-1]
    return edge * np.uint8(255)


def tinted(light: np.ndarray, hue: Sequence[float] | np.ndarray) -> np.ndarray:
    """(h, w) -> (h, w, 3) float32: `light` in each of the three colours of `hue`; faster than by broadcasting."""
    light = light.astype(np.float32, copy=False)
    return cv2.merge([light * np.float32(h) for h in hue])


def layers(light: np.ndarray) -> np.ndarray:
    """(h, w) -> (h, w, 3) float32, the same in all three."""
    light = light.astype(np.float32, copy=False)
    return cv2.merge((light, light, light))


def ramp(x: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to `start`, 1 from `end` on, smooth between; falling when `end` is smaller."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def shaded(height: Field, angle: float, strength: float) -> Field:
    """Light on a relief, 1 where it is flat: brighter on slopes that face `angle`, where the lamp is."""
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    return 1 - np.float32(strength) * (np.float32(cos(angle)) * slope_x + np.float32(sin(angle)) * slope_y)
