"""Pictures of the world as a data set of files: pictures, labels, data.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from data.world.drawn_world import DrawnWorld
from data.world.picture import WorldPicture
from utils.console.progress import progress
from utils.processes.memory import keep_small_blocks

SPLITS = ("train", "val")
QUALITY = 95  # of JPEG: the camera's own losses are drawn already
CHUNK = 16  # pictures that a process draws at a time


def yolo_lines(picture: WorldPicture) -> str:
    """`class xc yc w h` in fractions, a line for each defect."""
    size, lines = len(picture.image), ""
    for defect, label in zip(picture.defects, picture.labels.tolist(), strict=True):
        x1, y1, x2, y2 = (defect.box / size).tolist()
        lines += f"{label} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n"
    return lines


def encoded(world: DrawnWorld, number: int) -> tuple[bytes, str, int]:
    """A picture as JPEG, its label lines, and how many defects it shows."""
    cv2.setNumThreads(0)
    picture = world.picture(number)
    flags = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    data: np.ndarray = cv2.imencode(".jpg", picture.image[..., ::-1], flags)[1]
    return data.tobytes(), yolo_lines(picture), len(picture.defects)


def write_set(root: Path, world: DrawnWorld, workers: int) -> int:
    """Write images/{split}/, labels/{split}/, names.json and data.yaml into the folder `root` -> defects drawn.

    Raises OSError, and DataError for a background that cannot be read.
    """
    splits, defects = [split for split in SPLITS if world.numbers(split)], 0
    for split in splits:
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        numbers = world.numbers(split)
        drawn = _drawn(partial(encoded, world), numbers, workers)
        shown = progress(drawn, f"drawing {split}", len(numbers))
        for number, (data, lines, found) in zip(numbers, shown, strict=True):
            (root / "images" / split / f"{number:07d}.jpg").write_bytes(data)
            (root / "labels" / split / f"{number:07d}.txt").write_text(lines)
            defects += found
    (root / "names.json").write_text(json.dumps(world.names, indent=1))
    where = "".join(f"{split}: images/{split}\n" for split in splits)
    head = f"# drawn by python -m data.world: {world.mix}, seed {world.seed}, {world.size} px\npath: .\n"
    (root / "data.yaml").write_text(f"{head}{where}names: names.json\n")
    return defects


def _drawn(draw: partial[tuple[bytes, str, int]], numbers: range, workers: int) -> Iterator[tuple[bytes, str, int]]:
    """In order, whoever draws them."""
    if workers < 2:
        yield from map(draw, numbers)
        return
    with ProcessPoolExecutor(workers, initializer=keep_small_blocks) as pool:
        yield from pool.map(draw, numbers, chunksize=CHUNK)
