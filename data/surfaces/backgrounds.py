"""A user's own good pictures as the surfaces that defects are drawn on."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from data.files.folders import walk
from data.pictures.picture_decoder import is_picture, read_image
from data.surfaces.surface import Surface
from utils.words.errors import DataError, printable


class Backgrounds:
    """The pictures in `folder` and below it, which are listed when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """In the order of their paths. Raises DataError where there are none, or a folder cannot be looked into."""
        if not self.folder.is_dir():
            raise self._error("no such folder; name one with pictures of good parts")
        found: list[Path] = []
        for home, folders, names in walk(self.folder, self._closed):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [Path(home, name) for name in names if is_picture(name) and not name.startswith(".")]
        if not found:
            raise self._error("holds no pictures; put some of good parts there")
        return tuple(sorted(found, key=Path.as_posix))

    def _closed(self, error: OSError) -> None:
        raise self._error(f"{printable(str(error.filename))} cannot be read: {error.strerror}; see its permissions")

    def _error(self, reason: str) -> DataError:
        return DataError(f"backgrounds {printable(str(self.folder))}: {reason}")

    def surface(self, rng: np.random.Generator, size: int) -> Surface:
        """A square of one of the pictures, of any size from `size` px up, turned or mirrored, as `size` px. Raises
        DataError for one that cannot be read.
        """
        image = read_image(self.files[rng.integers(len(self.files))])
        shortest = min(image.shape[:2])
        side = int(round(np.exp(rng.uniform(np.log(min(size, shortest)), np.log(shortest)))))
        top, left = (int(rng.integers(length - side + 1)) for length in image.shape[:2])
        square = image[top : top + side, left : left + side]
        square = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)
        square = np.rot90(square, int(rng.integers(4)))[:: int(rng.choice((-1, 1)))]
        colour = np.ascontiguousarray(square, np.float32) / 255
        return Surface(colour, float(rng.choice((0.0, np.pi / 2))), float(rng.uniform(-np.pi, np.pi)))
