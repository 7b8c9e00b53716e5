"""Predictions -> detections: confidence threshold, one NMS per picture, back to the picture's pixels.

The only way from a batch to detections: train.py, val.py and detect.py all use it, so that the three agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.inference.backend import Backend, SuppressingBackend
from models.inference.nms import NMSConfig, suppress
from utils.values.batch import Batch
from utils.values.detections import Detections
from utils.values.predictions import Candidates
from utils.values.view import View


@dataclass(frozen=True, eq=False)
class Inference:
    """What `backend` finds in batches.

    `numbers` (K,) int64: the label that is reported for each class of the backend; `names`: the word for each label.
    """

    backend: Backend
    nms: NMSConfig
    numbers: Tensor
    names: tuple[str, ...]

    def __call__(self, batch: Batch) -> dict[int, Detections]:
        """The detections of every picture of a batch, by the picture's number, in its original pixels."""
        return self.detections(self.predictions(batch.to(self.backend.device)), batch.views)

    @torch.inference_mode()
    def predictions(self, batch: Batch) -> Candidates:
        """What the backend says about a batch that is on its device, before NMS."""
        backend = self.backend
        if isinstance(backend, SuppressingBackend):
            backend = backend.with_nms(self.nms, joined=len(self.numbers.unique()) < len(self.numbers))
        return backend(batch.inputs())

    def detections(self, predictions: Candidates, views: Sequence[View]) -> dict[int, Detections]:
        """See `detections`; with the labels and names that are reported."""
        found = detections(predictions, views, self.nms, self.numbers)
        return {picture: replace(one, names=self.names) for picture, one in found.items()}


@torch.no_grad()
def detections(
    predictions: Candidates, views: Sequence[View], cfg: NMSConfig, numbers: Tensor | None = None
) -> dict[int, Detections]:
    """By number of the picture its detections, in its original pixels, on the CPU. A box may carry several classes.

    `views` (B,) says which picture each input shows, and where; all views of a picture come together. `numbers` (K,):
    the label of each class, None: its number; classes of one label are one to NMS.
    """
    assert len(views) == len(predictions), "evaluation samples carry their view"
    inputs, boxes, scores, labels = (t.cpu() for t in _candidates(predictions, cfg))
    labels = labels if numbers is None else numbers[labels]
    first: dict[int, int] = {}  # the first input that shows a picture
    for number, view in enumerate(views):
        first.setdefault(view.picture, number)
    # Boxes of a picture are compared in the pixels of its first view. Their overlaps are the same in any view, but the
    # rounding is not: this way those of a picture with one view, the usual case, are compared as the network gave them.
    owners = torch.tensor([first[view.picture] for view in views])[inputs]
    for number, view in enumerate(views):
        if number != first[view.picture]:
            mine = inputs == number
            boxes[mine] = torch.from_numpy(views[first[view.picture]].apply(view.undo(boxes[mine]).numpy()))
    found = {}
    for picture, number in first.items():
        mine = (owners == number).nonzero().flatten()
        order = scores[mine].argsort(descending=True, stable=True)[: cfg.max_candidates]
        mine = mine[order]
        keep = mine[suppress(boxes[mine], labels[mine], cfg)]
        view = views[number]
        shown = view.clip(view.undo(boxes[keep]))
        there = (shown[:, 2:] > shown[:, :2]).all(1)  # a box beside the picture, in the padding, shows nothing
        found[picture] = Detections(shown[there], scores[keep][there], labels[keep][there])
    return found


def _candidates(predictions: Candidates, cfg: NMSConfig) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Every (input, box, score, label) above the confidence, scores only computed where they can reach it."""
    image, index = predictions.reaching(cfg.conf)
    scores = predictions.scores_at(image, index)
    above = scores > cfg.conf
    if cfg.classes is not None:
        wanted = torch.zeros(scores.shape[1], dtype=torch.bool, device=scores.device)
        wanted[list(cfg.classes)] = True
        above &= wanted
    row, label = above.nonzero(as_tuple=True)
    boxes = predictions.boxes_at(image[row], index[row])
    sound = boxes.isfinite().all(-1)  # NMS cannot compare the others, and no picture can show them
    return image[row][sound], boxes[sound], scores[row, label][sound], label[sound]
