"""Pictures on which two forms of one network are compared: real ones, odd ones, ones without anything."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import PAD, eval_shape, filled, whole_cells
from data.batches.collate import collate
from data.batches.looking import Looking, letterboxed
from data.scenes.cached_pictures import open_pictures
from data.scenes.record_scenes import RecordScenes
from data.sets.split_reading import RecordSet
from utils.values.batch import Batch
from utils.values.channels import Channels
from utils.words.errors import DataError

AT_ONCE = 3  # pictures of a batch
ODD = (37, 411)  # px: no multiple of anything, and ten times as wide as high


def comparison_sizes(imgsz: int, stride: int) -> list[int]:
    """Three sizes of inputs, px: a network's own, two thirds and four thirds of it."""
    sizes = (whole_cells(max(round(imgsz * share), stride), stride) for share in (1, 2 / 3, 4 / 3))
    return list(dict.fromkeys(sizes))


def comparison_batches(
    scenes: Iterable[Scene], channels: Channels, sizes: Sequence[int], stride: int, square: bool = False
) -> Iterator[Batch]:
    """Every scene letterboxed at each of the sizes, up to three of one shape in a batch, and at least once three; as
    val.py does, or all `square`.
    """
    scenes, optics = list(scenes), Optics(channels)
    for size in sizes:
        by_shape: dict[tuple[int, int], list[Scene]] = {}
        for scene in scenes:
            by_shape.setdefault((size, size) if square else eval_shape(scene.size, size, stride), []).append(scene)
        if all(len(group) < AT_ONCE for group in by_shape.values()):
            group = next(iter(by_shape.values()))
            group += itertools.islice(itertools.cycle(group.copy()), AT_ONCE - len(group))
        for shape, group in by_shape.items():
            for start in range(0, len(group), AT_ONCE):
                part = group[start : start + AT_ONCE]
                yield collate([letterboxed(scene, shape, number, optics) for number, scene in enumerate(part)])


def odd_scenes(channels: Channels) -> list[Scene]:
    """Noise of an odd size, and a picture without anything."""
    optics, dtype = Optics(channels), np.dtype(channels.dtype)
    planes = len(channels.held)
    noise = np.random.default_rng(0).random((*ODD, planes)) * optics.full(dtype)
    nothing = filled((240, 320), np.empty((1, 1, planes), dtype), optics.padding(dtype, PAD))
    return [Scene.without_truth(noise.astype(dtype)), Scene.without_truth(nothing)]


def chosen_scenes(truth: RecordSet, count: int, max_pixels: int, looking: Looking | None = None) -> list[Scene]:
    """`count` pictures of a split, evenly from its list; with a `looking` in tiles, of each the tile that shows most.
    Raises DataError where none can be read.
    """
    records = truth.records
    chosen = sorted({round(place) for place in np.linspace(0, len(records) - 1, min(count, len(records)))})
    scenes = RecordScenes(open_pictures([records[k] for k in chosen], max_pixels, "none", truth.channels))
    read: list[Scene] = []
    reason = "no picture is left"
    for number in range(len(chosen)):
        try:
            read.append(scenes[number] if looking is None else looking.fullest(scenes[number]))
        except DataError as error:
            reason = str(error)
    if not read:
        raise DataError(reason)
    return read
