"""One glass picture: a bottle's wall on an inspection line with the five GCD defects, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

NAMES: tuple[str, ...] = ("bubble", "oil", "plastering thread", "black spot", "quenched grain")
VISIBLE = 0.06  # relative change of light that a person notices above the noise
# Instances in GCD: small, medium, large per class, in the order of NAMES.
GCD = ((22905, 823, 572), (3279, 2142, 6489), (2239, 3850, 13356), (19463, 219, 188), (3104, 2610, 2066))
_DEFECTS_PER_PICTURE = (0.15, 0.14, 0.19, 0.22, 0.18, 0.12)  # 0..5
# sqrt(box area) / picture side per bucket: COCO's 32 and 96 px are 1/15 and 1/5 of its usual 480 px.
_SIDES = ((0.026, 1 / 15), (1 / 15, 1 / 5), (1 / 5, 0.42))


@dataclass(frozen=True, eq=False)
class Defect:
    """Class `label`, `gain` (S, S) on the light, `box` (4,) float32 xyxy px around |gain - 1| > VISIBLE."""

    label: int
    gain: np.ndarray
    box: np.ndarray


@dataclass(frozen=True, eq=False)
class GlassScene:
    """All that a camera needs, fields (S, S) float64: `backdrop` grey levels of the lamp behind the glass,
    `across` -1..1 from outline to outline of the bottle, its `coverage` 0..1, `path` through the wall (1
    mid-way), `relief` height of seam, rings and letters. `tint` (3,) is the colour of the glass; `noise_seed`
    fixes the sensor's noise, so that two views of a scene differ only by what was changed in it.
    """

    backdrop: np.ndarray
    across: np.ndarray
    coverage: np.ndarray
    path: np.ndarray
    relief: np.ndarray
    tint: np.ndarray
    noise_seed: int
    defects: tuple[Defect, ...] = ()


def sample_scene(rng: np.random.Generator, size: int = 320) -> GlassScene:
    """A bottle wall with 0 to 5 defects in the proportions of GCD; `size` px per side, at least 96."""
    assert size >= 96, f"{size} px leave no room for a small defect"
    scene = _bottle(rng, size)
    count = rng.choice(6, p=_DEFECTS_PER_PICTURE)
    kinds = rng.choice(15, size=count, p=np.ravel(GCD) / np.sum(GCD)).tolist()
    for kind in sorted(kinds, key=lambda kind: -(kind % 3)):  # the large ones first, while there is room
        scene = _add_defect(rng, scene, *divmod(kind, 3))
    return scene


def render(scene: GlassScene) -> np.ndarray:
    """The scene as an RGB camera with a lamp behind the bottle sees it: (S, S, 3) uint8."""
    edge = np.abs(scene.across)  # near the outline the light is bent away, but for a bright line in the wall
    bent = 0.62 * ramp(edge, 0.84, 0.93) * (1 - 0.75 * ramp(np.abs(edge - 0.962), 0.026, 0))
    slope_y, slope_x = np.gradient(scene.relief, 320 / len(edge))
    relief = np.exp(-0.30 * np.hypot(slope_x, slope_y) + 0.22 * slope_x + 0.12 * slope_y)
    passed = 0.96 * np.exp(-0.10 * scene.path) * (1 - bent) * np.clip(relief, 0.6, 1.25)
    light = scene.backdrop * (1 + scene.coverage * (passed - 1))
    for defect in scene.defects:
        light *= defect.gain
    light = cv2.GaussianBlur(light, (0, 0), 0.55 * len(light) / 320)
    shot_noise = np.random.default_rng(scene.noise_seed).normal(0, 0.21, light.shape) * np.sqrt(light)
    light = np.clip(light + shot_noise, 0, 251)  # saturated; the tint still fits into 8 bits
    return cv2.merge([np.rint(light * (1 + scene.coverage * (t - 1))).astype(np.uint8) for t in scene.tint])


def _bottle(rng: np.random.Generator, size: int) -> GlassScene:
    """A bottle without defects before the lamp: its body, its shoulder and neck, or its heel on the belt."""
    u, y, x = rng.uniform, np.arange(size)[:, None] + 0.5, np.arange(size) + 0.5
    body, centre, foot, view = size * u(0.36, 0.60), size * u(0.36, 0.64), 2.0 * size, u()
    half = np.full_like(y, body)  # of the width, per row
    if view < 0.3:
        neck, top = u(0.38, 0.55), size * u(-0.1, 0.25)
        half = body * (neck + (1 - neck) * ramp(y, top, top + body * u(0.7, 1.1)))
    elif view < 0.55:
        foot, corner = size * u(0.80, 0.96), body * u(0.12, 0.25)
        half = body - corner + corner * np.sqrt(1 - np.clip((y - foot + corner) / corner, 0, 1) ** 2)
    across = (x - centre) / half
    coverage = np.clip(half - np.abs(x - centre) + 0.5, 0, 1) * np.clip(foot - y + 0.5, 0, 1)
    bulge = np.sqrt(np.clip(1 - across**2, 0, 1))
    path = (bulge - np.sqrt(np.maximum(bulge**2 - 0.19, 0))) / 0.1  # hollow: inner radius 0.9
    path += cv2.resize(rng.normal(0, 0.35, (5, 12)), (size, size), interpolation=cv2.INTER_CUBIC)
    path += 5 * ramp(y + 0.05 * size * bulge, foot - 0.09 * size, foot)  # the base is thick
    relief = cv2.GaussianBlur(_relief(rng, across, y, foot), (0, 0), 0.9 * size / 320)
    tint = 1 + u(-1, 1) * np.array([-0.02, 0.0, 0.016]) + np.array([-0.012, 0.006, -0.006])
    backdrop = _backdrop(rng, size, foot)
    return GlassScene(backdrop, across, coverage, np.maximum(path, 0), relief, tint, int(rng.integers(2**31)))


def _relief(rng: np.random.Generator, across: np.ndarray, y: np.ndarray, foot: float) -> np.ndarray:
    """Heights, about 0..2: mould seam, rings around the bottle, knurls above the foot, embossed letters."""
    u, size, turn = rng.uniform, len(y), np.arcsin(np.clip(across, -1, 1))
    scale, sag = size / 320, u(-0.06, 0.06) * size * np.cos(turn)  # seen a little from above or below
    height = u(0, 1) * ramp(np.abs(turn - u(-0.9, 0.9)), 0.014, 0)
    for level in u(0, size, rng.choice(4, p=(0.45, 0.3, 0.15, 0.1))):
        height += u(0.8, 2.0) * ramp(np.abs(y - level - sag), 4 * scale, 0)
    knurls = np.cos(turn * rng.integers(60, 90)) > 0
    height += 1.3 * (u() < 0.6) * knurls * (np.abs(y - foot + 0.13 * size + sag) < 5 * scale)
    if u() < 0.4:
        letters, thick = np.zeros((size, size), np.uint8), max(round(4 * scale), 1)
        text = "".join(rng.choice(list("ABCDEGHKLMNPRSTUVX0123456789"), rng.integers(3, 6)))
        at = (int(size * u(0.1, 0.5)), int(size * u(0.2, 0.8)))
        cv2.putText(letters, text, at, cv2.FONT_HERSHEY_DUPLEX, scale * u(1.1, 1.9), 255, thick, cv2.LINE_AA)
        around = ((0.5 + 0.4 * turn) * size).astype(np.float32), (y + sag).astype(np.float32)
        height += cv2.remap(letters, *around, cv2.INTER_LINEAR) * (u(1.2, 2.0) / 255)
    return height


def _backdrop(rng: np.random.Generator, size: int, foot: float) -> np.ndarray:
    """Grey levels (S, S) of an uneven lamp with dust on its window, and of the belt under the foot."""
    u, x = rng.uniform, (np.arange(size) + 0.5) / size - 0.5
    y = x[:, None]
    tilt, dust = u(-0.1, 0.1, 2), np.zeros((size, size), np.uint8)
    for px, py, radius, depth in u((0, 0, 4, 15), (16 * size, 16 * size, 20, 60), (rng.integers(6, 22), 4)):
        at = (round(px), round(py))  # like the radius in 1/16 px
        cv2.circle(dust, at, round(radius * size / 320), int(depth), -1, cv2.LINE_AA, shift=4)
    lamp = u(208, 236) * (1 + tilt[0] * x + tilt[1] * y - u(0, 0.25) * (x**2 + y**2)) * (1 - dust / 255.0)
    streaks = cv2.resize(rng.normal(0, 0.05, (size // 3, 4)), (size, size), interpolation=cv2.INTER_LINEAR)
    belt = ramp((y + 0.5) * size, foot - 2, foot + 2)
    return lamp * (1 - belt) + belt * u(80, 125) * (1 + streaks)


def _add_defect(rng: np.random.Generator, scene: GlassScene, label: int, bucket: int) -> GlassScene:
    """The scene with one more defect, visible and clear of the others; the same scene if there is no room."""
    size, (least, most) = len(scene.across), _SIDES[bucket]
    taken = sum((np.abs(other.gain - 1) for other in scene.defects), np.zeros((size, size))) > VISIBLE
    for _ in range(40):
        x, y = rng.integers(0, size, 2).tolist()
        if scene.coverage[y, x] == 0 or abs(scene.across[y, x]) > 0.8:
            continue
        patch = PAINTERS[label](rng, rng.uniform(max(1.08 * least * size, 6), 0.95 * most * size))
        shift = np.array([[1.0, 0, x - patch.shape[1] // 2], [0, 1, y - patch.shape[0] // 2]])
        pasted = cv2.warpAffine(patch, shift, (size, size), flags=cv2.INTER_NEAREST, borderValue=(1.0,))
        gain = 1 + (pasted - 1) * scene.coverage
        seen = np.abs(gain - 1) > VISIBLE
        left, top, width, height = cv2.boundingRect(seen.astype(np.uint8))
        box = np.array([left, top, left + width, top + height], np.float32)
        fits = least <= np.sqrt(width * height) / size < most and max(width, height) < 0.75 * size
        whole = seen.sum() >= 0.5 * (np.abs(patch - 1) > VISIBLE).sum()
        clear = np.abs(gain - 1).max() > 4 * VISIBLE and (seen & taken).sum() < 0.05 * seen.sum()
        if fits and whole and clear:
            return replace(scene, defects=(*scene.defects, Defect(label, gain, box)))
    return scene


def ramp(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to `start`, 1 from `end`, smooth between; `start` may be the larger one."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def _disc(rng: np.random.Generator, side: float, stretch: float, rough: float) -> np.ndarray:
    """A patch of distances from the middle, 1 on an outline about `side` px wide, uneven by that share."""
    u, aspect = rng.uniform, np.exp(rng.uniform(-stretch, stretch) / 2)
    reach = int(side * max(aspect, 1 / aspect) * (0.6 + rough)) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] + u(-0.5, 0.5, (2, 1, 1))
    angle = np.arctan2(y, x)
    waves = sum(np.cos(k * angle + u(0, 2 * np.pi)) * u(0.3, 1) / np.sqrt(k) for k in range(2, 8))
    return np.hypot(x / aspect, y * aspect) / (side / 2 * (1 + rough * waves))


def _bubble(rng: np.random.Generator, side: float) -> np.ndarray:
    """Bright, round, hollow: a bright ring inside a thin dark rim."""
    d, thin = _disc(rng, side, 0.25, 0.01), max(0.07, 1.4 / side)
    ring = rng.uniform(0.38, 0.55) * ramp(np.abs(d - 0.95 + 2.3 * thin), 2.4 * thin, 0)
    rim = min(side / 20, 1) * rng.uniform(0.3, 0.5) * ramp(np.abs(d - 0.95), 1.1 * thin, 0)
    return 1 + ring - rim


def _oil(rng: np.random.Generator, side: float) -> np.ndarray:
    """Dark, irregular, soft: a mottled stain, a little darker along its outline."""
    d = _disc(rng, side, 0.7, rng.uniform(0.1, 0.2))
    mottle = cv2.resize(rng.normal(0.9, 0.2, (9, 9)), d.shape[::-1], interpolation=cv2.INTER_CUBIC)
    cover = ramp(d, 1.08, 0.78) * np.clip(mottle, 0.5, 1.4) + 0.25 * ramp(np.abs(d - 0.88), 0.15, 0)
    return 1 - rng.uniform(0.24, 0.42) * cover


def _thread(rng: np.random.Generator, side: float) -> np.ndarray:
    """Irregular stripes: one to five winding strands of uneven width that throw light to one side."""
    u, t, width, angle = rng.uniform, np.linspace(0, 1, 33), min(1 + side / 30, 4.5), rng.uniform(0, np.pi)
    wander = sum(np.sin(np.pi * (k * t + u(0, 2))) * u(0.04, 0.14) / k for k in (1, 2, 3))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    spine = turn @ np.stack((t, wander))
    spine *= side / np.sqrt(np.maximum(np.ptp(spine, axis=1), 0.12).prod())
    spine += 5 * width - spine.min(1, keepdims=True)
    canvas = np.zeros((spine.max(1) + 5 * width).astype(int)[::-1] + 1, np.uint8)
    for strand in range(rng.integers(1, 6)):
        first, last = sorted(rng.integers(0, 33, 2).tolist()) if strand else (0, 32)
        points = np.rint((spine + turn[:, 1:] * width * u(-3, 3) * (strand > 0)) * 16).astype(int).T.tolist()
        for k in range(first, last):
            thick = max(round(width * (1 + 0.5 * np.sin(0.5 * k + strand)) * (0.6 if strand else 1)), 1)
            cv2.line(canvas, points[k], points[k + 1], 255, thick, cv2.LINE_AA, shift=4)
    line = cv2.GaussianBlur(canvas / 255.0, (0, 0), 0.35 * width)
    lit = np.roll(line, np.rint(width * turn[::-1, 1]).astype(int), (0, 1))
    return 1 - u(0.4, 0.55) * line + u(0.2, 0.3) * lit


def _spot(rng: np.random.Generator, side: float) -> np.ndarray:
    """Dark, round: an opaque stone with a narrow soft outline."""
    d = _disc(rng, side, 0.2, 0.03)
    return 1 - rng.uniform(0.7, 0.88) * ramp(d, 1 + 1 / side, 1 - max(0.2, 2.5 / side))


def _grain(rng: np.random.Generator, side: float) -> np.ndarray:
    """Blurred, irregular: a patch of light and dark grains."""
    d = _disc(rng, side, 0.6, 0.12)
    grains = cv2.GaussianBlur(rng.normal(size=d.shape), (0, 0), np.clip(side * 0.04, 0.9, 3.0))
    return 1 + ramp(d, 1.1, 0.7) * (0.21 * np.clip(grains / grains.std(), -2, 2) - 0.05)


# Each draws a gain on the light from a generator and the side in px, in the order of NAMES.
PAINTERS = (_bubble, _oil, _thread, _spot, _grain)
