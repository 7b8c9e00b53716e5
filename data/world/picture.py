"""One picture of the world: a surface, defects that can be seen on it, things that are none, a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from data.defects.marks import Spot
from data.defects.primitives import PRIMITIVES, Primitive
from data.surfaces.backgrounds import Backgrounds
from data.surfaces.features import add_features
from data.surfaces.materials import MATERIALS
from data.surfaces.surface import Surface
from data.surfaces.workpiece import cut_out
from data.world import sensor
from data.world.mixes import Mix, mix_of
from data.world.wordings import codes

Rng = np.random.Generator

COUNTS = (0.15, 0.3, 0.2, 0.13, 0.1, 0.06, 0.06)  # chances of 0, 1, ... defects
VISIBLE = 0.07  # change of light that a person notices
LEAST_SIDE, LEAST_LENGTH = 3.0, 5.0  # px of a box
FARTHEST, NEAREST = 0.25, 4.0  # defects are so much smaller or larger in pictures that are taken from there
LARGEST = 0.95  # part of the picture that a defect is long at most
PARTS, FEATURED = 0.3, 0.25  # pictures of a part that ends in them; with what looks like a defect and is none
TRIES = 6  # places that are looked at for a defect


@dataclass(frozen=True, eq=False)
class Defect:
    """What was drawn: the number of its kind in PRIMITIVES, `box` (4,) float32 xyxy px around what can be seen, and
    whether it is `brighter` than what it lies on.
    """

    kind: int
    box: np.ndarray
    brighter: bool


@dataclass(frozen=True, eq=False)
class WorldPicture:
    """`image` (S, S, 3) uint8 RGB of `material` ("" of backgrounds), the defects on it, and their classes in the mix,
    `labels` (D,).
    """

    image: np.ndarray
    material: str
    defects: tuple[Defect, ...]
    labels: np.ndarray

    def codes(self) -> np.ndarray:
        """(D,) int64: what the wordings of its world tell apart."""
        return codes([one.kind for one in self.defects], self.material, [one.brighter for one in self.defects])


def draw_picture(
    seed: int, index: int, size: int = 320, mix: Mix | None = None, backgrounds: Backgrounds | None = None
) -> WorldPicture:
    """The picture `index` of the world `seed`, of `mix` (None: that of all kinds alike): the same bytes wherever it is
    drawn. On one of the `backgrounds`, where there are some; their mix has that name. Raises DataError for one that
    cannot be read.
    """
    rng, mix = np.random.default_rng([seed, index]), mix or mix_of("kinds")
    number = int(rng.choice(len(mix.chances), p=mix.materials()))
    material = "" if backgrounds else tuple(MATERIALS)[number]
    surface = backgrounds.surface(rng, size) if backgrounds else _part(rng, material, size)
    if rng.random() < 0.25:
        sensor.glare(rng, surface.colour)
    if rng.random() < 0.3:
        sensor.shadow(rng, surface.colour)
    taken, defects = np.zeros((size, size), bool), []
    scale = float(np.exp(rng.uniform(np.log(FARTHEST), np.log(NEAREST))))
    for kind in rng.choice(len(PRIMITIVES), rng.choice(len(COUNTS), p=COUNTS), p=mix.kinds(number)).tolist():
        defect = add_defect(rng, surface, kind, taken, scale)
        defects += [] if defect is None else [defect]
    labels = mix.labels[number][[defect.kind for defect in defects]]
    return WorldPicture(sensor.photographed(rng, surface.colour), material, tuple(defects), labels)


def _part(rng: Rng, material: str, size: int) -> Surface:
    """Something made of `material` that fills the picture or ends in it, with what belongs on it."""
    surface = MATERIALS[material](rng, size)
    if rng.random() < FEATURED:
        add_features(rng, surface)
    return cut_out(rng, surface) if surface.parts is None and rng.random() < PARTS else surface


def add_defect(rng: Rng, surface: Surface, kind: int, taken: np.ndarray, scale: float = 1.0) -> Defect | None:
    """Draw a defect, `scale` times its usual size, where none is `taken` yet and it can be seen; None where there is no
    room, or nothing to see.
    """
    primitive, size = PRIMITIVES[kind], len(taken)
    angle = _angle(rng, primitive, surface)
    mask = _laid(primitive.outline(rng, max(min(_side(rng, primitive) * scale, LARGEST) * size, 4.0)), angle)
    for _ in range(TRIES):
        corner = _corner(rng, primitive, surface, mask.shape)
        window, inner = _overlap(corner, mask.shape, size)
        if window is None or taken[window].any() or mask[inner].max(initial=0) < 0.3:
            continue
        before = surface.colour[window].copy()
        _mark(rng, primitive, surface, window, mask[inner])
        if surface.body is not None:
            np.copyto(surface.colour[window], before, where=~surface.body[window][..., None])
        return _seen(surface.colour, before, window, kind, taken)
    return None


def _side(rng: Rng, primitive: Primitive) -> float:
    """A length as a part of the picture: small ones are as frequent as large ones on a scale of ratios."""
    low, high = np.log(primitive.sides)
    return float(np.exp(low + (high - low) * rng.beta(0.9, 1.3)))


def _angle(rng: Rng, primitive: Primitive, surface: Surface) -> float:
    if primitive.turn == "any":
        return float(rng.uniform(-np.pi, np.pi))
    if primitive.turn in ("grain", "across"):
        across = primitive.turn == "across" or rng.random() < 0.15
        return surface.angle + np.pi / 2 * across + float(rng.normal(0, 0.02))
    return np.pi / 2 if primitive.turn == "down" else 0.0


def _laid(mask: np.ndarray, angle: float) -> np.ndarray:
    """The patch turned by `angle`, with room around it for soft rims."""
    rows, columns = mask.shape
    room = 2 + int(0.4 * min(rows, columns))
    cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
    width, height = int(columns * cos + rows * sin) + 2 * room, int(columns * sin + rows * cos) + 2 * room
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), -np.degrees(angle), 1)
    matrix[:, 2] += (width - columns) / 2, (height - rows) / 2
    return cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)


def _corner(rng: Rng, primitive: Primitive, surface: Surface, shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of the patch's upper left corner."""
    size, (height, width) = len(surface.colour), shape
    if surface.parts is not None and primitive.where != "anywhere":
        y, x = _place_on_board(rng, surface.parts, primitive.where)
    elif surface.body is not None:
        places = np.flatnonzero(surface.body)
        y, x = divmod(int(places[rng.integers(len(places))]), size)
    else:
        y, x = rng.uniform(0.03, 0.97, 2) * size
    return int(y - height / 2), int(x - width / 2)


def _place_on_board(rng: Rng, parts: np.ndarray, where: str) -> tuple[float, float]:
    if where == "on a track":
        wanted = cv2.erode(parts, np.ones((3, 3), np.uint8)) > 127
    elif where == "between tracks":
        wanted = cv2.dilate(parts, np.ones((3, 3), np.uint8)) < 128
    else:
        wanted = (parts > 127) ^ (cv2.erode(parts, np.ones((3, 3), np.uint8)) > 127)
    places = np.flatnonzero(wanted)
    place = int(places[rng.integers(len(places))]) if len(places) else int(rng.integers(parts.size))
    return divmod(place, len(parts))


Window = tuple[slice, slice]


def _overlap(corner: tuple[int, int], shape: tuple[int, ...], size: int) -> tuple[Window | None, Window]:
    """The part of the picture that a patch covers, and the part of the patch that lies in it."""
    starts = [max(c, 0) for c in corner]
    ends = [min(c + n, size) for c, n in zip(corner, shape, strict=True)]
    if any(end - start < 3 for start, end in zip(starts, ends, strict=True)):
        return None, (slice(0), slice(0))
    rows, columns = (slice(start, end) for start, end in zip(starts, ends, strict=True))
    inner = tuple(slice(s - c, e - c) for s, e, c in zip(starts, ends, corner, strict=True))
    return (rows, columns), (inner[0], inner[1])


def _mark(rng: Rng, primitive: Primitive, surface: Surface, window: Window, mask: np.ndarray) -> None:
    base, track = np.zeros(3, np.float32), np.ones(3, np.float32)
    if surface.parts is not None:
        base, track = (surface.colour[surface.parts == tone].mean(0) for tone in (0, 255))
    strength = float(rng.beta(3, 1.6)) * 0.8 + 0.2
    look = primitive.looks[rng.integers(len(primitive.looks))]
    look(rng, Spot(surface.colour[window], np.ascontiguousarray(mask), surface.lamp, strength, base, track))


def _seen(colour: np.ndarray, before: np.ndarray, window: Window, kind: int, taken: np.ndarray) -> Defect | None:
    """The defect with the box around what changed; what nobody can see is taken back."""
    change = np.minimum(colour[window], 1) - np.minimum(before, 1)  # what is beyond white is white
    red, green, blue = cv2.split(np.abs(change))
    shade = cv2.max(cv2.max(red, green), blue)
    seen = shade > max(VISIBLE, 0.25 * float(shade.max()))
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    box = np.zeros(4, np.float32)
    if len(rows):
        top, left = window[0].start, window[1].start
        low, high = (left + columns[0] - 1, top + rows[0] - 1), (left + columns[-1] + 2, top + rows[-1] + 2)
        box = np.clip(np.array((*low, *high), np.float32), 0, len(colour))  # a pixel of room, as people leave
    if min(box[2:] - box[:2]) < LEAST_SIDE or max(box[2:] - box[:2]) < LEAST_LENGTH:
        colour[window] = before
        return None
    taken[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = True
    return Defect(kind, box, bool(change[seen].mean() > 0))
