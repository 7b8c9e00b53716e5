"""Pictures for a network whose own are not at hand."""

from __future__ import annotations

import numpy as np

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.drawn.glass_set import draw_picture
from utils.values.channels import Channels


def drawn_scenes(channels: Channels, count: int) -> list[Scene]:
    """Pictures of the built-in glass set; of other planes than RGB each is a mean of those, lighter or darker."""
    scenes = [draw_picture(np.random.default_rng((0, number))) for number in range(count)]
    if channels.plain_rgb:
        return scenes
    optics, dtype = Optics(channels), np.dtype(channels.dtype)
    shares = np.linspace(0.4, 1.0, len(channels.held))
    made = [(scene.planes.mean(2, keepdims=True) / 255 * shares * optics.full(dtype)).astype(dtype) for scene in scenes]
    return [Scene.without_truth(planes) for planes in made]
