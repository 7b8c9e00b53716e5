"""An exported file in a network's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from models.exported.about import MAKER, PADDING, SCALE, About
from models.graph.open_vocabulary import Words
from models.inference.nms import NMSConfig
from utils.values.channels import DERIVED, Channels
from utils.values.predictions import Candidates, ScoredBoxes
from utils.words.errors import ConfigError, DamagedError, printable

Run = Callable[[dict[str, np.ndarray]], list[np.ndarray]]  # inputs by name -> outputs in order
IMAGES, TEXT, CONF, IOU, MOST = "images", "text", "conf", "iou", "max_det"  # inputs
EVERY = 2**31 - 1  # more boxes than any file gives
PREDICTIONS, DETECTIONS, COUNT = "predictions", "detections", "count"  # outputs


class Engine(Protocol):
    """What computes a file: read and checked, not yet made ready. `half_words`: what --half means to it."""

    half_words: str

    def ready(self, half: bool) -> Run:
        """Make it ready; `half`: in 16 bit where that is faster here."""
        ...


@dataclass(eq=False)
class ExportedNetwork:
    """A Backend (models.inference.backend) that is computed from a file, on the CPU.

    `run` computes it; `text` (K, D) is what it looks for, of a file that reads text. `nms`: how the file is to
    suppress, where it does that itself.
    """

    path: Path
    about: About
    engine: Engine
    run: Run | None = None
    text: Tensor | None = None
    nms: NMSConfig = field(default_factory=NMSConfig)

    @property
    def stride(self) -> int:
        """See Backend."""
        return self.about.stride

    @property
    def channels(self) -> Channels:
        """See Backend."""
        return self.about.channels

    @property
    def device(self) -> torch.device:
        """See Backend."""
        return torch.device("cpu")

    def ready(self, half: bool = False) -> ExportedNetwork:
        """The same, ready to run; see Engine."""
        return replace(self, run=self.engine.ready(half))

    def look_for(self, words: Words) -> None:
        """Look for these words from now on. Raises ConfigError for vectors of another width than it takes."""
        assert self.about.words is not None, "only a file that takes text has words"
        width, theirs = self.about.words["vocabulary"]["vectors"].shape[1], words.vectors.shape[1]
        if width != theirs:
            raise ConfigError(f"text encoder {words.encoder}: vectors of {theirs} numbers, but the file takes {width}")
        self.text = words.vectors[: len(words.vocabulary)]

    def with_nms(self, cfg: NMSConfig, joined: bool = False) -> ExportedNetwork:
        """See SuppressingBackend; it suppresses by itself where its file does."""
        if self.about.nms and (cfg.agnostic or joined):
            flags = "--agnostic-nms" if cfg.agnostic else "--single-cls, --map-classes"
            raise ConfigError(f"{flags}: {self.path} suppresses within a class; export it without --nms")
        return replace(self, nms=cfg)

    def __call__(self, images: Tensor, /) -> Candidates:
        """See Backend. Raises ConfigError for pictures that are larger than a static file takes."""
        parts = [self._one(part) for part in self._fitting(np.ascontiguousarray(images.numpy()))]
        boxes, scores = (torch.cat([part[k] for part in parts])[: len(images)] for k in (0, 1))
        return ScoredBoxes(boxes, scores)

    def _fitting(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """The pictures as the file takes them: all, or padded at the right and below, so many at a time."""
        if self.about.shape is None:
            yield images
            return
        batch, height, width = self.about.shape
        if images.shape[2] > height or images.shape[3] > width:
            raise ConfigError(
                f"--img: {printable(str(self.path))} takes {width} x {height} px, no {images.shape[3]} x "
                f"{images.shape[2]}; take --img {max(height, width)}, or export it without --static"
            )
        for start in range(0, len(images), batch):
            part = images[start : start + batch]
            padded = np.empty((batch, images.shape[1], height, width), np.float32)
            padded[:] = self._padding()
            padded[: len(part), :, : images.shape[2], : images.shape[3]] = part
            yield padded

    def _padding(self) -> np.ndarray:
        """(C, 1, 1): grey where a plane is light, nothing where it is what polarization says."""
        light = [name in self.channels.image and name not in DERIVED for name in self.channels.names]
        return np.where(light, np.float32(PADDING / SCALE), np.float32(0))[:, None, None]

    def _one(self, images: np.ndarray) -> tuple[Tensor, Tensor]:
        """Boxes (B, A, 4) and scores (B, A, K) of what the file takes at once."""
        assert self.run is not None, "made ready before it is used"
        inputs = {IMAGES: images}
        if self.text is not None:
            inputs[TEXT] = np.ascontiguousarray(self.text.numpy())
        classes = len(self.about.names) if self.text is None else len(self.text)
        if not self.about.nms:
            (predictions,) = self.run(inputs)
            self._check_shape(predictions, len(images), 4 + classes)
            said = torch.from_numpy(predictions)
            return said[..., :4], said[..., 4:]
        inputs |= {CONF: np.full(classes, self.nms.conf, np.float32), IOU: np.array(self.nms.iou, np.float32)}
        # of some classes wanted the best: the others must not take their places
        inputs[MOST] = np.array(self.nms.max_det if self.nms.classes is None else EVERY, np.int64)
        found, count = (torch.from_numpy(one) for one in self.run(inputs))
        self._check_shape(found, len(images), 6)
        if found.numel() and not 0 <= found[..., 5].min() <= found[..., 5].max() < classes:
            raise DamagedError(self.path, f"gives other classes than it says; make it anew: {MAKER}")
        there = torch.arange(found.shape[1]) < count[:, None]
        scores = torch.zeros(*found.shape[:2], classes)
        scores.scatter_(2, found[..., 5:].long(), (found[..., 4] * there)[..., None])
        return found[..., :4], scores

    def _check_shape(self, given: np.ndarray | Tensor, batch: int, width: int) -> None:
        """Raise DamagedError for other numbers than (`batch`, any, `width`)."""
        if len(given.shape) != 3 or tuple(given.shape[::2]) != (batch, width):
            shape = " x ".join(map(str, given.shape))
            raise DamagedError(self.path, f"gives {shape} numbers, which is not what it says; make it anew: {MAKER}")
