"""What one view of a picture shows: its predictions above the confidence, after NMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.inference.nms import NMSConfig, suppress
from utils.values.predictions import Candidates
from utils.values.view import View


@dataclass(frozen=True, eq=False)
class Found:
    """What network number `network` of `networks` finds in `view`: `boxes` (N, 4) float32 xyxy px of the picture,
    `scores` (N,) falling, `labels` (N,) int64, on the CPU.
    """

    view: View
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    network: int = 0
    networks: int = 1

    @property
    def look(self) -> tuple[int, int]:
        """Which look at the picture it belongs to: those of one network and one way of looking are one."""
        return self.network, self.view.look


@torch.no_grad()
def found_in(
    predictions: Candidates,
    views: Sequence[View],
    cfg: NMSConfig,
    numbers: Tensor | None = None,
    network: int = 0,
    networks: int = 1,
) -> list[Found]:
    """What each of the (B,) views shows. A box may carry several classes.

    `numbers` (K,): the label of each class, None: its number; classes of one label are one to NMS. Boxes are compared
    as the network gave them: in the pixels of its input.
    """
    assert len(views) == len(predictions), "evaluation samples carry their view"
    inputs, boxes, scores, labels = (t.cpu() for t in _candidates(predictions, cfg))
    labels = labels if numbers is None else numbers[labels]
    founds = []
    for number, view in enumerate(views):
        mine = (inputs == number).nonzero().flatten()
        mine = mine[scores[mine].argsort(descending=True, stable=True)[: cfg.max_candidates]]
        keep = mine[suppress(boxes[mine], labels[mine], cfg)]
        shown = view.clip(view.undo(boxes[keep]))
        there = (shown[:, 2:] > shown[:, :2]).all(1)  # a box beside the picture, in the padding, shows nothing
        founds.append(Found(view, shown[there], scores[keep][there], labels[keep][there], network, networks))
    return founds


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
