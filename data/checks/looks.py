"""A look at every picture of a data set: decoded once, small, by several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import cv2
import numpy as np

from data.checks.same_pictures import Listed
from data.pictures.oddities import Depth
from data.pictures.picture_decoder import read_grey
from utils.console.progress import progress
from utils.words.errors import DataError

THREADS = 4
SIDE = 48  # px of a thumbnail
LEAST = 192  # px of the shorter side that is decoded at least
CHUNK = 256  # pictures handed to the threads at a time
WHITE, BLACK = 254, 2  # of 255


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What a picture looks like: `thumbnail` (SIDE, SIDE) uint8, upright; how far its values go if they are of 16 bit;
    the shares of its pixels that are white and black; `oddities` as of PictureHeader. `problem`: why it cannot be
    decoded.
    """

    picture: Listed
    thumbnail: np.ndarray
    oddities: tuple[str, ...] = ()
    depth: Depth | None = None
    constant: bool = False
    white: float = 0.0
    black: float = 0.0
    problem: str = ""


def look_at_all(pictures: Sequence[Listed], max_pixels: int) -> Iterator[Look]:
    """A Look of each picture in order, with a progress bar on a terminal."""
    look = partial(look_at, max_pixels=max_pixels)
    rest = iter(pictures)
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(THREADS) as pool, progress((), "looking", len(pictures)) as bar:
        while chunk := list(islice(rest, CHUNK)):
            for one in pool.map(look, chunk):
                bar.update()
                yield one


def look_at(picture: Listed, max_pixels: int) -> Look:
    """Decode one picture."""
    try:
        grey, header = read_grey(picture.path, max_pixels, LEAST)
    except DataError as error:
        return Look(picture, np.zeros((SIDE, SIDE), np.uint8), problem=str(error))
    depth = Depth.of(grey) if grey.dtype == np.uint16 else None
    constant = bool(grey.max() == grey.min())
    if grey.dtype == np.uint16:
        grey = (grey >> 8).astype(np.uint8)
    thumbnail = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    shares = [float(np.count_nonzero(part)) / grey.size for part in (grey >= WHITE, grey <= BLACK)]
    return Look(picture, thumbnail, header.oddities, depth, constant, shares[0], shares[1])
