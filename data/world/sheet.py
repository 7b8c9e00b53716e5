"""Contact sheets of the world: every kind of defect on some surfaces, with its name, for people to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from data.defects.primitives import PRIMITIVES
from data.surfaces.materials import MATERIALS
from data.world.picture import add_defect
from data.world.sensor import photographed

SIDE = 200  # px of a picture on the sheet
COLUMNS = 6
LINE = 22  # px of a name's line
ROWS = 8  # kinds on a sheet
TRIES = 60  # of drawing something that can be seen


def samples(kind: int, seed: int) -> Iterator[np.ndarray]:
    """Pictures (SIDE, SIDE, 3) uint8 RGB that show this defect, in a thin frame."""
    able = PRIMITIVES[kind].on or tuple(MATERIALS)
    for number in range(TRIES):
        rng = np.random.default_rng([seed, kind, number])
        surface = MATERIALS[able[rng.integers(len(able))]](rng, SIDE)
        defect = add_defect(rng, surface, kind, np.zeros((SIDE, SIDE), bool))
        if defect is not None:
            picture = np.ascontiguousarray(photographed(rng, surface.colour))
            x1, y1, x2, y2 = defect.box.astype(int).tolist()
            cv2.rectangle(picture, (x1 - 3, y1 - 3), (x2 + 2, y2 + 2), (255, 220, 0), 1)
            yield picture


def sheets(seed: int) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB, ROWS kinds each."""
    rows = []
    for kind, primitive in enumerate(PRIMITIVES):
        shown = [picture for picture, _ in zip(samples(kind, seed), range(COLUMNS), strict=False)]
        shown += [np.full((SIDE, SIDE, 3), 255, np.uint8)] * (COLUMNS - len(shown))
        title = np.full((LINE, COLUMNS * SIDE, 3), 255, np.uint8)
        words = ", ".join(primitive.names)
        cv2.putText(title, words, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        rows.append(np.vstack((title, np.hstack(shown))))
        if len(rows) == ROWS or kind == len(PRIMITIVES) - 1:
            yield np.vstack(rows)
            rows = []


def write_sheets(folder: Path, seed: int) -> int:
    """sheet1.jpg, sheet2.jpg, ... in `folder` -> how many. Raises OSError."""
    count = 0
    for count, sheet in enumerate(sheets(seed), 1):
        (folder / f"sheet{count}.jpg").write_bytes(cv2.imencode(".jpg", sheet[..., ::-1])[1].tobytes())
    return count
