"""What a head says before NMS, and which targets its predictions answer for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Candidates(Protocol):
    """Boxes and what is said of them, for NMS to choose from, whoever says it: A boxes for each of B inputs."""

    def __len__(self) -> int:
        """B."""
        ...

    def reaching(self, conf: float) -> tuple[Tensor, Tensor]:
        """(N,) inputs and (N,) boxes of which some score may be above `conf`; more of them do no harm."""
        ...

    def scores_at(self, image: Tensor, index: Tensor) -> Tensor:
        """(N,) inputs and (N,) boxes -> (N, K) float32: the score of each class in 0..1."""
        ...

    def boxes_at(self, image: Tensor, index: Tensor) -> Tensor:
        """(N,) inputs and (N,) boxes -> (N, 4) float32 xyxy px."""
        ...

    def finite(self) -> Tensor:
        """Whether every number is finite, a bool tensor."""
        ...


@dataclass(frozen=True, eq=False)
class BoxCode:
    """Boxes as a head says them, `values` (B, A, ...). This one says them in full: (B, A, 4) float32 xyxy px."""

    values: Tensor

    def decode(self, values: Tensor, index: Tensor | slice) -> Tensor:
        """(..., N, *) values of the predictions numbered `index` (N,) -> (..., N, 4) float32 xyxy px."""
        return values


@dataclass(frozen=True, eq=False)
class BoxPredictions:
    """Boxes and their logits, which is all that NMS needs to know. A = all predictions of all levels.

    `code` the boxes, decoded where somebody looks; `class_logits` (B, A, K); `objectness` (B, A) logits, None without
    an anchor head.
    """

    code: BoxCode
    class_logits: Tensor
    objectness: Tensor | None

    @property
    def boxes(self) -> Tensor:
        """(B, A, 4) float32 xyxy px, every one of them decoded."""
        return self.code.decode(self.code.values, slice(None))

    def __len__(self) -> int:
        """See Candidates, as for all that follows."""
        return len(self.class_logits)

    def reaching(self, conf: float) -> tuple[Tensor, Tensor]:
        """Found by logits, without computing the scores of all."""
        # slightly low, against rounding; the scores themselves are tested again
        threshold = torch.logit(torch.tensor(conf, dtype=torch.float64)).item() - 1e-3
        # a score is objectness x class, so never above its objectness
        best = self.objectness if self.objectness is not None else self.class_logits.amax(-1)
        image, index = (best > threshold).nonzero(as_tuple=True)
        return image, index

    def scores_at(self, image: Tensor, index: Tensor) -> Tensor:
        """Class, or objectness x class."""
        scores = self.class_logits[image, index].float().sigmoid()
        if self.objectness is None:
            return scores
        return scores * self.objectness[image, index].float().sigmoid().unsqueeze(-1)

    def boxes_at(self, image: Tensor, index: Tensor) -> Tensor:
        """Decoded for these alone."""
        return self.code.decode(self.code.values[image, index], index)

    def finite(self) -> Tensor:
        """Of boxes as they are coded."""
        said = [x for x in (self.code.values, self.class_logits, self.objectness) if x is not None]
        return torch.stack([x.isfinite().all() for x in said]).all()


@dataclass(frozen=True, eq=False)
class ScoredBoxes:
    """Candidates as files give them: `boxes` (B, A, 4) float32 xyxy px, `scores` (B, A, K) float32 in 0..1."""

    boxes: Tensor
    scores: Tensor

    def __len__(self) -> int:
        """See Candidates, as for all that follows."""
        return len(self.scores)

    def reaching(self, conf: float) -> tuple[Tensor, Tensor]:
        """Exactly these."""
        image, index = (self.scores.amax(-1) > conf).nonzero(as_tuple=True)
        return image, index

    def scores_at(self, image: Tensor, index: Tensor) -> Tensor:
        """As they are."""
        return self.scores[image, index]

    def boxes_at(self, image: Tensor, index: Tensor) -> Tensor:
        """As they are."""
        return self.boxes[image, index]

    def finite(self) -> Tensor:
        """Of all."""
        return torch.stack([self.boxes.isfinite().all(), self.scores.isfinite().all()]).all()


@dataclass(frozen=True, eq=False)
class Predictions(BoxPredictions):
    """What a head says, before NMS, the same in train and eval mode: boxes, and what their losses need to know.

    `points` (A, 2) cell centres px; `strides` (A,); `level_sizes` predictions per level, summing to A; `grids` (height,
    width) per level; `anchors` (A, 2) width and height px or None.

    Side results of rows, for their own losses: `reconstructions` (B,) each, a loss per picture; `energies` (B, h, w)
    each, over a grid that covers the network input, low where a visual prompt is wanted.
    """

    points: Tensor
    strides: Tensor
    level_sizes: tuple[int, ...]
    grids: tuple[tuple[int, int], ...]
    anchors: Tensor | None = None
    reconstructions: tuple[Tensor, ...] = ()
    energies: tuple[Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class Assignment:
    """Which prediction answers for which target: three (P,) int64 tensors, plus an optional (P,) target quality.

    `image_index` and `prediction_index` address Predictions (B, A); `target_index` addresses Targets.
    """

    image_index: Tensor
    prediction_index: Tensor
    target_index: Tensor
    quality: Tensor | None = None

    def __len__(self) -> int:
        return len(self.target_index)
