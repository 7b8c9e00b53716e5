"""A part that ends within the picture: its outline, its edge, and what lies around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from data.surfaces.fields import layers, shaded, smooth
from data.surfaces.surface import Surface

Rng = np.random.Generator
Mask = np.ndarray  # (S, S) uint8, 255 where the part is

SHIFT = 4  # binary places of cv2's coordinates
LEAST = 0.25  # of the picture: what a part covers at least
TRIES = 5


def cut_out(rng: Rng, surface: Surface) -> Surface:
    """The surface as a part before something plain, its edge lit by the lamp; as it is where no outline fits."""
    size = len(surface.colour)
    for _ in range(TRIES):
        outline = OUTLINES[rng.integers(len(OUTLINES))](rng, size)
        if LEAST < np.count_nonzero(outline) / size**2 < 1:
            break
    else:
        return surface
    cover = outline.astype(np.float32) / 255
    edge = cv2.GaussianBlur(cover, (0, 0), rng.uniform(1, 4))
    light = np.clip(shaded(edge, surface.lamp, rng.uniform(1, 4)), 0.4, 1.8)
    colour = surface.colour * layers(light * cover) + _around(rng, size, surface.lamp, cover) * layers(1 - cover)
    return replace(surface, colour=colour, body=outline > 127)


def _around(rng: Rng, size: int, lamp: float, cover: np.ndarray) -> np.ndarray:
    """(S, S, 3) float32: a dark belt, a lit table or something between, with the part's shadow on it."""
    level = rng.choice((rng.uniform(0.01, 0.15), rng.uniform(0.15, 0.7), rng.uniform(0.8, 1.0)))
    hue = np.float32(level * (1 + rng.normal(0, 0.03, 3)))
    reach = rng.uniform(0, 0.03) * size
    matrix = np.array([[1, 0, -reach * np.cos(lamp)], [0, 1, -reach * np.sin(lamp)]])
    shadow = cv2.GaussianBlur(cv2.warpAffine(cover, matrix, (size, size)), (0, 0), 1 + 0.5 * reach)
    light = (1 + rng.uniform(0, 0.1) * smooth(rng, size, rng.uniform(2, 12), 2)) * (1 - rng.uniform(0, 0.7) * shadow)
    around: np.ndarray = layers(light) * hue
    return around


def _places(points: np.ndarray) -> list[np.ndarray]:
    return [np.rint(points * (1 << SHIFT)).astype(np.int32)]


def _disc(rng: Rng, size: int) -> Mask:
    """Round, now and then with a round opening."""
    canvas = np.zeros((size, size), np.uint8)
    middle = np.rint(rng.uniform(0.35, 0.65, 2) * size * (1 << SHIFT)).astype(int).tolist()
    radius = rng.uniform(0.3, 0.55) * size * (1 << SHIFT)
    cv2.circle(canvas, middle, int(radius), 255, -1, cv2.LINE_AA, SHIFT)
    if rng.random() < 0.5:
        cv2.circle(canvas, middle, int(radius * rng.uniform(0.2, 0.7)), 0, -1, cv2.LINE_AA, SHIFT)
    return canvas


def _plate(rng: Rng, size: int) -> Mask:
    """A rectangle, straight or somewhat turned, its corners sharp or round."""
    canvas = np.zeros((size, size), np.uint8)
    sides = rng.uniform(0.5, 1.3, 2) * size
    turn = rng.normal(0, 4) if rng.random() < 0.7 else rng.uniform(0, 90)
    corners = cv2.boxPoints((tuple(rng.uniform(0.3, 0.7, 2) * size), tuple(sides), turn))
    cv2.fillPoly(canvas, _places(corners), 255, cv2.LINE_AA, SHIFT)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.01, 0.05) * size).astype(np.float32)
        canvas[:] = np.clip(4 * (soft - 127.5) + 127.5, 0, 255)  # steep again, corners round
    return canvas


def _strip(rng: Rng, size: int) -> Mask:
    """A band, a bar or a bottle's wall from one side of the picture to the other."""
    canvas = np.zeros((size, size), np.uint8)
    breadth, off = rng.uniform(0.35, 0.9) * size, rng.normal(0, 0.1, 2) * size
    middle = (size / 2 + off[0], size / 2 + off[1])
    turn = rng.choice((0.0, 90.0)) + rng.normal(0, 4)
    cv2.fillPoly(canvas, _places(cv2.boxPoints((middle, (3 * size, breadth), turn))), 255, cv2.LINE_AA, SHIFT)
    return canvas


def _casting(rng: Rng, size: int) -> Mask:
    """A closed curve without corners."""
    turns = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.full_like(turns, rng.uniform(0.35, 0.55))
    for k in range(2, 6):
        radius += rng.normal(0, 0.12 / k) * np.cos(k * turns + rng.uniform(0, 2 * np.pi))
    points = (0.5 + np.stack((radius * np.cos(turns), radius * np.sin(turns)), 1)) * size
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillPoly(canvas, _places(points), 255, cv2.LINE_AA, SHIFT)
    return canvas


OUTLINES: tuple[Callable[[Rng, int], Mask], ...] = (_disc, _plate, _strip, _casting)
