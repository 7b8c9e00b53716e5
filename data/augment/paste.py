"""Copy-paste without masks: the boxes of a donor picture, with a soft border, set into free places of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import PAD, clip_and_keep, scaling, transform_boxes, translation, warp_into
from utils.config.config import AugmentConfig
from utils.values.batch import Sample

MOST = 4  # objects pasted into one sample
TRIES = 20  # places tried for each
MOST_PADDING = 0.1  # of a place
BORDER = 0.15  # of an object's shorter side: how far it fades into its new surroundings ...
LEAST_BORDER = 2.0  # ... and at least this many px of the network input


@dataclass(frozen=True, eq=False)
class Donor:
    """The scene that objects are taken from, what its planes are, and the chance of each class relative to the others
    (K,), None: equal ones.
    """

    scene: Scene
    optics: Optics
    chances: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class _Object:
    """An object being pasted: `box` and `patch` (1, 4), the box with its border, in px of the network input after
    `matrix`, which takes it from the donor picture and does not place it until `at` does.
    """

    matrix: np.ndarray
    box: np.ndarray
    patch: np.ndarray
    label: int

    @property
    def border(self) -> float:
        return float(self.box[0, 0] - self.patch[0, 0])

    def at(self, x: float, y: float) -> _Object:
        """The object shifted."""
        shift = np.array([x, y, x, y], np.float32)
        return replace(self, matrix=translation(x, y) @ self.matrix, box=self.box + shift, patch=self.patch + shift)


def paste_objects(rng: np.random.Generator, cfg: AugmentConfig, sample: Sample, donor: Donor) -> Sample:
    """`sample` with one to four objects of `donor` where neither boxes nor ignore regions nor padding are.

    Objects are scaled as pictures of their own are, zoomed by 1 +- scale and mirrored. Neither an object nor its border
    touches anything that is there, so that no box loses a pixel. Ignore regions are never pasted, nor is an object that
    touches one or another object: half of a defect would come without its box. An object without a
    place, or too small to learn, is left out.
    """
    image, taken, pasted = sample.image.copy(), np.concatenate((sample.boxes, sample.ignored)), []
    shape = (image.shape[0], image.shape[1])
    padding = donor.optics.padding(image.dtype, PAD)
    for candidate in _objects(rng, cfg, donor, shape):
        placed = _place(rng, candidate, image, taken, padding)
        if placed is None or not clip_and_keep(placed.box, shape, cfg)[1].all():
            continue
        _draw(image, donor, placed)
        pasted.append(placed)
        taken = np.concatenate((taken, placed.patch))  # not just the box: later objects spare its soft border, too
    return replace(
        sample,
        image=image,
        boxes=np.concatenate([sample.boxes, *(p.box for p in pasted)]),
        labels=np.concatenate((sample.labels, np.array([p.label for p in pasted], sample.labels.dtype))),
    )


def _objects(rng: np.random.Generator, cfg: AugmentConfig, donor: Donor, shape: tuple[int, int]) -> Iterator[_Object]:
    """Some objects that stand alone in their picture, scaled and mirrored."""
    scene = donor.scene
    count = len(scene.boxes)
    if not count:
        return
    every = np.concatenate((scene.boxes, scene.ignored))
    chances = np.ones(count) if donor.chances is None else donor.chances[scene.labels]
    wanted = int(rng.integers(1, MOST + 1))
    chosen = rng.choice(count, min(wanted, count), replace=False, p=chances / chances.sum())
    # The scale that the whole donor picture would have: pasted defects keep the size they have in training.
    fit = min(shape[0] / scene.size[0], shape[1] / scene.size[1])
    for row in chosen.tolist():
        zoom = fit * rng.uniform(1 - cfg.scale, 1 + cfg.scale)
        mirror = np.where(rng.random(2) < (cfg.fliplr, cfg.flipud), -1.0, 1.0)
        matrix = scaling(*(zoom * mirror))
        boxes = transform_boxes(every, matrix)
        box = boxes[row : row + 1]
        border = max(BORDER * float((box[0, 2:] - box[0, :2]).min()), LEAST_BORDER)
        patch = box + np.array([-border, -border, border, border], np.float32)
        if not _touches(patch, np.delete(boxes, row, 0)):  # its own row is among the first, those of boxes
            yield _Object(matrix, box, patch, int(scene.labels[row]))


def _place(
    rng: np.random.Generator, thing: _Object, image: np.ndarray, taken: np.ndarray, padding: np.ndarray
) -> _Object | None:
    """The object where its patch lies in view, touches none of the `taken` boxes and covers almost no padding."""
    x1, y1, x2, y2 = thing.patch[0].tolist()
    room_x, room_y = image.shape[1] - (x2 - x1), image.shape[0] - (y2 - y1)
    if room_x < 0 or room_y < 0:
        return None
    for x, y in rng.uniform(0, (room_x, room_y), (TRIES, 2)).tolist():
        placed = thing.at(x - x1, y - y1)
        if _touches(placed.patch, taken):
            continue
        if (image[_window(placed.patch, image)] == padding).all(2).mean() <= MOST_PADDING:
            return placed
    return None


def _draw(image: np.ndarray, donor: Donor, thing: _Object) -> None:
    """Blend the object into `image` in place: all of it inside the box, less and less towards the patch's edge."""
    rows, columns = _window(thing.patch, image)
    under = image[rows, columns]
    matrix = translation(-columns.start, -rows.start) @ thing.matrix
    height, width = under.shape[:2]
    x1, y1, x2, y2 = transform_boxes(np.array([[0, 0, width, height]], np.float32), np.linalg.inv(matrix))[0]
    # Only the part of the donor behind the patch is turned and warped, with a margin for interpolation.
    left, top = max(int(x1) - 2, 0), max(int(y1) - 2, 0)
    over = under.copy()
    part = donor.optics.turn(donor.scene.planes[top : int(y2) + 3, left : int(x2) + 3], matrix)
    warp_into(over, part, matrix @ translation(left, top))
    opacity = _opacity(thing, rows, columns)[..., None]
    blend = over * opacity + under * (1 - opacity)
    under[:] = blend if image.dtype == np.float32 else np.rint(blend).astype(image.dtype)


def _opacity(thing: _Object, rows: slice, columns: slice) -> np.ndarray:
    """(rows, columns) from 1 in the box to 0 at the patch's edge, at pixel centres."""
    x1, y1, x2, y2 = thing.box[0].tolist()
    x, y = np.arange(columns.start, columns.stop) + 0.5, np.arange(rows.start, rows.stop) + 0.5
    outside_x, outside_y = np.maximum(x1 - x, x - x2), np.maximum(y1 - y, y - y2)
    return 1 - np.clip(np.maximum(outside_y[:, None], outside_x[None]) / thing.border, 0, 1)


def _window(patch: np.ndarray, image: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the pixels that a patch (1, 4) reaches."""
    (x1, y1), (x2, y2) = np.floor(patch[0, :2]).astype(int).tolist(), np.ceil(patch[0, 2:]).astype(int).tolist()
    return slice(max(y1, 0), min(y2, image.shape[0])), slice(max(x1, 0), min(x2, image.shape[1]))


def _touches(patch: np.ndarray, boxes: np.ndarray) -> bool:
    """Whether (1, 4) shares area with any of (N, 4)."""
    return bool(((patch[:, :2] < boxes[:, 2:]) & (boxes[:, :2] < patch[:, 2:])).all(1).any())
