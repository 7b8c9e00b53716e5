"""What detect.py gives the page to work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from utils.deciding.threshold_file import DIGITS, Limits
from utils.deciding.thresholds import NEVER
from utils.flags.detect_flags import DetectFlags
from utils.processes.threads import Turns
from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.heat import Heat

CONFIDENCE = 0.25  # from which a detection counts where no thresholds were given
FAINT = 0.02  # from which the page shows one, for its sliders
_SUFFIXES = frozenset(".jpg .jpeg .png .bmp .tif .tiff .webp".split())


class Shows(Protocol):
    """Turns the planes that a network reads into a picture for people."""

    def show(self, image: np.ndarray) -> np.ndarray:
        """(H, W, C) as (H, W, 3) uint8 RGB."""


class Eye(Protocol):
    """What the page needs of detect.py's Detector. One that also has `explain(image, found, number)`, giving a
    Heat, can show where it looked; see `explains`.
    """

    names: tuple[str, ...]
    own: int
    limits: Limits | None
    path: Path

    @property
    def trained_as(self) -> tuple[str, ...]:
        """Flags of train.py."""

    @property
    def optics(self) -> Shows:
        """For people's eyes."""

    def read(self, path: str | Path) -> np.ndarray:
        """A picture as (H, W, C). Raises UserError."""

    def faint(self, image: np.ndarray, conf: float) -> Detections:
        """Everything from the score `conf` on in (H, W, C), best first, xyxy px of it."""

    def ask(self, picture: np.ndarray, question: str, conf: float) -> Answer:
        """The answer to one question; without thresholds scores are read from `conf` on. Raises UserError."""


@dataclass(frozen=True, eq=False)
class Desk:
    """`detector` and its `weights` file; `project`: where runs of detect.py go, others lie beside it.

    `folder`: the one the page may look into; `make`: a detector for words ("scratch, oil stain"), where the network
    reads text; `is_picture`: whether a file name is a picture's; `conf`: what counts without thresholds; `lock` is held
    around each look, by whoever looks; `line`: what else is looked at meanwhile ("watching parts"), "": nothing;
    `training`: flags with which train.py looks at pictures as `detector` does.
    """

    detector: Eye
    weights: str
    project: Path
    folder: Path | None = None
    make: Callable[[str], Eye] | None = None
    is_picture: Callable[[str], bool] = lambda name: Path(name).suffix.lower() in _SUFFIXES
    conf: float = CONFIDENCE
    lock: Turns = field(default_factory=Turns)
    line: str = ""
    training: tuple[str, ...] = ()

    @classmethod
    def of(cls, flags: DetectFlags, detector: Eye, make: Callable[[str], Eye] | None, line: str) -> Desk:
        """The desk that the command line wants; see the class."""
        return cls(
            detector,
            str(detector.path),
            Path(flags.project),
            folder=Path(flags.source) if flags.source and not line else None,
            make=make,
            conf=CONFIDENCE if flags.conf_thres is None else flags.conf_thres,
            line=line,
            training=detector.trained_as,
        )


def thresholds_of(eye: Eye, conf: float) -> tuple[float, ...]:
    """The score from which each class counts; NEVER for what is only asked about."""
    if eye.limits is not None:
        return eye.limits.thresholds.values
    return tuple(conf if label < eye.own else NEVER for label in range(len(eye.names)))


def explains(eye: Eye) -> bool:
    """Whether it can show where it looked."""
    return getattr(eye, "explain", None) is not None


def explained(eye: Eye, image: np.ndarray, found: Detections, number: int) -> Heat:
    """What the box of that number was found by. Only of one that `explains`."""
    heat: Heat = eye.explain(image, found, number)  # type: ignore[attr-defined]
    return heat


def counting(found: Detections, thresholds: Sequence[float]) -> Detections:
    """What counts by thresholds: scores, rounded as they are written, of at least that of their class."""
    scores, labels = found.scores.tolist(), found.labels.tolist()
    passing = [round(score, DIGITS) >= thresholds[label] for score, label in zip(scores, labels, strict=True)]
    return found.keep(found.labels.new_tensor(passing, dtype=torch.bool))
