"""Examples in place of words: what tells the boxes on a few pictures, as a network sees them, from what is around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from models.graph.graph import Graph
from models.heads.contrastive import ContrastiveDetect
from utils.values.batch import Batch
from utils.values.boxes import pairwise_iou
from utils.values.predictions import Predictions

CELLS = 8  # that speak for a box
LEAST = 1e-3  # overlap of a cell in the box whose own box lies elsewhere
SHRINKAGE = 1.0  # how much of a sphere is added to the covariance of the surroundings; half or twice as much is as good
TAKEN = 0.8  # of the surroundings' mean: the rest of it lifts all scores alike, so that what is faint is not lost


@torch.inference_mode()
def look_at(model: Graph, batches: Iterable[Batch], names: Sequence[str]) -> dict[str, Tensor]:
    """By name of each class that the boxes of `batches` show: the unit vector (D,) that tells the cells that find them
    from those around, to be looked for as that of a text. The cells of a box are those within it whose own boxes
    overlap it most.

    The head's logit is linear in a cell's embedding, so the vector is nearly Fisher's discriminant: the mean over the
    boxes minus that of the surroundings (TAKEN of it), by the surroundings' covariance. The mean of the boxes alone
    lies where all cells of pictures do: looking for it gives everything a score of 1.
    """
    sums: dict[int, Tensor] = {}
    boxes: dict[int, int] = {}
    around = _Surroundings()
    for batch in batches:
        batch = batch.to(model.device)
        with _watched(model.layers[-1]) as given:
            predictions = model(batch.inputs())
        head = model.head
        assert isinstance(head, ContrastiveDetect), "a network that reads text has this head"
        vectors = head.embeddings(given[0])
        targets = batch.targets
        rows = zip(targets.image_index.tolist(), targets.labels.tolist(), targets.boxes, strict=True)
        for image, label, box in rows:
            share = _shares(predictions, image, box)
            weights = (share.values / share.values.sum()).double().cpu()
            seen = weights @ vectors[image, share.indices].double().cpu()
            sums[label], boxes[label] = sums.get(label, 0) + seen, boxes.get(label, 0) + 1
        for image, own in enumerate(vectors):
            around.add(own[_free_of_boxes(predictions.points, batch, image)].double().cpu())
    return {names[label]: around.told_from(sums[label] / boxes[label]) for label in sorted(sums)}


class _Surroundings:
    """Vectors (N, D) of cells without boxes, as their number and the sums of them and of their products."""

    def __init__(self) -> None:
        self.count, self.sum, self.products = 0, torch.zeros(1), torch.zeros(1, 1)

    def add(self, vectors: Tensor) -> None:
        """Some more."""
        self.count += len(vectors)
        self.sum, self.products = self.sum + vectors.sum(0), self.products + vectors.T @ vectors

    def told_from(self, mean: Tensor) -> Tensor:
        """(D,) float32 unit vector: the direction in which what has the mean vector `mean` (D,) is told from these."""
        own = self.sum / self.count
        covariance = self.products / self.count - own[:, None] * own
        sphere = SHRINKAGE * covariance.diagonal().mean().clamp(min=1e-12) * torch.eye(len(own), dtype=own.dtype)
        return normalize(torch.linalg.solve(covariance + sphere, mean - TAKEN * own), dim=0).float()


def _free_of_boxes(points: Tensor, batch: Batch, image: int) -> Tensor:
    """(A,) bool: the cells of an image that lie in no box and in no region about which nothing is known; all of them
    where boxes leave none.
    """
    targets = batch.targets
    known, unknown = targets.boxes[targets.image_index == image], targets.ignored[targets.ignored_index == image]
    covered = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    for box in torch.cat((known, unknown)):
        covered |= ((points >= box[:2]) & (points <= box[2:])).all(1)
    return covered if covered.all() else ~covered


def _shares(predictions: Predictions, image: int, box: Tensor) -> Any:
    """Which cells speak for `box` (4,) xyxy px, and with what weight; the nearest one where none lies in it."""
    points = predictions.points
    outside = (torch.maximum(box[:2] - points, points - box[2:])).clamp(min=0).sum(1)
    overlap = pairwise_iou(box[None], predictions.boxes[image])[0]
    return ((overlap + LEAST) * (outside <= outside.min())).topk(min(CELLS, len(points)))


@contextmanager
def _watched(layer: nn.Module) -> Iterator[list[Any]]:
    """What a layer is given on the way."""
    given: list[Any] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    try:
        yield given
    finally:
        hook.remove()
