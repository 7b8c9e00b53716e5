"""Records -> Samples. Randomness is keyed by (seed, epoch, index, copy): no state, so any worker may make any one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch.utils.data import Dataset

from data.augment.mixup import mixup
from data.augment.mosaic import mosaic_matrices, single_matrix
from data.augment.paste import Donor, paste_objects
from data.augment.polarization import Optics
from data.augment.transforms import PAD, clip_and_keep, eval_shapes, filled, letterbox, transform_boxes, warp_into
from data.batches.balance import Balance
from data.batches.cached_pictures import Pictures
from data.batches.sampler import BLANK, Key
from data.index.flat_truth import flatten
from utils.config.config import AugmentConfig
from utils.values.batch import Sample
from utils.values.boxes import clip_boxes


class TrainSamples(Dataset[Sample]):
    """Augmented samples, addressed by Key. What is made of several pictures (mosaic, copy-paste, mixup) ends at epoch
    `compose_until`.

    Further pictures are drawn evenly, with `balance` in proportion to their repeat factors, as are pasted objects.
    Mosaics need square samples.
    """

    def __init__(
        self,
        pictures: Pictures,
        cfg: AugmentConfig,
        seed: int,
        compose_until: int,
        balance: Balance | None = None,
    ) -> None:
        self.pictures, self.records, self.cfg = pictures, pictures.records, cfg
        self.optics = Optics(pictures.channels)
        self.seed, self.compose_until, self.balance = seed, compose_until, balance
        flat = flatten(self.records)
        labels = int(flat.labels.max(initial=-1)) + 1
        self.class_chances = np.ones(labels) if balance is None else balance.classes
        factors = np.ones(len(self.records)) if balance is None else balance.pictures
        donors = np.bincount(flat.pictures[~flat.crowd], minlength=len(self.records)) > 0
        self.factor_sums = factors.cumsum()
        self.donor_sums = np.where(donors, factors, 0).cumsum()

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: Key) -> Sample:
        if key.index == BLANK:
            return self._blank(key)
        rng = np.random.default_rng((self.seed, key.epoch, key.index, key.copy))
        sample = self._one(rng, key)
        if self._composes(key) and self.cfg.mixup and rng.random() < self.cfg.mixup:
            (partner,) = self._further(rng, 1)
            other = self._one(rng, replace(key, index=partner))
            sample = mixup(sample, other, rng.beta(32, 32))
        return _finished(sample, self.optics)

    def _blank(self, key: Key) -> Sample:
        """Padding, and nothing to learn. Reads a picture to know what kind the planes are."""
        picture = self.pictures[0]
        canvas = self._canvas(key.shape, picture)
        return _finished(Sample(canvas, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), BLANK), self.optics)

    def _canvas(self, shape: tuple[int, int], like: np.ndarray) -> np.ndarray:
        return filled(shape, like, self.optics.padding(like.dtype, PAD))

    def _one(self, rng: np.random.Generator, key: Key) -> Sample:
        """A sample that may be a mosaic and have objects pasted in, but is not blended."""
        indices = [key.index]
        if self._composes(key) and rng.random() < self.cfg.mosaic:
            indices += self._further(rng, 3)
        images = [self.pictures[i] for i in indices]
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        if len(images) == 1:
            matrices = [single_matrix(rng, self.cfg, sizes[0], key.shape)]
        else:
            matrices = mosaic_matrices(rng, self.cfg, sizes, key.shape[0])
        canvas = self._canvas(key.shape, images[0])
        for image, matrix in zip(images, matrices, strict=True):
            warp_into(canvas, self.optics.turn(image, matrix), matrix)
        sample = self._with_truth(canvas, indices, matrices)
        if self._composes(key) and self.cfg.copy_paste and rng.random() < self.cfg.copy_paste:
            sample = self._with_pasted(rng, sample)
        return replace(sample, image=self.optics.jitter(sample.image, rng, self.cfg))

    def _composes(self, key: Key) -> bool:
        return key.epoch < self.compose_until

    def _further(self, rng: np.random.Generator, count: int) -> list[int]:
        """Indices of further pictures."""
        if self.balance is None:
            return rng.integers(len(self.records), size=count).tolist()
        return _draw(rng, self.factor_sums, count)

    def _with_pasted(self, rng: np.random.Generator, sample: Sample) -> Sample:
        if not self.donor_sums[-1]:
            return sample
        (donor,) = _draw(rng, self.donor_sums, 1)
        image = self.pictures[donor]
        return paste_objects(rng, self.cfg, sample, Donor(image, self.records[donor], self.class_chances, self.optics))

    def _with_truth(self, canvas: np.ndarray, indices: Sequence[int], matrices: Sequence[np.ndarray]) -> Sample:
        """The boxes that survive, how many that were in view did not, and what is in view of ignore regions."""
        shape = (canvas.shape[0], canvas.shape[1])
        truth = [self.records[i].counted() for i in indices]
        moved = np.concatenate([transform_boxes(b, m) for (b, _), m in zip(truth, matrices, strict=True)])
        labels = np.concatenate([labels for _, labels in truth])
        clipped, keep = clip_and_keep(moved, shape, self.cfg)
        lost = int((_in_view(clipped) & ~keep).sum())
        records = [self.records[i] for i in indices]
        regions = [transform_boxes(r.pixel_boxes()[r.crowd], m) for r, m in zip(records, matrices, strict=True)]
        ignored = clip_boxes(np.concatenate(regions), *shape)
        ignored = ignored[_in_view(ignored)]
        return Sample(canvas, clipped[keep], labels[keep], indices[0], boxes_lost=lost, ignored=ignored)


def _draw(rng: np.random.Generator, sums: np.ndarray, count: int) -> list[int]:
    """Indices with chances in proportion to the steps of `sums` (N,); those of no height are never drawn."""
    return np.searchsorted(sums, rng.random(count) * sums[-1], side="right").tolist()


def _in_view(clipped: np.ndarray) -> np.ndarray:
    """(N,) whether boxes that were clipped to the network input have area left."""
    return np.all(clipped[:, 2:] > clipped[:, :2], axis=1)


class EvalSamples(Dataset[Sample]):
    """Letterboxed samples without randomness, addressed by index; `shapes` (P, 2) as `eval_shape` says."""

    def __init__(self, pictures: Pictures, size: int, stride: int) -> None:
        self.pictures, self.records = pictures, pictures.records
        self.optics = Optics(pictures.channels)
        self.shapes = eval_shapes(flatten(self.records).sizes, size, stride)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Sample:
        record = self.records[index]
        picture = self.pictures[index]
        height, width = self.shapes[index].tolist()
        image, fit = letterbox(picture, (height, width), self.optics.padding(picture.dtype, PAD))
        boxes, labels = record.counted()
        ignored = fit.apply(record.pixel_boxes()[record.crowd])
        return _finished(Sample(image, fit.apply(boxes), labels, index, fit, ignored=ignored), self.optics)


def _finished(sample: Sample, optics: Optics) -> Sample:
    """The sample with its planes as the network is given them."""
    image = optics.finish(sample.image)
    return replace(sample, image=image, full=optics.full(image.dtype))
