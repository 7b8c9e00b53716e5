"""From a found box to the heat that says why: parts of the network's input are hidden, and the box is looked for again.

After occlusion (Zeiler, Fergus, ECCV 2014) with the measure of D-RISE (Petsiuk et al., CVPR 2021). Nothing is known of
a network but what it answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from models.explaining.filling import filled
from models.explaining.likeness import likeness, unsuppressed
from models.explaining.patches import Scale, patches_over, rectangle
from models.inference.backend import Backend
from utils.values.batch import Batch
from utils.values.heat import Heat
from utils.values.view import View

# once what is around the box, once the box itself: 41 patches and 4 more inputs
SCALES = (Scale(grow=2.0, steps=4), Scale(grow=1.2, steps=5))
AT_ONCE = 8 * 320 * 320  # px of the inputs that go through a network together, where nothing is said of it
LEAST_FALL = 1e-3  # of the likeness, the most that a patch costs: below it, nothing matters


@dataclass(frozen=True, eq=False)
class Explainer:
    """Why `backends`, one or an ensemble, found a box.

    `numbers` (K,) int64: the label that is reported for each class of a backend, as Inference has it. `at_once`: how
    many copies of a picture go through a network together, None: by their size; `scales`: how finely the map is drawn,
    by how many patches. The same input gives the same heat: nothing is drawn at random.
    """

    backends: Sequence[Backend]
    numbers: Tensor
    at_once: int | None = None
    scales: Sequence[Scale] = SCALES

    @torch.inference_mode()
    def __call__(self, batches: Iterable[Batch], box: Tensor, label: int) -> Heat:
        """`batches`: views of one picture, those that show most of the box (utils/tiling/fullest.py), of which the one
        that finds it best is explained. `box` (4,) xyxy px of the picture, `label` its number as reported. Of an
        ensemble the mean is explained.

        Raises ConfigError as the backends do.
        """
        corners = box.detach().cpu().float()
        looks = [self._look(batch, k, corners, label) for batch in batches for k in range(len(batch.views))]
        best = max(looks, key=lambda one: float(one.found()[0])) if len(looks) > 1 else looks[0]
        view, look = best.view, best.hiding()
        score, hidden, alone, nothing = look.parts()
        falls = torch.stack([look.falls(scale, score) for scale in self.scales]).mean(0)
        values = _undone(falls, view, look.shown)
        most = values.max()
        values = values / most if most >= LEAST_FALL else torch.zeros_like(values)
        left, top, right, bottom = box.tolist()
        place = view.shown, view.size, (left, top, right, bottom)
        return Heat(values.numpy(), *place, label, score, hidden, alone, nothing)

    def _look(self, batch: Batch, number: int, box: Tensor, label: int) -> _Look:
        view, images = batch.views[number], batch.images[number : number + 1]
        image = replace(batch, images=images).to(self.backends[0].device).inputs()[0]
        there = view.clip(box[None])  # of an object in several tiles what this one shows
        corners = torch.cat((there, torch.tensor([view.shown], dtype=torch.float32)))
        inner, shown = torch.from_numpy(view.apply(corners.numpy()))
        return _Look(self, view, image, image, inner, shown, (self.numbers == label).nonzero().flatten())


@dataclass(frozen=True, eq=False)
class _Look:
    """One input (C, H, W) and what its places become when they are hidden, its `filling`. The `box` and what is `shown`
    of the picture (4,) xyxy in its pixels; `classes` (N,) of the networks, which stand for the label.
    """

    explainer: Explainer
    view: View
    image: Tensor
    filling: Tensor
    box: Tensor
    shown: Tensor
    classes: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) px of the input."""
        return self.image.shape[1], self.image.shape[2]

    @property
    def at_once(self) -> int:
        """How many copies go through a network together."""
        return self.explainer.at_once or max(AT_ONCE // (self.size[0] * self.size[1]), 1)

    def found(self) -> Tensor:
        """(1,) the likeness as the picture is."""
        return self._without(torch.zeros(1, *self.size))

    def hiding(self) -> _Look:
        """The same with its filling."""
        return replace(self, filling=filled(self.image, self.box, self.shown))

    def parts(self) -> list[float]:
        """The likeness as the picture is, without the inside of the box, with that alone, and without both."""
        inside = rectangle(self.box, self.size)
        masks = torch.stack((torch.zeros_like(inside), inside, 1 - inside, torch.ones_like(inside)))
        said: list[float] = torch.cat([self._without(some) for some in masks.split(self.at_once)]).tolist()
        return said

    def falls(self, scale: Scale, score: float) -> Tensor:
        """(H, W): how far the likeness falls where a place is hidden, the mean of the patches that hide it."""
        patches = patches_over(self.box, self.size, scale)
        starts = range(0, len(patches), self.at_once)
        likes = [self._without(patches.masks(start, start + self.at_once)) for start in starts]
        falls = (score - torch.cat(likes)).clamp(min=0)
        # the outermost places are hidden by the soft edge of one patch alone: half of it counts as all
        return patches.weighted(falls) / patches.covered().clamp(min=0.5)

    def _without(self, masks: Tensor) -> Tensor:
        """(N,) the mean likeness of the networks, where `masks` (N, H, W) are hidden."""
        copies = torch.lerp(self.image[None], self.filling[None], masks.to(self.image)[:, None])
        copies = copies.contiguous(memory_format=torch.channels_last)
        backends = map(unsuppressed, self.explainer.backends)
        return torch.stack([likeness(one(copies), self.box, self.classes) for one in backends]).mean(0)


def _undone(values: Tensor, view: View, shown: Tensor) -> Tensor:
    """(H, W) of the input -> (h, w) of what it shows of the picture, without padding or mirroring, as finely."""
    height, width = values.shape
    left, top, right, bottom = view.shown
    rows, columns = (max(1, round(float(side))) for side in (shown[3] - shown[1], shown[2] - shown[0]))
    x = (left + (torch.arange(columns) + 0.5) * (right - left) / columns) * view.scale[0] + view.shift[0]
    y = (top + (torch.arange(rows) + 0.5) * (bottom - top) / rows) * view.scale[1] + view.shift[1]
    places = torch.stack(torch.meshgrid(x / width * 2 - 1, y / height * 2 - 1, indexing="xy"), -1)
    sampled = grid_sample(values[None, None], places[None], padding_mode="border", align_corners=False)
    return sampled[0, 0]
