"""How a picture is looked at: as a whole or in tiles, plainly or also mirrored and enlarged; each view as a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import PAD, Shape, eval_shape, letterbox, scaling, translation, whole_cells
from data.batches.collate import collate
from data.tiles.tile_scenes import cut_scene
from data.tiles.tile_size import tiling_of
from data.tiles.tiled_set import Area, shown_parts
from utils.config.config import DataConfig
from utils.console.progress import progress
from utils.tiling.tiles import Tiling
from utils.values.batch import Batch, Sample

LONG = 32  # batches of one picture, which then has a progress bar of its own
VISIBLE = 0.4  # of a box, from which on a tile shows it; data.tile_min_visible of a training


@dataclass(frozen=True)
class Look:
    """One look at a picture: enlarged `zoom` times, mirrored left-right (`across`) or top-bottom (`down`)."""

    zoom: float = 1.0
    across: bool = False
    down: bool = False


PLAIN = (Look(),)
AUGMENTED = (Look(), Look(across=True), Look(down=True), Look(zoom=1.25))


@dataclass(frozen=True)
class PlannedView:
    """One network input: the `area` (xyxy px) of its picture, which becomes `shape` (height, width) px, as `look` says;
    number `part` of `parts`, of look number `number` of `looks`.
    """

    area: Area
    shape: Shape
    look: Look = PLAIN[0]
    part: int = 0
    parts: int = 1
    number: int = 0
    looks: int = 1


@dataclass(frozen=True)
class Looking:
    """How pictures are looked at, for a network input whose longest side is `imgsz` px, a multiple of `stride`."""

    imgsz: int
    stride: int
    tiling: Tiling | None = None
    looks: tuple[Look, ...] = PLAIN
    visible: float = VISIBLE

    @classmethod
    def of(cls, data: DataConfig, stride: int, augment: bool) -> Looking:
        """As `data` says; with `augment` also mirrored and enlarged."""
        looks = AUGMENTED if augment else PLAIN
        return cls(data.imgsz, stride, tiling_of(data), looks, data.tile_min_visible)

    def tiles(self, size: Shape) -> int:
        """How many parts of a picture of `size` (height, width) are looked at."""
        return 1 if self.tiling is None else len(self.tiling.areas(size))

    def fullest(self, scene: Scene) -> Scene:
        """Of the parts of a picture that are looked at the one that shows the most boxes."""
        if self.tiling is None:
            return scene
        areas = self.tiling.areas(scene.size)
        shown = (shown_parts(scene.boxes, areas) >= self.visible).sum(0)
        left, top, right, bottom = areas[shown.argmax()].tolist()
        return cut_scene(scene, (left, top, right, bottom), self.visible)

    def words(self) -> list[str]:
        """What to say of it, where a picture has several views."""
        if self.single:
            return []
        words = []
        if self.tiling is not None:
            words = [f"in tiles of {self.tiling.side} px", f"overlap {self.tiling.overlap:g}"]
            words += [f"each as an input of {self.imgsz} px"] if self.tiling.side != self.imgsz else []
            words += ["and as a whole"] if self.tiling.whole else []
        words += ["also mirrored and enlarged"] if len(self.looks) > 1 else []
        return [f"looks {', '.join(words)}"]

    @property
    def single(self) -> bool:
        """Whether every picture has one view."""
        return self.tiling is None and len(self.looks) == 1

    def views(self, size: Shape) -> list[PlannedView]:
        """All views of a picture of `size` (height, width) px."""
        areas = [[0, 0, size[1], size[0]]] if self.tiling is None else self.tiling.areas(size).tolist()
        views = []
        for number, look in enumerate(self.looks):
            imgsz = self.imgsz if look.zoom == 1 else whole_cells(round(self.imgsz * look.zoom), self.stride)
            for left, top, right, bottom in areas:
                shape = eval_shape((bottom - top, right - left), imgsz, self.stride)
                views.append(PlannedView((left, top, right, bottom), shape, look, number=number))
        return [replace(one, part=part, parts=len(views), looks=len(self.looks)) for part, one in enumerate(views)]

    def sample(self, scene: Scene, planned: PlannedView, index: int, optics: Optics) -> Sample:
        """One view of scene number `index`: its pixels, and the truth that it shows."""
        part = cut_scene(scene, planned.area, self.visible)
        image, fit = letterbox(part.planes, planned.shape, optics.padding(part.planes.dtype, PAD))
        view, look = fit.view(index), planned.look
        if look.across or look.down:
            image, view = _mirrored(image, optics, look), view.mirrored(look.across, look.down, planned.shape)
        boxes, ignored = view.apply(part.boxes), view.apply(part.ignored)
        if planned.parts > 1:
            view = replace(view, part=planned.part, parts=planned.parts, look=planned.number, looks=planned.looks)
            view = view.of_area(planned.area, scene.size)
        image = optics.finish(image)
        return Sample(image, boxes, part.labels, index, view, ignored=ignored, full=optics.full(image.dtype))

    def batches(self, scenes: Sequence[Scene], optics: Optics, most: int) -> Iterator[Batch]:
        """Every view of some scenes, at most `most` of one shape in a batch."""
        planned = [(number, view) for number, scene in enumerate(scenes) for view in self.views(scene.size)]
        planned.sort(key=lambda one: one[1].shape)  # stable: picture by picture
        groups = [list(group) for _, group in groupby(planned, key=lambda one: one[1].shape)]
        parts = [group[start : start + most] for group in groups for start in range(0, len(group), most)]
        for part in progress(parts, "tiles") if len(parts) >= LONG else parts:
            yield collate([self.sample(scenes[number], view, number, optics) for number, view in part])


def letterboxed(scene: Scene, shape: Shape, index: int, optics: Optics) -> Sample:
    """Scene number `index`, its picture and truth fitted into a network input of `shape` (height, width)."""
    whole = PlannedView((0, 0, scene.size[1], scene.size[0]), shape)
    return Looking(*shape).sample(scene, whole, index, optics)


def _mirrored(image: np.ndarray, optics: Optics, look: Look) -> np.ndarray:
    """(H, W, C) planes, and the directions that they hold."""
    height, width = image.shape[:2]
    flips = (-1 if look.across else 1), (-1 if look.down else 1)
    image = optics.turn(image, translation(width * look.across, height * look.down) @ scaling(*flips))
    return np.ascontiguousarray(image[:: flips[1], :: flips[0]])
