"""Records -> Samples. Randomness is keyed by (seed, epoch, index): no state, so any worker may make any sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from data.images import read_image
from data.mosaic import mosaic_matrices, single_matrix
from data.transforms import PAD, clip_and_keep, eval_shape, jitter_colour, letterbox, transform_boxes, warp_into
from utils.boxes import clip_boxes
from utils.config import AugmentConfig
from utils.structures import Record, Sample

Key = tuple[int, int]  # (epoch, index)


class TrainSamples(Dataset[Sample]):
    """Augmented square samples of `size` px, addressed by (epoch, index). Mosaic stops at epoch `mosaic_until`."""

    def __init__(
        self, records: Sequence[Record], cfg: AugmentConfig, size: int, seed: int, mosaic_until: int, max_pixels: int
    ) -> None:
        self.records, self.cfg, self.size = records, cfg, size
        self.seed, self.mosaic_until, self.max_pixels = seed, mosaic_until, max_pixels

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: Key) -> Sample:
        epoch, index = key
        rng = np.random.default_rng((self.seed, epoch, index))
        indices = [index]
        if epoch < self.mosaic_until and rng.random() < self.cfg.mosaic:
            indices += rng.integers(len(self.records), size=3).tolist()
        images = [read_image(self.records[i].path, self.max_pixels) for i in indices]
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        if len(images) == 1:
            matrices = [single_matrix(rng, self.cfg, sizes[0], self.size)]
        else:
            matrices = mosaic_matrices(rng, self.cfg, sizes, self.size)
        canvas = np.full((self.size, self.size, 3), PAD, np.uint8)
        for image, matrix in zip(images, matrices, strict=True):
            warp_into(canvas, image, matrix)
        boxes, labels, lost = self._boxes(indices, matrices)
        ignored = self._ignored(indices, matrices)
        return Sample(jitter_colour(canvas, rng, self.cfg), boxes, labels, index, boxes_lost=lost, ignored=ignored)

    def _boxes(self, indices: Sequence[int], matrices: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
        """Boxes and labels that survive, and how many that were in view did not."""
        truth = [self.records[i].counted() for i in indices]
        moved = np.concatenate([transform_boxes(b, m) for (b, _), m in zip(truth, matrices, strict=True)])
        labels = np.concatenate([labels for _, labels in truth])
        clipped, keep = clip_and_keep(moved, self.size, self.cfg)
        in_view = (clipped[:, 2:] > clipped[:, :2]).all(1)
        return clipped[keep], labels[keep], int((in_view & ~keep).sum())

    def _ignored(self, indices: Sequence[int], matrices: Sequence[np.ndarray]) -> np.ndarray:
        """(R, 4) what is in view of the regions in which nothing is taught."""
        records = [self.records[i] for i in indices]
        regions = [transform_boxes(r.pixel_boxes()[r.crowd], m) for r, m in zip(records, matrices, strict=True)]
        clipped = clip_boxes(np.concatenate(regions), self.size, self.size)
        return clipped[(clipped[:, 2:] > clipped[:, :2]).all(1)]


class EvalSamples(Dataset[Sample]):
    """Letterboxed samples without randomness, addressed by index; shapes as `eval_shape` says."""

    def __init__(self, records: Sequence[Record], size: int, stride: int, max_pixels: int) -> None:
        self.records, self.max_pixels = records, max_pixels
        self.shapes = [eval_shape(r.size, size, stride) for r in records]

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Sample:
        record = self.records[index]
        image, fit = letterbox(read_image(record.path, self.max_pixels), self.shapes[index])
        boxes, labels = record.counted()
        ignored = fit.apply(record.pixel_boxes()[record.crowd])
        return Sample(image, fit.apply(boxes), labels, index, fit, ignored=ignored)
