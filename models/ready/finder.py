"""Networks with what they look for: their classes or a user's words, what decides, and the questions asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.inference.nms import NMSConfig
from models.ready.asking import Asked, LookedFor, answerer_for, lexicon_for
from models.ready.detection_nms import nms_for
from models.ready.ensemble import about_members, identity_of, load_members
from models.ready.load import Loaded, Network, for_inference, load_masker
from models.ready.prompted import looking_for, save_words
from utils.answers.plan import unknown_phrases
from utils.asking.parser import parse
from utils.config.given_values import as_path
from utils.console.log import LOG
from utils.inspection.threshold_file import Limits, read_limits
from utils.inspection.thresholds import NEVER
from utils.processes.device import select_device
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What networks are to look for, beside or in place of their own classes, and how they are to run.

    `shown`: what a labelled set shows, by class name, worked out with the first network as it was trained. The rest as
    the arguments of detect.py's Detector.
    """

    prompts: str | None = None
    shown: Callable[[Loaded], Mapping[str, Tensor]] = lambda _: {}
    unknown: bool = False
    text_encoder: str = ""
    glossary: str = ""
    sam: str = ""
    static: bool = False
    masks: bool = False
    half: bool = False


class Finder:
    """What detect.py's Detector knows apart from reading pictures: the networks, their classes, and what decides."""

    mm_per_px: float | None = None  # the side of a pixel, where the data says it
    limits: Limits | None = None
    asked = Asked()

    def __init__(self, paths: Sequence[Path], device: str, wanted: Wanted) -> None:
        """Load the checkpoints `paths`, which look together. Raises UserError."""
        members = load_members(paths, select_device(device), wanted.sam, wanted.masks)
        trained, shown = members[0], wanted.shown(members[0])
        words = wanted.prompts, wanted.text_encoder, wanted.glossary, wanted.unknown
        loaded = looking_for(members, *words, shown)
        self.prompted = None if loaded is trained else loaded
        self.masker = load_masker(loaded, wanted.sam) if wanted.masks else None
        ready = [one.model for one in (loaded, *members[1:])]
        self.models = tuple(for_inference(one, wanted.static, wanted.half) for one in ready)
        self.names, self.path, self.weights = loaded.names, loaded.path, identity_of(members)
        self.about = loaded.about() | about_members(members)
        self.about |= {"masks": self.masker.mode} if self.masker is not None else {}
        self.trained_data, self.channels, self.half = loaded.config.data, loaded.channels, wanted.half
        self.order = torch.arange(len(self.names))  # the class number to report for each class of the model
        self.looked = LookedFor(loaded.words, trained.words, wanted.text_encoder, wanted.static)
        self.own = len(self.names)  # classes that decide about a part; later ones are only asked about

    @property
    def model(self) -> Network:
        """The network, of an ensemble the first one."""
        return self.models[0]

    @property
    def reads_text(self) -> bool:
        """Whether it can be asked to look for other words."""
        return self.looked.words is not None

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
        for warning in self.limits.warnings(self.weights):
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

    def thresholds(self, conf: float) -> ScoreThresholds:
        """What a score must reach, by class: the thresholds in use, else `conf` of the classes that decide."""
        values = [conf if k < self.own else NEVER for k in range(len(self.names))]
        return self.limits.thresholds if self.limits else ScoreThresholds(tuple(values), "--conf")

    def unread(self, frame: Frame, nms: NMSConfig) -> PictureResult:
        """The result of an input that could not be read."""
        return PictureResult(frame, None, self.thresholds(nms.conf), self.asked.unread(frame.reason))

    def judged(self, frame: Frame, found: Detections, size: tuple[int, int], nms: NMSConfig) -> PictureResult:
        """The result of an input of `size` (height, width) px, in which all of this was found, however faint."""
        counting = self.asked.counting(found, self.limits, nms.conf, self.own)
        answers = self.asked.answers(found, size)
        return PictureResult(frame, counting, self.thresholds(nms.conf), answers, size, self.mm_per_px)
