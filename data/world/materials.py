"""What a defect lies on: surfaces of metals, stones, woods, fabrics, glass, boards, drawn from a generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np

from data.world.fields import (
    Field,
    along,
    axes,
    borders,
    cells,
    grain,
    layers,
    ramp,
    shaded,
    smooth,
    streaks,
    tinted,
    turned,
    warped,
)

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


def _angle(rng: Rng) -> float:
    """Along an axis of the picture, as lines are mounted, or somewhat off."""
    return float(rng.choice((0.0, np.pi / 2)) + rng.normal(0, 0.06))


def brushed(rng: Rng, size: int) -> Surface:
    """Fine parallel lines, long or short."""
    angle, level = _angle(rng), rng.uniform(0.4, 0.7)
    lines = streaks(rng, size, rng.uniform(1, 8), size / rng.uniform(1, 2), 1)
    lines += 0.5 * streaks(rng, size, rng.uniform(1, 3), size / 6)
    light = level + rng.uniform(0.02, 0.06) * lines + 0.02 * smooth(rng, size, 3)
    return surface(rng, turned(light, angle), (1.0, 1.0, 1.01), angle)


def rolled(rng: Rng, size: int) -> Surface:
    """Hot-rolled strip: grey, mottled, drawn out along the rolling direction."""
    angle = _angle(rng)
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


def plastic(rng: Rng, size: int) -> Surface:
    """Moulded: even, finely textured, one colour."""
    made = painted(rng, size)
    return Surface(made.colour * layers(1 + 0.015 * grain(rng, size, 0.8)), 0.0, made.lamp)


def rubber(rng: Rng, size: int) -> Surface:
    """Dark, dull, speckled."""
    light = rng.uniform(0.08, 0.2) + 0.012 * grain(rng, size, 0.7) + 0.012 * smooth(rng, size, 8, 3)
    return surface(rng, light, (1.0, 1.0, 1.03))


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


def wood(rng: Rng, size: int) -> Surface:
    """A board: year rings cut along, fibres, pores."""
    angle = _angle(rng)
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
    angle, pitch, twill = _angle(rng), rng.uniform(4, 9), rng.integers(1, 4)
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


def tile(rng: Rng, size: int) -> Surface:
    """Glazed: even or speckled, now and then with a joint."""
    made = painted(rng, size)
    colour = 0.55 * made.colour + 0.4
    if rng.random() < 0.4:
        colour -= layers(0.15 * ramp(smooth(rng, size, size / 4), 1.8, 2.6))
    if rng.random() < 0.35:
        joint = np.abs(along(size, _angle(rng)) - rng.uniform(-0.4, 0.4))
        colour = colour * layers(1 - 0.45 * ramp(joint, rng.uniform(0.008, 0.02), 0))
    return Surface(np.clip(colour, 0, 1).astype(np.float32), 0.0, made.lamp)


def glass(rng: Rng, size: int) -> Surface:
    """A pane or a bottle's wall before a lamp: bright, even, bent light near an edge."""
    angle = _angle(rng)
    s = along(size, angle) - rng.uniform(-0.6, 0.6)
    light = rng.uniform(0.6, 0.9) - rng.uniform(0, 0.5) * s * s + 0.01 * streaks(rng, size, 2, 6)
    light -= rng.uniform(0, 0.5) * ramp(np.abs(s), rng.uniform(0.5, 0.7), 0.9)
    light += 0.006 * grain(rng, size)
    return surface(rng, light.astype(np.float32), (rng.uniform(0.75, 1), 1.0, rng.uniform(0.8, 1)), angle)


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


MATERIALS: dict[str, Painter] = {
    "brushed steel": brushed,
    "rolled steel": rolled,
    "cast iron": cast,
    "machined metal": machined,
    "galvanised sheet": galvanised,
    "painted metal": painted,
    "moulded plastic": plastic,
    "rubber": rubber,
    "concrete": concrete,
    "asphalt": asphalt,
    "stone": stone,
    "wood": wood,
    "cloth": woven,
    "leather": leather,
    "ceramic tile": tile,
    "glass": glass,
    "circuit board": board,
    "solar cell": solar,
    "paper": paper,
    "foil": film,
    "brick wall": brick,
}
