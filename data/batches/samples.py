"""Scenes -> Samples. Randomness is keyed by (seed, epoch, index, copy): no state, so any worker may make any one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch.utils.data import Dataset

from data.augment.mosaic import mixup, mosaic_matrices, single_matrix
from data.augment.paste import Donor, paste_objects
from data.augment.polarization import Optics
from data.augment.scene import Scene, SceneSource
from data.augment.transforms import PAD, clip_and_keep, eval_shapes, filled, letterbox, transform_boxes, warp_into
from data.batches.class_balance import Balance
from data.batches.sampler import BLANK, Key
from utils.config.config import AugmentConfig
from utils.values.batch import Sample
from utils.values.boxes import clip_boxes

NOTHING = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)  # boxes and labels


class TrainSamples(Dataset[Sample]):
    """Augmented samples of `scenes`, addressed by Key. What is made of several scenes (mosaic, copy-paste, mixup) ends
    at epoch `compose_until`.

    Further scenes are drawn evenly, with `balance` in proportion to their repeat factors, as are pasted objects.
    Mosaics need square samples.
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
        factors = np.ones(len(scenes)) if balance is None else balance.pictures
        self.factor_sums = factors.cumsum()
        self.donor_sums = np.where(scenes.donors, factors, 0).cumsum()

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, key: Key) -> Sample:
        if key.index == BLANK:
            return self._blank(key)
        # One stream per sample: the order of the draws below decides what it looks like, so they must not be reordered.
        rng = np.random.default_rng((self.seed, key.epoch, key.index, key.copy))
        sample = self._one(rng, key)
        if self._composes(key) and self.cfg.mixup and rng.random() < self.cfg.mixup:
            (partner,) = self._further(rng, 1)
            other = self._one(rng, replace(key, index=partner))
            sample = mixup(sample, other, rng.beta(32, 32))  # near one half: both pictures stay visible
        return _finished(sample, self.optics)

    def _blank(self, key: Key) -> Sample:
        """Padding, and nothing to learn. Asks for a scene to know what type the planes are of."""
        canvas = self._canvas(key.shape, self.scenes[0].planes)
        return _finished(Sample(canvas, *NOTHING, BLANK), self.optics)

    def _canvas(self, shape: tuple[int, int], like: np.ndarray) -> np.ndarray:
        return filled(shape, like, self.optics.padding(like.dtype, PAD))

    def _one(self, rng: np.random.Generator, key: Key) -> Sample:
        """A sample that may be a mosaic and have objects pasted in, but is not blended."""
        indices = [key.index]
        if self._composes(key) and rng.random() < self.cfg.mosaic:
            indices += self._further(rng, 3)
        scenes = [self.scenes[i] for i in indices]
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
            sample = self._with_pasted(rng, sample)
        return replace(sample, image=self.optics.jitter(sample.image, rng, self.cfg))

    def _composes(self, key: Key) -> bool:
        return key.epoch < self.compose_until

    def _further(self, rng: np.random.Generator, count: int) -> list[int]:
        """Indices of further scenes."""
        if self.balance is None:
            return rng.integers(len(self.scenes), size=count).tolist()
        return _draw(rng, self.factor_sums, count)

    def _with_pasted(self, rng: np.random.Generator, sample: Sample) -> Sample:
        if not self.donor_sums[-1]:
            return sample
        (index,) = _draw(rng, self.donor_sums, 1)
        chances = None if self.balance is None else self.balance.classes
        return paste_objects(rng, self.cfg, sample, Donor(self.scenes[index], self.optics, chances))

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
    """Letterboxed samples of `scenes` without randomness, addressed by index; `shapes` (P, 2) as `eval_shape` says."""

    def __init__(self, scenes: SceneSource, size: int, stride: int) -> None:
        self.scenes, self.optics = scenes, Optics(scenes.channels)
        self.shapes = eval_shapes(scenes.sizes, size, stride)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        height, width = self.shapes[index].tolist()
        return letterboxed(self.scenes[index], (height, width), index, self.optics)


def letterboxed(scene: Scene, shape: tuple[int, int], index: int, optics: Optics) -> Sample:
    """Scene number `index`, its picture and truth fitted into a network input of `shape` (height, width)."""
    image, fit = letterbox(scene.planes, shape, optics.padding(scene.planes.dtype, PAD))
    view = fit.view(index)
    boxes, ignored = view.apply(scene.boxes), view.apply(scene.ignored)
    return _finished(Sample(image, boxes, scene.labels, index, view, ignored=ignored), optics)


def _finished(sample: Sample, optics: Optics) -> Sample:
    """The sample with its planes as the network is given them."""
    image = optics.finish(sample.image)
    return replace(sample, image=image, full=optics.full(image.dtype))
