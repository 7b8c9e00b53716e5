"""Words for a drawn defect: what it is, and what of it can be seen, from its name alone to a whole phrase."""

from __future__ import annotations

import numpy as np

from data.world.picture import Defect, WorldPicture
from data.world.primitives import PRIMITIVES

Rng = np.random.Generator
LEVELS = 3  # the name alone; with its tone; with size, direction and material too
SIZES = ((0.03, ("tiny", "minute")), (0.09, ("small", "little")), (0.3, ("",)), (1.0, ("large", "big", "wide")))
SLIM = 3.0  # times as long as broad: it has a direction
TONES = {True: ("bright", "light", "pale"), False: ("dark", "black", "dim")}


def caption(rng: Rng, picture: WorldPicture, defect: Defect, level: int) -> str:
    """A phrase of one of its names and as many of its attributes as `level`, 0 to LEVELS - 1, asks for."""
    names = PRIMITIVES[defect.kind].names
    words = [names[rng.integers(len(names))]]
    if level > 0:
        words.insert(0, _one(rng, TONES[defect.brighter]))
    if level > 1:
        words[:0] = [_one(rng, _sizes(defect, len(picture.image))), _direction(defect)]
        words += ["on", picture.material]
    return " ".join(word for word in words if word)


def _one(rng: Rng, words: tuple[str, ...]) -> str:
    return words[rng.integers(len(words))]


def _sizes(defect: Defect, size: int) -> tuple[str, ...]:
    width, height = (defect.box[2:] - defect.box[:2]).tolist()
    part = float(np.sqrt(width * height)) / size
    return next(words for most, words in SIZES if part <= most)


def _direction(defect: Defect) -> str:
    """How a slim one lies; "" for others."""
    width, height = (defect.box[2:] - defect.box[:2]).tolist()
    if width > SLIM * height:
        return "horizontal"
    if height > SLIM * width:
        return "vertical"
    return ""
