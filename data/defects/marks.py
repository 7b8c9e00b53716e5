"""What a defect does to the surface under its outline: darken, colour, press in, raise, open, stain, smear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from data.surfaces.fields import layers, ramp, shaded, smooth, tinted
from data.surfaces.surface import any_colour

Rng = np.random.Generator
Mask = np.ndarray


@dataclass(frozen=True, eq=False)
class Spot:
    """Where a mark is made: `colour` (h, w, 3) float32, a view into the picture that is changed in place; `mask` (h, w)
    float32 0..1; `lamp` radians of the side of the light; `strength` about 0.3 (hard to see) to 1 (plain); `base` and
    `track` (3,) colours of a printed board.
    """

    colour: np.ndarray
    mask: Mask
    lamp: float
    strength: float
    base: np.ndarray
    track: np.ndarray


Mark = Callable[[Rng, Spot], None]


def _blend(spot: Spot, colour: np.ndarray | float, cover: Mask) -> None:
    cover = layers(cover)
    spot.colour[:] = spot.colour * (1 - cover) + np.float32(colour) * cover


def _scale(spot: Spot, gain: np.ndarray) -> None:
    np.multiply(spot.colour, gain.astype(np.float32), out=spot.colour)


def _mottle(rng: Rng, mask: Mask, cells: float = 6, depth: float = 0.15) -> Mask:
    """Noise about 1 over the patch, so that nothing is painted even."""
    side = max(mask.shape)
    return 1 + np.float32(depth) * smooth(rng, side, min(cells, side / 2), 3)[: mask.shape[0], : mask.shape[1]]


def dark(rng: Rng, spot: Spot) -> None:
    """Less light."""
    depth = spot.strength * rng.uniform(0.5, 0.9) * _mottle(rng, spot.mask)
    _scale(spot, layers(np.clip(1 - depth * spot.mask, 0.02, 1)))


def bright(rng: Rng, spot: Spot) -> None:
    """More light, up to white."""
    level = min(1.0, float(spot.colour.mean()) + rng.uniform(0.25, 0.6))
    _blend(spot, level, np.clip(spot.strength * rng.uniform(0.6, 1.0) * _mottle(rng, spot.mask) * spot.mask, 0, 1))


def hued(rng: Rng, spot: Spot, hues: Sequence[Sequence[float]] | np.ndarray) -> None:
    """One of some colours laid over it."""
    hue = np.array(hues, np.float32)[rng.integers(len(hues))] * np.float32(rng.uniform(0.8, 1.15))
    cover = np.clip(spot.strength * rng.uniform(0.6, 1.0) * spot.mask * _mottle(rng, spot.mask, depth=0.3), 0, 1)
    _blend(spot, tinted(_mottle(rng, spot.mask, 12, 0.2), hue), cover)


def coloured(rng: Rng, spot: Spot) -> None:
    """Any colour."""
    hued(rng, spot, any_colour(rng, (0.3, 0.95), (0.3, 0.95))[None])


def rusty(rng: Rng, spot: Spot) -> None:
    """Red to brown, crusted."""
    hued(rng, spot, ((0.5, 0.22, 0.08), (0.62, 0.32, 0.12), (0.36, 0.16, 0.08)))
    crusted(rng, spot)


def amber(rng: Rng, spot: Spot) -> None:
    """Resin, glue, oil."""
    hued(rng, spot, ((0.75, 0.5, 0.15), (0.45, 0.26, 0.08), (0.6, 0.42, 0.2)))


def whitish(rng: Rng, spot: Spot) -> None:
    """A pale bloom."""
    hued(rng, spot, ((0.92, 0.92, 0.9), (0.85, 0.85, 0.82)))


def green(rng: Rng, spot: Spot) -> None:
    """Mould or verdigris."""
    hued(rng, spot, ((0.2, 0.38, 0.18), (0.3, 0.55, 0.45), (0.14, 0.2, 0.12)))


def _softness(mask: Mask, part: float) -> float:
    """Px of blur that rounds the shape: `part` of the thickness where it is thickest."""
    inside = (mask > 0.4).astype(np.uint8)
    thick = 2 * float(cv2.distanceTransform(inside, cv2.DIST_L2, 3).max()) if inside.any() else 1.0
    return max(part * thick, 0.7)


def _relief(spot: Spot, height: Mask, strength: float) -> None:
    _scale(spot, layers(np.clip(shaded(height, spot.lamp, strength), 0.25, 1.9)))


def pressed(rng: Rng, spot: Spot) -> None:
    """Pressed in: the far wall shines, the near one lies in shadow."""
    soft = _softness(spot.mask, 0.25)
    height = cv2.GaussianBlur(spot.mask, (0, 0), soft)
    _relief(spot, -height, spot.strength * rng.uniform(1.2, 2.2) * soft)
    _scale(spot, layers(1 - rng.uniform(0, 0.3) * spot.strength * height))


def raised(rng: Rng, spot: Spot) -> None:
    """Standing out, rounded."""
    soft = _softness(spot.mask, 0.3)
    height = cv2.GaussianBlur(spot.mask, (0, 0), soft)
    _relief(spot, height, spot.strength * rng.uniform(1.2, 2.2) * soft)
    _scale(spot, layers(1 + rng.uniform(-0.1, 0.2) * spot.strength * height))


def opened(rng: Rng, spot: Spot) -> None:
    """A hole: black within, one rim lit."""
    _relief(spot, -cv2.GaussianBlur(spot.mask, (0, 0), 1.2), 1.0 * spot.strength)
    depth = np.clip(spot.strength * rng.uniform(0.85, 1.1) * cv2.GaussianBlur(spot.mask, (0, 0), 0.6), 0, 1)
    _blend(spot, rng.uniform(0.0, 0.08), depth)


def broken(rng: Rng, spot: Spot) -> None:
    """A piece out of it: fresh material in facets, brighter or darker than the skin."""
    facets = _mottle(rng, spot.mask, 3, 0.3)
    level = float(spot.colour.mean()) * (1.45 if rng.random() < 0.6 else 0.55)
    _blend(spot, layers(np.clip(level * facets, 0, 1)), np.clip(spot.strength + 0.3, 0, 1) * spot.mask)
    _relief(spot, -cv2.GaussianBlur(spot.mask, (0, 0), 1.0), 0.8 * spot.strength)


def stained(rng: Rng, spot: Spot) -> None:
    """Dried liquid: a soft change of hue with a darker rim."""
    soft = _softness(spot.mask, 0.1)
    inside = cv2.GaussianBlur(spot.mask, (0, 0), soft)
    rim = 4 * inside * (1 - inside)
    hue = np.array(((0.72, 0.6, 0.45), (0.6, 0.6, 0.62), (0.8, 0.72, 0.55))[rng.integers(3)], np.float32)
    cover = spot.strength * (
        rng.uniform(0.3, 0.7) * inside * _mottle(rng, inside, 5, 0.25) + rng.uniform(0.1, 0.5) * rim
    )
    _scale(spot, 1 - tinted(np.clip(cover, 0, 1), 1 - hue))


def faded(rng: Rng, spot: Spot) -> None:
    """A change of shade with no border."""
    soft = _softness(spot.mask, 0.4)
    inside = cv2.GaussianBlur(spot.mask, (0, 0), soft) * spot.strength
    gain = rng.choice((-1, 1)) * rng.uniform(0.25, 0.5) * np.float32(1 + rng.normal(0, 0.15, 3))
    _scale(spot, 1 + tinted(inside, gain))


def bubbly(rng: Rng, spot: Spot) -> None:
    """A gas bubble in something clear: a dark rim, a light heart, a glint."""
    inside = cv2.GaussianBlur(spot.mask, (0, 0), 0.6)
    distance = cv2.distanceTransform((spot.mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    part = distance / max(float(distance.max()), 1)
    rim = inside * ramp(part, rng.uniform(0.5, 0.8), 0.1)
    _scale(spot, layers(1 - spot.strength * rng.uniform(0.5, 0.85) * rim))
    heart = inside * ramp(part, 0.4, 0.9)
    _blend(spot, 1.0, spot.strength * rng.uniform(0.1, 0.6) * heart)


def glossy(rng: Rng, spot: Spot) -> None:
    """Wet or greasy: darker, with a reflection on the side of the lamp."""
    soft = _softness(spot.mask, 0.25)
    height = cv2.GaussianBlur(spot.mask, (0, 0), soft)
    _scale(spot, layers(1 - rng.uniform(0.2, 0.5) * spot.strength * spot.mask))
    glint = shaded(height, spot.lamp, 2.5 * soft) - 1
    _blend(spot, 1.0, np.clip(spot.strength * (glint - 0.25) * 2, 0, 0.9) * spot.mask)


def crusted(rng: Rng, spot: Spot) -> None:
    """Rough: grains that stand out."""
    side = max(spot.mask.shape)
    grains = smooth(rng, side, side / 3, 2)[: spot.mask.shape[0], : spot.mask.shape[1]] * spot.mask
    _relief(spot, grains, rng.uniform(0.3, 0.8) * spot.strength)


def scaled(rng: Rng, spot: Spot) -> None:
    """Rolled-in scale: dark, torn, rough."""
    dark(rng, spot)
    crusted(rng, spot)


def peeled(rng: Rng, spot: Spot) -> None:
    """A coat that came off: other material below, and the coat's edge throws a shadow."""
    level = rng.uniform(0.15, 0.85)
    hue = np.array((level, level * rng.uniform(0.8, 1), level * rng.uniform(0.6, 1)), np.float32)
    _blend(spot, tinted(_mottle(rng, spot.mask, 14, 0.12), hue), np.clip(spot.strength + 0.35, 0, 1) * spot.mask)
    _relief(spot, -cv2.GaussianBlur(spot.mask, (0, 0), 0.8), 1.2 * spot.strength)


def smeared(rng: Rng, spot: Spot) -> None:
    """Rubbed: the texture is gone, and somewhat lighter or darker."""
    even = cv2.GaussianBlur(spot.colour, (0, 0), max(0.15 * min(spot.mask.shape), 2.0))
    even = even * np.float32(1 + rng.choice((-1, 1)) * rng.uniform(0.1, 0.3) * spot.strength)
    _blend(spot, even, np.clip(spot.strength + 0.2, 0, 1) * cv2.GaussianBlur(spot.mask, (0, 0), 1.5))


def untracked(rng: Rng, spot: Spot) -> None:
    """A printed track gone: the board below."""
    _blend(spot, spot.base, np.clip(spot.strength + 0.5, 0, 1) * spot.mask)


def tracked(rng: Rng, spot: Spot) -> None:
    """Copper where none belongs."""
    _blend(spot, spot.track, np.clip(spot.strength + 0.5, 0, 1) * spot.mask)


def knotty(rng: Rng, spot: Spot) -> None:
    """A branch's section in a board: rings about a dark heart."""
    distance = cv2.distanceTransform((spot.mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    part = 1 - distance / max(float(distance.max()), 1)
    rings = 0.5 + 0.5 * np.cos(part * np.float32(2 * np.pi * rng.uniform(2, 5)))
    hue = np.array(((0.42, 0.24, 0.12), (0.2, 0.12, 0.07))[rng.integers(2)], np.float32)
    soft = cv2.GaussianBlur(spot.mask, (0, 0), 0.8)
    cover = np.clip(spot.strength * (0.45 + 0.3 * rings + 0.4 * (1 - part)) * soft, 0, 1)
    _blend(spot, hue, cover)
