"""Examples in place of words: what a network that reads text holds of the boxes on a few pictures."""

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


@torch.inference_mode()
def look_at(model: Graph, batches: Iterable[Batch], names: Sequence[str]) -> dict[str, Tensor]:
    """By name of each class that the boxes of `batches` show: the mean (D,) unit vector of the cells that find them, to
    be looked for as that of a text. The cells of a box are those within it whose own boxes overlap it most.
    """
    sums: dict[int, Tensor] = {}
    for batch in batches:
        batch = batch.to(model.device)
        with _watched(model.layers[-1]) as given:
            predictions = model(batch.inputs())
        head = model.head
        assert isinstance(head, ContrastiveDetect), "a network that reads text has this head"
        vectors = normalize(head.embeddings(given[0]), dim=-1)
        targets = batch.targets
        rows = zip(targets.image_index.tolist(), targets.labels.tolist(), targets.boxes, strict=True)
        for image, label, box in rows:
            share = _shares(predictions, image, box)
            seen = normalize((vectors[image, share.indices] * share.values[:, None]).sum(0), dim=-1)
            sums[label] = sums.get(label, torch.zeros_like(seen)) + seen
    return {names[label]: normalize(sums[label], dim=-1).cpu() for label in sorted(sums)}


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
