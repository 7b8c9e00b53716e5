"""Predictions -> detections: confidence threshold, NMS, back to the picture's pixels, views of a picture joined.

The only way from a batch to detections: train.py, val.py and detect.py all use it, so that the three agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.inference.backend import Backend, SuppressingBackend
from models.inference.found import Found, found_in
from models.inference.gathering import Gathering, Merge
from models.inference.nms import NMSConfig
from utils.deciding.thresholds import LOWEST
from utils.tiling.merging import SURE
from utils.values.batch import Batch
from utils.values.detections import Detections
from utils.values.predictions import Candidates
from utils.values.view import View


@dataclass(frozen=True, eq=False)
class Inference:
    """What `backends`, one or an ensemble of several, find in batches.

    `numbers` (K,) int64: the label that is reported for each class of a backend; `names`: the word for each label;
    `merge`: how several looks at one picture become one list.
    """

    backends: tuple[Backend, ...]
    nms: NMSConfig
    numbers: Tensor
    names: tuple[str, ...]
    merge: Merge = "wbf"

    @property
    def device(self) -> torch.device:
        """Where the inputs must be."""
        return self.backends[0].device

    def __call__(self, batches: Iterable[Batch]) -> dict[int, Detections]:
        """The detections of every picture of some batches, which hold all its views, by the picture's number, in its
        original pixels.
        """
        gathering = self.gathering()
        detections: dict[int, Detections] = {}
        for batch in batches:
            detections |= gathering.add(self.found(self.predictions(batch.to(self.device)), batch.views))
        assert not gathering.waiting, "all views of a picture are looked at together"
        return detections

    @torch.inference_mode()
    def predictions(self, batch: Batch) -> tuple[Candidates, ...]:
        """What each backend says about a batch that is on its device, before NMS."""
        inputs = batch.inputs()
        nms = self._of_a_view(batch.views)
        return tuple(self._suppressing(backend, nms)(inputs) for backend in self.backends)

    def _of_a_view(self, views: Sequence[View]) -> NMSConfig:
        """What is taken of a single view: also what is faint in it where that has a say in what several show together.
        Where looks are fused, in how sure they are of it; where tiles become one picture, in how far it reaches.
        """
        conf = self.nms.conf
        if any(view.parts > view.looks for view in views):
            conf = min(conf, max(conf * SURE, LOWEST))
        if self.merge == "wbf" and len(self.backends) * max((view.looks for view in views), default=1) > 1:
            conf = min(conf, LOWEST)
        return replace(self.nms, conf=conf)

    def _suppressing(self, backend: Backend, nms: NMSConfig) -> Backend:
        if not isinstance(backend, SuppressingBackend):
            return backend
        return backend.with_nms(nms, joined=len(self.numbers.unique()) < len(self.numbers))

    def found(self, predictions: Sequence[Candidates], views: Sequence[View]) -> list[Found]:
        """What the predictions of each backend show of each view, after NMS."""
        count, nms = len(self.backends), self._of_a_view(views)
        parts = (found_in(one, views, nms, self.numbers, k, count) for k, one in enumerate(predictions))
        return [found for part in parts for found in part]

    def gathering(self) -> Gathering:
        """Where what is found in the views of a picture becomes one list; see Gathering."""
        return Gathering(self.nms, self.names, self.merge)

    def detections(self, predictions: Sequence[Candidates], views: Sequence[View]) -> dict[int, Detections]:
        """See `__call__`: of one batch that holds all the views of its pictures."""
        return self.gathering().add(self.found(predictions, views))


def detections(
    predictions: Candidates, views: Sequence[View], cfg: NMSConfig, numbers: Tensor | None = None
) -> dict[int, Detections]:
    """By number of the picture its detections, in its original pixels, where all its views are among these; see
    `found_in`.
    """
    return Gathering(cfg, (), "nms").add(found_in(predictions, views, cfg, numbers))
