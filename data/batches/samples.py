"""Scenes -> Samples. Randomness is keyed by (seed, epoch, index, copy): no state, so any worker may make any one.

A picture that cannot be read costs nobody else anything: in training another scene stands in, drawn by a key of its
own, so that no other draw changes; an evaluation leaves it out. Either way the sample says which and why.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from torch.utils.data import Dataset

from data.augment.mosaic import mixup, mosaic_matrices, single_matrix
from data.augment.paste import Donor, paste_objects
from data.augment.polarization import Optics
from data.augment.scene import Scene, SceneSource
from data.augment.transforms import PAD, clip_and_keep, filled, transform_boxes, warp_into
from data.batches.class_balance import Balance
from data.batches.looking import Looking, letterboxed
from data.batches.sampler import BLANK, Key
from data.tiles.tile_scenes import RecentScenes
from utils.config.config import AugmentConfig
from utils.values.batch import Sample
from utils.values.boxes import clip_boxes
from utils.words.errors import DataError

NOTHING = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)  # boxes and labels
STAND_INS = 100  # scenes drawn for one that cannot be read: while half of a set is sound, one of them will be


class SampleReader:
    """Reads the scenes of one sample. Where one cannot be read another stands in, drawn by (`key`, how many scenes the
    sample has asked for, attempt); where none can, an empty scene, and the books (LostPictures) end the training.
    """

    def __init__(self, scenes: SceneSource, empty: Scene, key: tuple[int, ...]) -> None:
        self.scenes, self.empty, self.key = scenes, empty, key
        self.asked = 0
        self.lost: dict[int, str] = {}

    def __call__(self, index: int, sums: np.ndarray) -> Scene:
        """Scene number `index`; others have chances in proportion to the steps of `sums` (P,)."""
        self.asked += 1
        for attempt in range(STAND_INS):
            picture = self.scenes.picture(index)
            if picture not in self.lost:
                try:
                    return self.scenes[index]
                except DataError as error:
                    self.lost[picture] = str(error)
            rng = np.random.default_rng((*self.key, self.asked, attempt))
            (index,) = _draw(rng, sums, 1)
        return self.empty


class TrainSamples(Dataset[Sample]):
    """Augmented samples of `scenes`, addressed by Key. What is made of several scenes (mosaic, copy-paste, mixup) ends
    at epoch `compose_until`.

    Further scenes are drawn evenly, with `balance` in proportion to their repeat factors, as are pasted objects; of a
    Key that says what is `near`, from there. Mosaics need square samples.
    """

    def __init__(
        self,
        scenes: SceneSource,
        cfg: AugmentConfig,
        seed: int,
        compose_until: int,
        balance: Balance | None = None,
    ) -> None:
        self.scenes, self.cfg, self.optics = scenes, cfg, Optics(scenes.channels)
        self.seed, self.compose_until, self.balance = seed, compose_until, balance
        self.factors = np.ones(len(scenes)) if balance is None else balance.pictures
        self.donors = np.where(scenes.donors, self.factors, 0)
        self.factor_sums, self.donor_sums = self.factors.cumsum(), self.donors.cumsum()
        self.empty = _empty_scene(self.optics)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, key: Key) -> Sample:
        if not key.counts:
            shown = self[replace(key, counts=True)]
            return Sample(shown.image, *NOTHING, BLANK, full=shown.full)
        # One stream per sample: the order of the draws below decides what it looks like, so they must not be reordered.
        address = (self.seed, key.epoch, key.index, key.copy)
        rng, read = np.random.default_rng(address), SampleReader(self.scenes, self.empty, address)
        sample = self._one(rng, key, read)
        if self._composes(key) and self.cfg.mixup and rng.random() < self.cfg.mixup:
            (partner,) = self._further(rng, 1, key)
            other = self._one(rng, replace(key, index=partner), read)
            sample = mixup(sample, other, rng.beta(32, 32))  # near one half: both pictures stay visible
        return replace(_finished(sample, self.optics), lost=read.lost)

    def _canvas(self, shape: tuple[int, int], like: np.ndarray) -> np.ndarray:
        return filled(shape, like, self.optics.padding(like.dtype, PAD))

    def _one(self, rng: np.random.Generator, key: Key, read: SampleReader) -> Sample:
        """A sample that may be a mosaic and have objects pasted in, but is not blended."""
        indices = [key.index]
        if self._composes(key) and rng.random() < self.cfg.mosaic:
            indices += self._further(rng, 3, key)
        scenes = [read(i, self.factor_sums) for i in indices]
        sizes = [scene.size for scene in scenes]
        if len(scenes) == 1:
            matrices = [single_matrix(rng, self.cfg, sizes[0], key.shape)]
        else:
            matrices = mosaic_matrices(rng, self.cfg, sizes, key.shape[0])
        canvas = self._canvas(key.shape, scenes[0].planes)
        for scene, matrix in zip(scenes, matrices, strict=True):
            warp_into(canvas, self.optics.turn(scene.planes, matrix), matrix)
        sample = self._with_truth(Sample(canvas, *NOTHING, key.index), scenes, matrices)
        # Objects are pasted before the colours change, so that they and their surroundings change alike.
        if self._composes(key) and self.cfg.copy_paste and rng.random() < self.cfg.copy_paste:
            sample = self._with_pasted(rng, sample, read, key)
        return replace(sample, image=self.optics.jitter(sample.image, rng, self.cfg))

    def _composes(self, key: Key) -> bool:
        return key.epoch < self.compose_until

    def _further(self, rng: np.random.Generator, count: int, key: Key) -> list[int]:
        """Indices of further scenes."""
        if key.near:
            return self._draw_near(rng, self.factors, count, key)
        if self.balance is None:
            return rng.integers(len(self.scenes), size=count).tolist()
        return _draw(rng, self.factor_sums, count)

    def _draw_near(self, rng: np.random.Generator, chances: np.ndarray, count: int, key: Key) -> list[int]:
        """Of the tiles of the pictures near the key's, in proportion to their `chances` (T,); none where all are 0."""
        near: np.ndarray = self.scenes.of_pictures(key.near)
        sums = chances[near].cumsum()
        return near[_draw(rng, sums, count)].tolist() if sums[-1] else []

    def _with_pasted(self, rng: np.random.Generator, sample: Sample, read: SampleReader, key: Key) -> Sample:
        if not self.donor_sums[-1]:
            return sample
        drawn = self._draw_near(rng, self.donors, 1, key) if key.near else _draw(rng, self.donor_sums, 1)
        if not drawn:
            return sample
        (index,) = drawn
        chances = None if self.balance is None else self.balance.classes
        return paste_objects(rng, self.cfg, sample, Donor(read(index, self.donor_sums), self.optics, chances))

    def _with_truth(self, sample: Sample, scenes: Sequence[Scene], matrices: Sequence[np.ndarray]) -> Sample:
        """The boxes that survive, how many that were in view did not, and what is in view of ignore regions."""
        shape = (sample.image.shape[0], sample.image.shape[1])
        moved = np.concatenate([transform_boxes(s.boxes, m) for s, m in zip(scenes, matrices, strict=True)])
        labels = np.concatenate([scene.labels for scene in scenes])
        clipped, keep = clip_and_keep(moved, shape, self.cfg)
        lost = int((_in_view(clipped) & ~keep).sum())
        regions = [transform_boxes(s.ignored, m) for s, m in zip(scenes, matrices, strict=True)]
        ignored = clip_boxes(np.concatenate(regions), *shape)
        ignored = ignored[_in_view(ignored)]
        return replace(sample, boxes=clipped[keep], labels=labels[keep], boxes_lost=lost, ignored=ignored)


def _draw(rng: np.random.Generator, sums: np.ndarray, count: int) -> list[int]:
    """Indices with chances in proportion to the steps of `sums` (N,); those of no height are never drawn."""
    # side="right": a draw that equals a sum belongs to the next step, past those of no height.
    return np.searchsorted(sums, rng.random(count) * sums[-1], side="right").tolist()


def _in_view(clipped: np.ndarray) -> np.ndarray:
    """(N,) whether boxes that were clipped to the network input have area left."""
    return np.all(clipped[:, 2:] > clipped[:, :2], axis=1)


class EvalSamples(Dataset[Sample]):
    """Letterboxed samples of `scenes` without randomness: every view of every picture, as `looking` plans them, picture
    by picture. `pictures` (V,) says which picture a view is of, `shapes` (V, 2) how high and wide it is.

    A picture that cannot be read gives blank samples, which say so; with `strict` it is a DataError.
    """

    def __init__(self, scenes: SceneSource, looking: Looking, strict: bool = False) -> None:
        self.optics, self.looking, self.strict = Optics(scenes.channels), looking, strict
        # tiles are asked for one after the other: their picture is decoded once
        self.scenes: SceneSource = scenes if looking.single else RecentScenes(scenes, 1)
        self.empty = _empty_scene(self.optics)
        different, which = np.unique(scenes.sizes, axis=0, return_inverse=True)
        self.plans, self.plan = [looking.views((h, w)) for h, w in different.tolist()], which.reshape(-1)
        counts = np.array([len(views) for views in self.plans], np.int64)[self.plan]
        self.starts = counts.cumsum() - counts
        self.pictures = np.repeat(np.arange(len(counts)), counts)
        self.shapes = np.empty((len(self.pictures), 2), np.int32)
        for number, views in enumerate(self.plans):
            places = self.starts[self.plan == number, None] + np.arange(len(views))
            self.shapes[places] = [view.shape for view in views]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number: int) -> Sample:
        index = int(self.pictures[number])
        planned = self.plans[self.plan[index]][number - int(self.starts[index])]
        try:
            return self.looking.sample(self.scenes[index], planned, index, self.optics)
        except DataError as error:
            if self.strict:
                raise
            blank = letterboxed(self.empty, planned.shape, BLANK, self.optics)
            return replace(blank, lost={index: str(error)})

    def readable(self, indices: Iterable[int]) -> list[Sample]:
        """The samples at `indices` whose pictures can be read."""
        lenient = copy.copy(self)
        lenient.strict = False
        return [sample for sample in map(lenient.__getitem__, indices) if sample.index != BLANK]


def _empty_scene(optics: Optics) -> Scene:
    """A small picture of nothing but padding."""
    dtype = np.dtype(optics.channels.dtype)
    like = np.empty((1, 1, len(optics.channels.held)), dtype)
    return Scene.without_truth(filled((32, 32), like, optics.padding(dtype, PAD)))


def _finished(sample: Sample, optics: Optics) -> Sample:
    """The sample with its planes as the network is given them."""
    image = optics.finish(sample.image)
    return replace(sample, image=image, full=optics.full(image.dtype))
