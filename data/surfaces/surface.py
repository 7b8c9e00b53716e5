"""What a defect lies on: light and colour of a surface, and how it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from data.surfaces.fields import Field, tinted

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Surface:
    """`colour` (S, S, 3) float32 RGB 0..1; `angle` radians of its grain, weave or lines from the x axis; `lamp` radians
    of the side that light falls from. `parts` (S, S) uint8, 255 where a printed track or a thread runs, None without.
    `body` (S, S) bool: where the part is that has this surface, None where it fills the picture.
    """

    colour: np.ndarray
    angle: float
    lamp: float
    parts: np.ndarray | None = None
    body: np.ndarray | None = None


Painter = Callable[[Rng, int], Surface]


def surface(rng: Rng, light: Field, tint: tuple[float, float, float], angle: float = 0.0) -> Surface:
    """A surface of one hue: `light` 0..1 times `tint`, which varies a little."""
    hue = np.array(tint, np.float32) * (1 + rng.normal(0, 0.02, 3)).astype(np.float32)
    return Surface(tinted(light, hue), angle, rng.uniform(-np.pi, np.pi))


def any_colour(rng: Rng, saturation: tuple[float, float], value: tuple[float, float]) -> np.ndarray:
    """(3,) float32 RGB of any hue."""
    hsv = np.array((rng.uniform(0, 360), rng.uniform(*saturation), rng.uniform(*value)), np.float32)
    colour: np.ndarray = cv2.cvtColor(hsv[None, None], cv2.COLOR_HSV2RGB)[0, 0]
    return colour


def mounted(rng: Rng) -> float:
    """Along an axis of the picture, as lines are mounted, or somewhat off."""
    return float(rng.choice((0.0, np.pi / 2)) + rng.normal(0, 0.06))
