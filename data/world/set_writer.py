"""Pictures of the world as a data set of files: pictures, labels, data.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from data.world.mixes import mix_of
from data.world.picture import WorldPicture, draw_picture
from utils.console.progress import progress

QUALITY = 95  # of JPEG: the camera's own losses are drawn already
CHUNK = 16  # pictures that a process draws at a time


def yolo_lines(picture: WorldPicture) -> str:
    """`class xc yc w h` in fractions, a line for each defect."""
    size, lines = len(picture.image), ""
    for defect, label in zip(picture.defects, picture.labels.tolist(), strict=True):
        x1, y1, x2, y2 = (defect.box / size).tolist()
        lines += f"{label} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n"
    return lines


def encoded(mix: str, seed: int, size: int, index: int) -> tuple[bytes, str, int]:
    """A picture as JPEG, its label lines, and how many defects it shows."""
    cv2.setNumThreads(0)
    picture = draw_picture(seed, index, size, mix_of(mix))
    flags = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    data: np.ndarray = cv2.imencode(".jpg", picture.image[..., ::-1], flags)[1]
    return data.tobytes(), yolo_lines(picture), len(picture.defects)


def write_set(root: Path, counts: dict[str, int], mix: str, size: int, seed: int, workers: int) -> int:
    """Write images/{split}/, labels/{split}/, names.json and data.yaml into the new folder `root` -> defects drawn.

    `mix` see mix_of; `counts` of pictures by split, whose numbers go on from one split to the next, so that no picture
    is in two. Raises OSError.
    """
    first, defects = 0, 0
    for split, count in counts.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        numbers = range(first, first + count)
        drawn = _drawn(partial(encoded, mix, seed, size), numbers, workers)
        for number, (data, lines, found) in zip(numbers, progress(drawn, f"drawing {split}", count), strict=True):
            (root / "images" / split / f"{number:07d}.jpg").write_bytes(data)
            (root / "labels" / split / f"{number:07d}.txt").write_text(lines)
            defects += found
        first += count
    (root / "names.json").write_text(json.dumps(mix_of(mix).names, indent=1))
    splits = "".join(f"{split}: images/{split}\n" for split in counts)
    head = f"# drawn by python -m data.world: {mix}, seed {seed}, {size} px\npath: .\n"
    (root / "data.yaml").write_text(f"{head}{splits}names: names.json\n")
    return defects


def _drawn(draw: partial[tuple[bytes, str, int]], numbers: range, workers: int) -> Iterator[tuple[bytes, str, int]]:
    """In order, whoever draws them."""
    if workers < 2:
        yield from map(draw, numbers)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(draw, numbers, chunksize=CHUNK)
