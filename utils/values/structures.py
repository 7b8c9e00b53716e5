"""The values that cross a boundary. One box convention: xyxy, absolute pixels of the network input, float32.

Arrays inside workers are numpy (Record, Sample); everything from Batch on is torch. `eq=False`, because comparing
arrays with `==` has no single answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from utils.values.boxes import Letterbox
from utils.values.masks import Rle

EVERY_CLASS = -1  # the label of an ignore region that belongs to no class in particular


@dataclass(frozen=True, eq=False)
class Record:
    """One picture of a data set and its truth.

    `boxes` (N, 4) float32 xyxy as fractions 0..1 of the upright picture, `labels` (N,) int64 indices into the names,
    `crowd` (N,) bool for regions in which detections of that class count neither as hits nor as false alarms (COCO's
    iscrowd); a crowd row with the label EVERY_CLASS does so for every class. `size` (height, width) of the upright
    picture in pixels, `image_id` the id that predictions.json uses, `labelled` False when no label file was found.
    """

    path: Path
    image_id: int
    size: tuple[int, int]
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    labelled: bool = True

    @property
    def good(self) -> bool:
        """A good picture shows no defect; an ignore region of no class in particular does not make it a bad one."""
        return not (self.labels != EVERY_CLASS).any()

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) px of the original picture and labels (N,) of what is to be found: without crowd rows."""
        return self.pixel_boxes()[~self.crowd], self.labels[~self.crowd]

    def pixel_boxes(self) -> np.ndarray:
        """(N, 4) float32 xyxy in pixels of the original picture."""
        height, width = self.size
        return self.boxes * np.array([width, height, width, height], np.float32)

    def input_sizes(self, imgsz: int) -> np.ndarray:
        """(N, 2) float32 width, height of the boxes to learn (not crowd) in px of a network input whose longest side
        is `imgsz`.
        """
        boxes = self.pixel_boxes()[~self.crowd]
        return (boxes[:, 2:] - boxes[:, :2]) * np.float32(imgsz / max(self.size))


@dataclass(frozen=True, eq=False)
class Sample:
    """One network input before batching: `image` (H, W, C) uint8 RGB, `boxes` (N, 4) xyxy px, `labels` (N,).

    With other channels than RGB `image` may be uint16 or float32; `full` is the value that means 1.0.
    `ignored` (R, 4) xyxy px are regions about which nothing is known: they teach neither object nor background.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    index: int
    letterbox: Letterbox | None = None
    boxes_lost: int = 0
    ignored: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    full: float = 255.0


@dataclass(frozen=True, eq=False)
class Targets:
    """Truth of a batch: `image_index` (T,) int64, `labels` (T,) int64, `boxes` (T, 4) xyxy px of the network input.

    `ignored_index` (R,) int64 and `ignored` (R, 4) xyxy px: regions in which nothing is taught, see Sample.
    """

    image_index: Tensor
    labels: Tensor
    boxes: Tensor
    ignored_index: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    ignored: Tensor = field(default_factory=lambda: torch.zeros(0, 4))

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Targets:
        """The same targets on `device`."""
        return Targets(*(tensor.to(device, non_blocking=non_blocking) for tensor in vars(self).values()))

    def pin_memory(self) -> Targets:
        """The same targets in page-locked memory."""
        return Targets(*(tensor.pin_memory() for tensor in vars(self).values()))


@dataclass(frozen=True)
class Moment:
    """When in training a forward pass happens: the run's seed, the step, and which part 0..1 of the run is done."""

    seed: int
    step: int
    progress: float


@dataclass(frozen=True, eq=False)
class Batch:
    """`images` (B, C, H, W) uint8, `targets`, data set index and letterbox of every picture, boxes lost on the way.

    `images` may be uint16 or float32, too; `full` is the value that means 1.0.
    `phrases` (N,) int64: the rows of the model's vocabulary that this batch asks for, of which `targets.labels` are
    the places; None: the labels are the classes themselves.
    """

    images: Tensor
    targets: Targets
    indices: tuple[int, ...]
    letterboxes: tuple[Letterbox | None, ...]
    boxes_lost: int = 0
    phrases: Tensor | None = None
    full: float = 255.0

    def __len__(self) -> int:
        """Pictures; a blank sample, whose index is negative, is none."""
        return sum(index >= 0 for index in self.indices)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """The same batch on `device`; images stay as they are (uint8: a quarter of the bytes), see `inputs()`."""
        images = self.images.to(device, non_blocking=non_blocking)
        phrases = None if self.phrases is None else self.phrases.to(device, non_blocking=non_blocking)
        return replace(self, images=images, targets=self.targets.to(device, non_blocking), phrases=phrases)

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory."""
        phrases = None if self.phrases is None else self.phrases.pin_memory()
        return replace(self, images=self.images.pin_memory(), targets=self.targets.pin_memory(), phrases=phrases)

    def inputs(self) -> Tensor:
        """(B, C, H, W) float32 in 0..1, channels_last."""
        images = self.images.to(torch.float32, memory_format=torch.channels_last)
        if self.full == 1.0:
            return images  # floating point planes are in 0..1 already
        return images.div_(self.full)


@dataclass(frozen=True, eq=False)
class BoxCode:
    """Boxes as a head says them, `values` (B, A, ...). This one says them in full: (B, A, 4) float32 xyxy px."""

    values: Tensor

    def decode(self, values: Tensor, index: Tensor | slice) -> Tensor:
        """(..., N, *) values of the predictions numbered `index` (N,) -> (..., N, 4) float32 xyxy px."""
        return values


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a head says, before NMS, the same in train and eval mode. A = all predictions of all levels.

    `code` the boxes, decoded where somebody looks; `class_logits` (B, A, K); `objectness` (B, A) logits, None without
    an anchor head; `points` (A, 2) cell centres px; `strides` (A,); `level_sizes` predictions per level, summing to A;
    `grids` (height, width) per level; `anchors` (A, 2) width and height px or None.

    Side results of rows, for their own losses: `reconstructions` (B,) each, a loss per picture; `energies` (B, h, w)
    each, over a grid that covers the network input, low where a visual prompt is wanted.
    """

    code: BoxCode
    class_logits: Tensor
    objectness: Tensor | None
    points: Tensor
    strides: Tensor
    level_sizes: tuple[int, ...]
    grids: tuple[tuple[int, int], ...]
    anchors: Tensor | None = None
    reconstructions: tuple[Tensor, ...] = ()
    energies: tuple[Tensor, ...] = ()

    @property
    def boxes(self) -> Tensor:
        """(B, A, 4) float32 xyxy px, every one of them decoded."""
        return self.code.decode(self.code.values, slice(None))

    def boxes_at(self, image: Tensor, index: Tensor) -> Tensor:
        """(N,) pictures and (N,) predictions -> (N, 4) float32 xyxy px."""
        return self.code.decode(self.code.values[image, index], index)

    def finite(self) -> Tensor:
        """Whether every number is finite, a bool tensor."""
        said = [x for x in (self.code.values, self.class_logits, self.objectness) if x is not None]
        return torch.stack([x.isfinite().all() for x in said]).all()

    def scores(self) -> Tensor:
        """(B, A, K) float32 confidences: class probability, times objectness where the head has one."""
        scores = self.class_logits.float().sigmoid()
        return scores if self.objectness is None else scores * self.objectness.float().sigmoid().unsqueeze(-1)


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


@dataclass(frozen=True, eq=False)
class Detections:
    """What remains after NMS for one picture: `boxes` (M, 4) xyxy, `scores` (M,) descending, `labels` (M,) int64.

    Boxes are in pixels of the network input until `postprocess.undo_letterbox`, in original pixels afterwards.
    `names` maps a label to its word where the detections leave the house (detect.Detector), and `masks` holds one mask
    each, at the size of the original picture, if they were asked for.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    names: tuple[str, ...] = ()
    masks: tuple[Rle, ...] = ()

    def __len__(self) -> int:
        return len(self.scores)

    def keep(self, mask: Tensor) -> Detections:
        """The detections where `mask` (M,) bool, or at those indices."""
        masks = tuple(self.masks[i] for i in torch.arange(len(self))[mask].tolist()) if self.masks else ()
        return replace(self, boxes=self.boxes[mask], scores=self.scores[mask], labels=self.labels[mask], masks=masks)


@dataclass(frozen=True)
class Clip:
    """The video a frame belongs to: `output` the relative path, without suffix, of its overlay; `rate` frames/s."""

    output: Path
    rate: float


@dataclass(frozen=True, eq=False)
class Frame:
    """One input of detect.py: a picture, or a frame of a video.

    `name` is what tables call it, `output` the relative path, without suffix, under which its results are filed;
    `image` (H, W, C) uint8 RGB or the planes a network reads, None when it could not be read, with the `reason`; with
    an image, `reason` says what of it is missing.
    """

    name: str
    output: Path
    image: np.ndarray | None
    reason: str = ""
    clip: Clip | None = None


@dataclass(frozen=True)
class ClassRow:
    """One class of a report: counts and metrics; what is not defined (no truth; P: nothing found) is None."""

    name: str
    images: int
    instances: int
    precision: float | None
    recall: float | None
    ap50: float | None
    ap: float | None


@dataclass(frozen=True)
class Report:
    """An evaluation: COCO's 12 numbers by name, precision and recall at the best mean F1, one row per class.

    Undefined values are None. `losses` holds val/box, val/cls and so on when a criterion was given.
    """

    coco: dict[str, float | None]
    precision: float | None
    recall: float | None
    confidence: float | None
    classes: tuple[ClassRow, ...]
    images: int
    good_images: int
    instances: int
    losses: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def map50_95(self) -> float | None:
        """AP averaged over IoU 0.50:0.95."""
        return self.coco["AP"]

    @property
    def map50(self) -> float | None:
        """AP at IoU 0.50."""
        return self.coco["AP50"]

    @property
    def fitness(self) -> float | None:
        """0.1 AP50 + 0.9 AP, what best.pt is best at unless --best-metric says otherwise; None when undefined."""
        if self.map50 is None or self.map50_95 is None:
            return None
        return 0.1 * self.map50 + 0.9 * self.map50_95

    def metric(self, name: str) -> float | None:
        """A score by its name, see utils.config.config.MetricName."""
        value: float | None = self.coco[name] if name in self.coco else getattr(self, name)
        return value

    def plain(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        rows = [vars(row) for row in self.classes]
        return {**vars(self), "classes": rows, "notes": list(self.notes)}
