"""Networks with what they look for: their classes or a user's words, what decides, and the questions asked."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from models.inference.nms import NMSConfig
from models.ready.asking import Asked, LookedFor, answerer_for, lexicon_for
from models.ready.detection_nms import nms_for
from models.ready.ensemble import about_members, identity_of, load_members
from models.ready.load import Loaded, Network, for_inference, load_masker
from models.ready.prompted import kept_names, looking_for, save_words
from utils.answers.plan import unknown_phrases
from utils.asking.parser import parse
from utils.config.given_values import as_path, as_switch, as_text
from utils.console.log import LOG
from utils.deciding.threshold_file import Limits, read_limits
from utils.deciding.thresholds import NEVER
from utils.flags.detect_flags import DetectFlags
from utils.processes.device import select_device
from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.heat import Heat
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds
from utils.values.unknown_defect import UNKNOWN, without_twice_found
from utils.values.verdict import Verdict
from utils.words.class_names import class_map, wanted_classes
from utils.words.errors import UserError
from utils.zones.zone_file import read_zones
from utils.zones.zones import Zones

Given = TypeVar("Given")


@dataclass(frozen=True)
class Wanted:
    """What networks are to look for, beside or in place of their own classes; see detect.py's Detector. `shown`: what a
    labelled set shows, by class name, worked out with the first network as it was trained. Raises ConfigError.
    """

    prompts: str | None
    shown: Callable[[Loaded], Mapping[str, Tensor]]
    unknown: bool
    text_encoder: str
    glossary: str

    def __post_init__(self) -> None:
        for name in (
            ("prompts", "text_encoder", "glossary") if self.prompts is not None else ("text_encoder", "glossary")
        ):
            as_text(name, getattr(self, name))
        as_switch("unknown", self.unknown)


@dataclass(frozen=True)
class Running:
    """How networks are to run; see detect.py's Detector. Raises ConfigError."""

    half: bool
    static: bool
    masks: bool
    sam: str

    def __post_init__(self) -> None:
        for name in ("half", "static", "masks"):
            as_switch(name, getattr(self, name))
        as_text("sam", self.sam)


class Finder(ABC, Generic[Given]):
    """What detect.py's Detector knows and does apart from reading pictures: the networks, their classes, and what
    decides. A `Given` is what it takes for a picture.
    """

    mm_per_px: float | None = None  # the side of a pixel, where the data says it
    limits: Limits | None = None
    zones: Zones | None = None
    usual: NMSConfig | None = None  # what the command line wants counted
    explains = 0  # of how many boxes of a picture results say why
    asked = Asked()

    def __init__(self, paths: Sequence[Path], device: str, wanted: Wanted, running: Running) -> None:
        """Load the checkpoints `paths`, which look together. Raises UserError."""
        members = load_members(paths, select_device(device), running.sam, running.masks)
        trained, shown = members[0], wanted.shown(members[0])
        words = wanted.prompts, wanted.text_encoder, wanted.glossary, wanted.unknown
        loaded = looking_for(members, *words, shown)
        self.prompted = None if loaded is trained else loaded
        self.masker = load_masker(loaded, running.sam) if running.masks else None
        ready = [one.model for one in (loaded, *members[1:])]
        self.models = tuple(for_inference(one, running.static, running.half) for one in ready)
        self.names, self.path, self.weights = loaded.names, loaded.path, identity_of(members)
        self.about = loaded.about() | about_members(members)
        self.about |= {"masks": self.masker.mode} if self.masker is not None else {}
        self.trained_data, self.channels, self.half = loaded.config.data, loaded.channels, running.half
        self.order = torch.arange(len(self.names))  # the class number to report for each class of the model
        kept = () if trained.words is None else kept_names(trained)
        self.looked = LookedFor(loaded.words, trained.words, wanted.text_encoder, running.static, kept)
        self.own = len(self.names)  # classes that decide about a part; later ones are only asked about

    @abstractmethod
    def planes(self, picture: Given) -> np.ndarray:
        """(H, W, C) of a picture. Raises DataError."""

    @abstractmethod
    def shown(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB for people of the planes of a picture."""

    @abstractmethod
    def tiles(self, size: tuple[int, int]) -> int:
        """How many parts of a picture of `size` (height, width) px are looked at."""

    @abstractmethod
    def detect(self, images: Sequence[np.ndarray], nms: NMSConfig) -> list[Detections]:
        """Detections of pictures that share one network shape."""

    @abstractmethod
    def explain(self, image: np.ndarray, found: Detections, number: int) -> Heat:
        """Why that box of what was found in the planes of a picture is there."""

    @property
    def model(self) -> Network:
        """The network, of an ensemble the first one."""
        return self.models[0]

    @property
    def trained_as(self) -> tuple[str, ...]:
        """The flags with which train.py looks at pictures as it did for this network."""
        data = self.trained_data
        size = ("--img", str(data.imgsz))
        return ("--tile", str(data.tile), *(size if data.imgsz != data.tile else ())) if data.tile else size

    @property
    def reads_text(self) -> bool:
        """Whether it can be asked to look for other words."""
        return self.looked.words is not None

    def call_classes(self, names: Sequence[str]) -> list[str]:
        """Report classes by these names and their numbers, and tell so if they are ordered differently. Raises
        CheckpointError where the names do not fit the checkpoint.
        """
        names = (*names, *((UNKNOWN,) if UNKNOWN in self.names and UNKNOWN not in names else ()))
        self.order, self.names = torch.tensor(class_map(self.names, names, str(self.path))), names
        same = self.order.equal(torch.arange(len(self.names)))
        return [] if same else ["the data orders its classes differently from the checkpoint: numbered as in the data"]

    def use_zones(self, path: str | Path) -> Zones:
        """Find only what counts in the zones of this file; of the pictures, not of the checkpoint. Raises UserError."""
        self.zones = read_zones(as_path("roi", path), self.names)
        return self.zones

    def counting(self, found: Detections, size: tuple[int, int]) -> Detections:
        """What of it lies where it counts, in a picture of `size` (height, width) px. Raises DataError for a picture
        over which the zones cannot be laid.
        """
        return found if self.zones is None else self.zones.counting(found, size)

    def save_prompts(self, path: str | Path) -> None:
        """Write a checkpoint that looks for the same by itself, without examples or an encoder. Raises ConfigError
        where nothing was asked for, or the file is there already; ResourceError.
        """
        save_words(self.prompted, Path(as_path("save_prompts", path)))

    def use_thresholds(self, path: str | Path, warn: Callable[[str], None] = LOG.warning) -> Limits:
        """Count a detection only if it reaches the threshold of its class in this file. `warn` is told where they were
        chosen with other weights. Raises ConfigError.
        """
        self.limits = read_limits(as_path("path", path), self.names)
        for warning in self.limits.warnings(self.weights, None, None if self.zones is None else self.zones.identity):
            warn(warning)
        return self.limits

    def use_questions(self, texts: Sequence[str], conf: float = 0.25, severity: str | Path = "") -> Asked:
        """Answer these questions about every picture. What they name and no class is called, a network that reads text
        looks for as well; it decides nothing about the part. Scores are read as the thresholds in use say, else from
        `conf` on; `severity`: a file of rules. Raises UserError.
        """
        lexicon = lexicon_for(self.names, self.looked.words, self.own)
        asked = [one for text in texts for one in parse(text, lexicon.every_word())]
        if self.looked.words and (new := unknown_phrases(asked, lexicon)):
            self.look_also_for(new)
            lexicon = lexicon_for(self.names, self.looked.words, self.own)
        rules = as_path("severity", severity) if severity else ""
        self.asked = Asked(tuple(asked), answerer_for(lexicon, self.limits, conf, rules, self.mm_per_px))
        return self.asked

    def look_also_for(self, names: Sequence[str]) -> None:
        """Look for these as well, as the last classes; they decide nothing about a part. Raises UserError."""
        self.looked = self.looked.also(self.model, names)
        self.order = torch.cat((self.order, torch.arange(len(names)) + len(self.names)))
        self.names, self.limits = (*self.names, *names), self.limits and self.limits.with_more(len(names))

    def nms(self, conf: float | None = None, iou: float | None = None, max_det: int | None = None) -> NMSConfig:
        """NMS with the given values, else those that the thresholds were chosen with, else detect.py's defaults."""
        return nms_for(self.limits, conf, iou, max_det)

    def wanted_nms(self, flags: DetectFlags) -> NMSConfig:
        """What the command line wants counted. Raises ConfigError."""
        wanted, order = wanted_classes(flags.classes, self.names), self.order.tolist()
        classes = None if wanted is None else tuple(order.index(label) for label in wanted)
        nms = self.nms(flags.conf_thres, flags.iou_thres, flags.max_det)
        self.usual = replace(nms, agnostic=flags.agnostic_nms, classes=classes)
        return self.usual

    def faint(self, image: np.ndarray, conf: float) -> Detections:
        """Everything from the score `conf` on in the planes (H, W, C) of a picture."""
        return without_twice_found(self.detect([image], replace(self.usual or self.nms(), conf=conf))[0])

    def ask(self, picture: Given, question: str, conf: float = 0.25, severity: str | Path = "") -> Answer:
        """The answer to one question about a picture, see `use_questions`. Raises UserError."""
        image = self.planes(picture)
        before = self.asked, self.looked, self.order, self.names, self.limits
        try:
            asked = self.use_questions((as_text("question", question),), conf, severity)
            nms = replace(self.usual or self.nms(), classes=None)  # questions ask of the classes that are hidden, too
            return asked.only(self.results([Frame("", Path(), image)], nms)[0].answers)
        finally:
            new, (self.asked, self.looked, self.order, self.names, self.limits) = self.looked, before
            if new is not self.looked:  # nor does it go on looking for what was asked about
                self.looked.again(self.model)

    def verdict(self, picture: Given, conf: float = 0.25) -> Verdict:
        """NG if something in the picture counts as a defect, else OK, as detect.py reports it. The thresholds in use
        decide, or `conf` if there are none. Raises DataError when the picture cannot be read.
        """
        nms = self.nms() if self.limits else self.nms(conf)
        return self.results([Frame("", Path(), self.planes(picture))], nms)[0].verdict

    def result(self, frame: Frame, nms: NMSConfig) -> PictureResult:
        """The result of one input; also of one that cannot be looked at, for whatever reason."""
        try:
            return self.results([frame], nms)[0]
        except (UserError, MemoryError) as error:
            reason = str(error) or "memory was not enough for it"
            return self._unread(replace(frame, image=None, reason=reason), nms)

    def results(self, frames: Sequence[Frame], nms: NMSConfig) -> list[PictureResult]:
        """The results of inputs that share one network shape, or of a single one that could not be read."""
        images = [frame.image for frame in frames if frame.image is not None]
        if not images:
            return [self._unread(frame, nms) for frame in frames]
        started = time.perf_counter()
        found = self.detect(images, self.asked.gathering(nms))
        each = (time.perf_counter() - started) * 1000 / len(images)  # ms: a batch is timed as a whole
        rows = zip(frames, found, images, strict=True)
        return [self._judged(frame, one, image, nms, each) for frame, one, image in rows]

    def _judged(
        self, frame: Frame, found: Detections, image: np.ndarray, nms: NMSConfig, milliseconds: float
    ) -> PictureResult:
        """The result of an input in which all of this was found, however faint."""
        size = (image.shape[0], image.shape[1])
        counting = self.asked.counting(found, self.limits, nms.conf, self.own)
        return PictureResult(
            replace(frame, image=self.shown(image)),
            counting,
            self._thresholds(nms),
            self.asked.answers(found, size),
            size,
            self.mm_per_px,
            milliseconds,
            self.tiles(size),
            tuple(self.explain(image, counting, k) for k in range(min(self.explains, len(counting)))),
        )

    def _unread(self, frame: Frame, nms: NMSConfig) -> PictureResult:
        return PictureResult(frame, None, self._thresholds(nms), self.asked.unread(frame.reason))

    def _thresholds(self, nms: NMSConfig) -> ScoreThresholds:
        """What a score must reach, by class: the thresholds in use, else --conf of the classes that decide."""
        values = [nms.conf if k < self.own else NEVER for k in range(len(self.names))]
        return self.limits.thresholds if self.limits else ScoreThresholds(tuple(values), "--conf")
