"""One input of detect.py: a picture, or a frame of a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Clip:
    """The video a frame belongs to: `output` the relative path, without suffix, of its overlay; `rate` frames/s."""

    output: Path
    rate: float


@dataclass(frozen=True, eq=False)
class Frame:
    """One input of detect.py: a picture, or a frame of a video.

    `name` is what tables call it, `output` the relative path, without suffix, under which its results are filed;
    `image` (H, W, C) uint8 RGB or the planes a network reads, None when it could not be read, with the `reason`; with
    an image, `reason` says what of it is missing. `path` is the picture's file; frames of a video have none.
    """

    name: str
    output: Path
    image: np.ndarray | None
    reason: str = ""
    clip: Clip | None = None
    path: Path | None = None
