"""The files of a sample and the planes in them, found and read by the names of a data YAML."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from data.pictures.picture_decoder import IMAGE_SUFFIXES, image_error, is_picture, load_picture, read_image
from data.pictures.plane_files import NPY, plane_size, read_planes
from utils.values.channels import ANGLES, FLOAT, Channels
from utils.words.errors import DataError, printable
from utils.words.text import counted


class PlaneReader:
    """Reads samples as `channels` describes them, in the order of `channels.held`."""

    def __init__(self, channels: Channels, max_pixels: int) -> None:
        self.channels, self.max_pixels = channels, max_pixels

    def __call__(self, path: Path) -> np.ndarray:
        """The planes of the sample whose first file is `path`: (H, W, C) uint8, uint16, or float32 in 0..1 where
        `channels.fractions`. A missing second picture is zeros.

        Raises DataError naming the file and the planes.
        """
        if self.channels.plain_rgb:
            return read_image(path, self.max_pixels)
        parts: list[np.ndarray] = []
        for file, names, bits in self.files(path):
            if file is None:
                parts.append(np.zeros((*parts[0].shape[:2], len(names)), parts[0].dtype))
                continue
            planes = read_planes(file, names, bits, self.max_pixels)
            parts.append(as_fractions(planes, bits) if self.channels.fractions else planes)
            _same_size(file, planes.shape, path, parts[0].shape, names)
        return _stacked(parts)

    def look(self, path: Path) -> tuple[tuple[int, int], tuple[str, ...]]:
        """(height, width) of a sample, and the oddities in the header of a picture that is all of it. Raises DataError.

        Other files of the sample are looked up and their sizes compared.
        """
        if self.channels.plain_rgb:
            header = load_picture(path, self.max_pixels)[1]
            return header.upright, header.oddities
        files = self.files(path)
        first = plane_size(path, self.max_pixels)
        for file, names, _ in files:
            if file is not None and file != path:
                _same_size(file, plane_size(file, self.max_pixels), path, first, names)
        return first, ()

    def files(self, path: Path) -> list[tuple[Path | None, tuple[str, ...], int]]:
        """Each file of a sample, the names of its planes and their bits; None for a second picture that is missing.

        Raises DataError for one of several files that is missing.
        """
        c = self.channels
        if not c.polar_dir:
            return [(file, names, c.bits) for file, names in self._of_pattern(path.parent, c.files, path, c.made)]
        main = [(file, names, c.bits) for file, names in self._of_pattern(path.parent, c.files, path, c.image)]
        return main + [(file, names, c.polar_bits) for file, names in self._second(path)]

    def has_second(self, path: Path) -> bool:
        """Whether the sample's second picture is there, if there is to be one; of several files some."""
        try:
            return not self.channels.polar_dir or any(file is not None for file, _ in self._second(path))
        except DataError:  # some of its files are there; reading it names the one that is not
            return True

    def lacking(self, path: Path) -> str:
        """What to say of a sample whose second picture is missing; empty when it is there or none is to be."""
        if self.has_second(path):
            return ""
        file, channel = self.second_place(path)
        return f"no second picture {printable(str(file))} ({channel}): {', '.join(self.channels.polar)} are zeros"

    def second_place(self, path: Path) -> tuple[Path, str]:
        """Where the sample's second picture is looked for, and its planes; of several files the first."""
        names, pattern = self.channels.held[len(self.channels.image) :], self.channels.polar_files
        folder = second_folder(path, self.channels.polar_dir)
        if not pattern:
            return folder / path.name, ", ".join(names)
        return folder / named(pattern, self._stem(path), names[0]), names[0]

    def _second(self, path: Path) -> list[tuple[Path | None, tuple[str, ...]]]:
        held = self.channels.held[len(self.channels.image) :]
        folder = second_folder(path, self.channels.polar_dir)
        if not self.channels.polar_files:
            return [(_same_stem(folder, path), held)]
        files = [folder / named(self.channels.polar_files, self._stem(path), name) for name in held]
        if not any(os.path.lexists(file) for file in files):
            return [(None, held)]
        return self._of_pattern(folder, self.channels.polar_files, path, held)

    def _of_pattern(
        self, folder: Path, pattern: str, path: Path, names: tuple[str, ...]
    ) -> list[tuple[Path | None, tuple[str, ...]]]:
        """The file of each plane, all of which must be there; without a pattern the one file `path`."""
        if not pattern:
            return [(path, names)]
        stem = self._stem(path)
        files = [(folder / named(pattern, stem, name), (name,)) for name in names]
        for file, (name,) in files:
            if not os.path.lexists(file):
                word = "angle" if name in ANGLES else "plane"
                raise image_error(file, f"the {word} {name} of {printable(path.name)} is missing", "add it")
        return list(files)

    def _stem(self, path: Path) -> str:
        """What stands for {stem}: the file's name without its suffix, and without its channel where it has one."""
        if not self.channels.files:
            return path.stem
        stem = stem_of(path.name, self.channels.files, self.channels.image[0])
        if stem is None:
            message = f"does not fit files: {self.channels.files} with channel {self.channels.image[0]}"
            raise image_error(path, message, "mend files in the data YAML")
        return stem


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    """(H, W, C) parts as one; np.concatenate would take three to ten times as long."""
    if len(parts) == 1:
        return parts[0]
    if [part.shape[2] for part in parts] == [3, 1]:
        whole = cv2.cvtColor(parts[0], cv2.COLOR_RGB2RGBA)
        return np.asarray(cv2.insertChannel(parts[1], whole, 3))
    return np.asarray(cv2.merge(parts))


def named(pattern: str, stem: str, channel: str) -> str:
    """The pattern filled in."""
    return pattern.replace("{channel}", channel).replace("{stem}", stem)


def stem_of(name: str, pattern: str, channel: str) -> str | None:
    """What {stem} stands for in a file name of that channel; None when it is not of the pattern."""
    before, after = pattern.replace("{channel}", channel).split("{stem}")
    fits = name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)
    return name[len(before) : len(name) - len(after)] if fits else None


def second_folder(path: Path, folder: str) -> Path:
    """Where the second picture lies: `folder` instead of the last `images` above `path`, else below its own folder."""
    parts = list(path.parent.parts)
    last = max((index for index, part in enumerate(parts) if part.lower() == "images"), default=None)
    if last is None:
        return path.parent / folder
    return Path(*parts[:last], folder, *parts[last + 1 :])


def _same_stem(folder: Path, path: Path) -> Path | None:
    """The picture or array of that stem in `folder`, of the same suffix if there is one."""
    if os.path.lexists(folder / path.name):
        return folder / path.name
    suffixes = (*sorted(IMAGE_SUFFIXES), NPY)
    names = (path.stem + form for suffix in suffixes for form in (suffix, suffix.upper()))
    return next((folder / name for name in names if os.path.lexists(folder / name)), None)


def is_first(name: str, channels: Channels) -> bool:
    """Whether a file is a sample's first: a picture; with named planes an array, too, and of several files the one of
    the first plane.
    """
    if channels.plain_rgb:
        return is_picture(name)
    if channels.files:
        return stem_of(name, channels.files, channels.image[0]) is not None
    return is_picture(name) or name.lower().endswith(NPY)


def first_names(names: Iterable[str], channels: Channels) -> list[str]:
    """Of the files in a folder the first of each sample, also one that is missing while others of its files are there:
    reading it says so.
    """
    listed = list(names)
    found = {name: None for name in listed if is_first(name, channels)}
    planes = channels.image if channels.polar_dir else channels.made
    for name in listed if channels.files else ():
        for plane in planes[1:]:
            stem = None if name in found else stem_of(name, channels.files, plane)
            if stem is not None:
                found[named(channels.files, stem, channels.image[0])] = None
    return list(found)


def without_seconds(paths: Sequence[Path], channels: Channels) -> list[Path]:
    """`paths` but for second pictures of others among them, found below the same folder."""
    if not channels.polar_dir:
        return list(paths)
    folders = {second_folder(path, channels.polar_dir) for path in {path.parent: path for path in paths}.values()}
    return [path for path in paths if path.parent not in folders]


def as_fractions(planes: np.ndarray, bits: int) -> np.ndarray:
    """Planes of that many bits as float32 in 0..1."""
    return planes if bits == FLOAT else planes.astype(np.float32) / np.float32((1 << bits) - 1)


def _same_size(file: Path, shape: Sequence[int], first: Path, first_shape: Sequence[int], names: Sequence[str]) -> None:
    """Raise DataError when a file's planes have another height and width than those of the sample's first file."""
    if tuple(shape[:2]) != tuple(first_shape[:2]):
        said = f"{', '.join(names)}: is {shape[1]} x {shape[0]}, but {printable(first.name)} is "
        raise image_error(file, f"{said}{first_shape[1]} x {first_shape[0]}", "planes of a sample are of one size")


def missing_words(paths: Iterable[Path], channels: Channels, where: str) -> str:
    """A warning with the count of samples whose second picture is missing; empty when none is. Raises DataError when
    all are.
    """
    if not channels.polar_dir:
        return ""
    reader = PlaneReader(channels, 0)
    count, missing, first = 0, 0, None
    for path in paths:
        count += 1
        if not reader.has_second(path):
            missing += 1
            first = first or path
    if first is None:
        return ""
    file, channel = reader.second_place(first)
    place = f"{printable(str(file))} ({channel})"
    if missing == count:
        raise DataError(f"{where}: polar: no picture has a second one, first looked for {place}; mend dir or pattern")
    words = f"{missing:,} of {counted(count, 'picture')} have no second picture"
    return f"polar: {words}: {', '.join(channels.polar)} are zeros there, first looked for {place}"
