"""A huge glass picture: sheet glass in the light of a line-scan camera, with tiny defects, drawn from a seed.

The camera sees one line of the sheet at a time, x across it and y along its travel. What belongs to a pixel of the
camera or to a place of the lamp is a streak down the whole picture, what happens at one time is a line across it.
Bubbles, oil, black spots and quenched grains are those of the glass set: of 8 px they can be told apart, below 6 px a
bubble's ring closes. Its plastering threads cannot be that small, they are strands of 300 px and more here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data.augment.scene import Scene
from data.drawn.glass import GCD, NAMES, PAINTERS, VISIBLE, ramp
from data.drawn.glass_set import Planes, write_set

VERSION = 1  # raised when the same seed draws other pictures
LEAST_PX = 6  # of a tiny defect
SIDES = (0.75, 1.375)  # of a tiny defect's box, in shares of its nominal side
THREAD = NAMES.index("plastering thread")
THREADED = 0.5  # of the pictures with defects have a long thread
LENGTHS = (300, 900)  # px of a thread; in small pictures less than half a side
MARGIN = 8  # px around a thread
LENS = 0.6  # px, sigma of the blur
NOISE = 0.16  # of the sensor, in square roots of grey levels
TRIES = 1000  # places for a defect
STRIP = 256  # rows that are rendered at a time
_SMALL = np.array([0 if label == THREAD else counts[0] for label, counts in enumerate(GCD)])


@dataclass(frozen=True, eq=False)
class Mark:
    """A defect of class `label`: `gain` (H, W) float32 on the light from the pixel `x`, `y` on, `box` (4,) float32 xyxy
    px around |gain - 1| > VISIBLE.
    """

    label: int
    gain: np.ndarray
    x: int
    y: int
    box: np.ndarray


@dataclass(frozen=True, eq=False)
class HugeScene:
    """`light` (S, S) float32 grey levels behind sheet glass without defects, `tint` (3,) the colour of the glass, the
    defects in it; `noise_seed` fixes the sensor's noise, so that two views differ only by what was changed.
    """

    light: np.ndarray
    tint: np.ndarray
    noise_seed: int
    marks: tuple[Mark, ...] = ()


def sample_huge_scene(
    rng: np.random.Generator, size: int = 4096, defects: int = 40, px: int = 8, good: float = 0.25
) -> HugeScene:
    """Sheet glass of `size` px per side with `defects` tiny defects of about `px` px, in the proportions of GCD's small
    ones, and often a long thread; with nothing wrong in a share `good` of the pictures. Boxes lie apart, and whole in
    the picture. `defects` is at most `most_defects(size, px)`.
    """
    assert px >= LEAST_PX and defects <= most_defects(size, px), f"{defects} defects of {px} px in {size} px"
    light, left, right = _sheet(rng, size)
    room = np.array((left, 0, right, size))
    tint = 1 - rng.uniform(0.2, 1) * np.array([0.05, 0.0, 0.03])  # greenish, by its iron
    noise_seed = int(rng.integers(2**31))
    marks: list[Mark] = []
    if rng.random() >= good:
        if rng.random() < THREADED:
            length = min(rng.uniform(*LENGTHS), size / 2 - 16)
            _place(rng, marks, THREAD, _long_thread(rng, length), room, px)
        for label in rng.choice(len(NAMES), defects, p=_SMALL / _SMALL.sum()).tolist():
            _place(rng, marks, label, _tiny(rng, label, px), room, px)
    return HugeScene(light, tint, noise_seed, tuple(marks))


def most_defects(size: int, px: int) -> int:
    """How many defects of `px` px always find a place in `size` px beside a thread."""
    return size**2 // (2 * (6 * px) ** 2)


def render_huge(scene: HugeScene) -> np.ndarray:
    """The scene as the camera puts it together line by line: (S, S, 3) uint8 RGB."""
    light = scene.light.copy()
    for mark in scene.marks:
        height, width = mark.gain.shape
        light[mark.y : mark.y + height, mark.x : mark.x + width] *= mark.gain
    rng, picture = np.random.default_rng(scene.noise_seed), np.empty((*light.shape, 3), np.uint8)
    for top in range(0, len(light), STRIP):
        strip = light[top : top + STRIP]
        strip += rng.standard_normal(strip.shape, np.float32) * np.sqrt(strip) * np.float32(NOISE)
        for channel, share in enumerate(scene.tint.astype(np.float32)):
            picture[top : top + STRIP, :, channel] = np.rint(np.clip(strip, 0, 255) * share)
    return picture


def draw_huge_picture(
    rng: np.random.Generator, size: int = 4096, defects: int = 40, px: int = 8, good: float = 0.25
) -> Scene:
    """A picture (size, size, 3) uint8 RGB of sheet glass and its truth; labels are into NAMES."""
    scene = sample_huge_scene(rng, size, defects, px, good)
    boxes = np.array([mark.box for mark in scene.marks], np.float32).reshape(-1, 4)
    return Scene(render_huge(scene), boxes, np.array([mark.label for mark in scene.marks], np.int64))


def write_huge_glass(
    root: Path,
    train: int = 12,
    val: int = 6,
    size: int = 4096,
    defects: int = 40,
    px: int = 8,
    seed: int = 0,
    good: float = 0.25,
) -> Path:
    """Such pictures as the folder `root`, in the layout of `write_glass`; returns its data.yaml. The same set already
    there is kept. Raises DataError if `root` holds anything else, ResourceError if the disk refuses.
    """
    counts = {"train": train, "val": val, "size": size, "defects": defects, "px": px, "good": good, "seed": seed}

    def draw(rng: np.random.Generator) -> tuple[Scene, Planes]:
        return draw_huge_picture(rng, size, defects, px, good), {}

    return write_set(root, {"huge": VERSION, **counts}, draw)


def _sheet(rng: np.random.Generator, size: int) -> tuple[np.ndarray, int, int]:
    """Sheet glass without defects, (S, S) float32 grey levels, and the columns between which there may be some."""
    light = 1 + _cloud(rng, size, 5, 5, 0.015)  # thickness
    light += _cloud(rng, size, 4, size // 40 + 2, 0.006)  # reams: streaks along the travel, that wander
    light += _cloud(rng, size, 7, size // 10 + 2, 0.004)
    light += _cloud(rng, size, round(size / rng.uniform(120, 400)) + 2, 3, 0.007)  # waves from the rollers
    left, right = _edge(rng, light)
    light *= _columns(rng, size)
    light *= _lines(rng, size)
    light *= 1 - _dust(rng, size)
    return light, left, right


def _cloud(rng: np.random.Generator, size: int, rows: int, columns: int, deviation: float) -> np.ndarray:
    """A smooth field (S, S) float32 around 0 of rows x columns independent values."""
    coarse = rng.normal(0, deviation, (rows, columns)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _edge(rng: np.random.Generator, light: np.ndarray) -> tuple[int, int]:
    """Now and then an edge of the sheet, which sways a little, and the bare lamp beside it; the columns within."""
    u, size = rng.uniform, len(light)
    at, sway, side = u(0.01, 0.04) * size, rng.normal(0, 0.001 * size, 6), rng.random()
    if side > 0.4:
        return 0, size
    within = int(at + 0.008 * size) + 24
    strip = light[:, :within] if side < 0.2 else light[:, : -within - 1 : -1]
    inward = np.arange(within) - at - cv2.resize(sway[:, None], (1, size), interpolation=cv2.INTER_CUBIC)
    bare = ramp(inward, 1, -1)  # the ground edge bends the light away, but for a bright line
    dark = 0.75 * ramp(inward, -2, 0) * ramp(inward, 13, 5) - 0.3 * ramp(np.abs(inward - 7), 2, 0)
    strip[:] = (strip * (1 - bare) + 1.12 * bare) * (1 - dark)
    return (within, size) if side < 0.2 else (0, size - within)


def _columns(rng: np.random.Generator, size: int) -> np.ndarray:
    """(1, S) float32 grey levels of one line of the lamp: its LEDs, the lens, which darkens the sides, and the camera's
    unequal pixels, some of them behind dust.
    """
    u, x = rng.uniform, np.arange(size)
    off, pitch = x / size - u(0.42, 0.58), u(70, 130)  # px from LED to LED
    led = (x / pitch + u()) % 1
    unequal = cv2.resize(rng.normal(0, 0.005, (1, int(size / pitch) + 2)), (size, 1), interpolation=cv2.INTER_CUBIC)
    dusty = cv2.GaussianBlur(rng.binomial(1, 1 / 700, (1, size)) * u(0.03, 0.12, (1, size)), (0, 0), 1.5)
    lamp = 1 - u(0.3, 0.7) * off**2 + u(-0.08, 0.08) * off + 0.005 * np.cos(2 * np.pi * led) + unequal
    return (u(150, 175) * lamp * (1 - dusty + rng.normal(0, 0.003, size))).astype(np.float32)


def _lines(rng: np.random.Generator, size: int) -> np.ndarray:
    """(S, 1) float32 around 1: how the lamp drifts and flickers from line to line."""
    drift = cv2.resize(rng.normal(0, 0.008, (9, 1)), (1, size), interpolation=cv2.INTER_CUBIC)
    return (1 + drift + rng.normal(0, 0.0015, (size, 1))).astype(np.float32)


def _dust(rng: np.random.Generator, size: int) -> np.ndarray:
    """What harmless specks and fibres take away, (S, S) float32: soft, and always less than VISIBLE."""
    u, dust, most = rng.uniform, np.zeros((size, size), np.uint8), int(200 * VISIBLE)  # of 255
    for _ in range(rng.poisson((size / 200) ** 2)):
        x, y, radius = (int(v) for v in u(0, (16 * size, 16 * size, 56)))  # in 1/16 px
        cv2.circle(dust, (x, y), radius, int(rng.integers(3, most)), -1, cv2.LINE_AA, shift=4)
    for _ in range(rng.poisson((size / 500) ** 2)):
        turns = u(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, 12))
        steps = u(2, 6) * np.stack((np.cos(turns), np.sin(turns)), 1)
        points = np.rint(16 * (u(0, size, 2) + np.cumsum(steps, 0))).astype(np.int32)
        cv2.polylines(dust, [points], False, int(rng.integers(5, most)), 1, cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(dust, (0, 0), 0.9).astype(np.float32) / 255


def _tiny(rng: np.random.Generator, label: int, px: int) -> np.ndarray:
    """The gain (H, W) float32 of a defect whose box has sides of about `px`."""
    while True:
        gain = _through_lens(PAINTERS[label](rng, px * rng.uniform(0.85, 1.25)))
        x1, y1, x2, y2 = _seen(gain)
        least, most = sorted((x2 - x1, y2 - y1))
        if SIDES[0] * px <= least and most <= SIDES[1] * px and np.abs(gain - 1).max() > 4 * VISIBLE:
            return gain


def _long_thread(rng: np.random.Generator, length: float) -> np.ndarray:
    """The gain (H, W) float32 of a winding strand of uneven width, dark, that throws light to one side."""
    u, t, angle = rng.uniform, np.linspace(0, 1, 129), rng.uniform(0, np.pi)
    wander = sum(np.sin(np.pi * (k * t + u(0, 2))) * u(0.01, 0.05) / k for k in range(1, 6))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    spine = length * (turn @ np.stack((t, wander)))
    spine += MARGIN - spine.min(1, keepdims=True)
    slope = np.gradient(spine, axis=1)
    half = (1.1 + u(0, 0.5) * np.sin(25 * t + u(0, 2 * np.pi))) * ramp(np.abs(t - 0.5), 0.53, 0.4)  # px
    aside = half * np.stack((-slope[1], slope[0])) / np.hypot(*slope)
    outline = np.rint(16 * np.hstack((spine + aside, (spine - aside)[:, ::-1]))).astype(np.int32)
    line = np.zeros((spine.max(1) + MARGIN).astype(int)[::-1] + 1, np.uint8)
    cv2.fillPoly(line, [outline.T], 255, cv2.LINE_AA, shift=4)
    lit = np.roll(line, np.rint(2 * turn[::-1, 1]).astype(int), (0, 1))
    return _through_lens(1 - u(0.4, 0.55) * (line / 255) + u(0.2, 0.3) * (lit / 255))


def _through_lens(gain: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(np.pad(gain, 3, constant_values=1.0), (0, 0), LENS).astype(np.float32)


def _seen(gain: np.ndarray) -> tuple[int, int, int, int]:
    """The box xyxy px around what changes by more than VISIBLE."""
    x, y, width, height = cv2.boundingRect((np.abs(gain - 1) > VISIBLE).astype(np.uint8))
    return x, y, x + width, y + height


def _place(
    rng: np.random.Generator, marks: list[Mark], label: int, gain: np.ndarray, room: np.ndarray, px: int
) -> None:
    """Add a defect to `marks` with its gain within `room`, xyxy px, and its box clear of the others."""
    box = np.array(_seen(gain), np.float32)
    for _ in range(TRIES):
        x, y = rng.integers(room[:2], room[2:] - gain.shape[::-1] + 1).tolist()
        put = box + np.array((x, y, x, y), np.float32)
        others = np.array([mark.box for mark in marks], np.float32).reshape(-1, 4)
        apart = (put[:2] >= others[:, 2:] + px / 2) | (put[2:] <= others[:, :2] - px / 2)
        if apart.any(1).all():
            marks.append(Mark(label, gain, x, y, put))
            return
