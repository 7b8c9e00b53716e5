"""A picture of the page: what is known of it, and what a person said about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.verdict import Verdict

State = Literal["waiting", "done", "failed"]
Opinion = Literal["accepted", "rejected", "corrected"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Review:
    """What a person said: the boxes that are right, (class, xyxy px of the picture)."""

    state: Opinion
    boxes: tuple[tuple[str, Box], ...] = ()


@dataclass(frozen=True, eq=False)
class Entry:
    """A picture. `number` tells it from all others, later ones have higher ones.

    `file`: as it came, None where it is not kept; `shown`: a JPEG of it, the longest side at most 1600 px. `size`:
    (height, width) px. `found`: however faint, xyxy px of the picture as it came; `thresholds` by its labels,
    `defects`: the places of what counts. `prompts`: what to look for instead of the network's classes, `questions`:
    what to answer. `lesson`: how much a review would teach, 0..1, and why. `kept`: the review is part of a data set
    that was written.
    """

    name: str
    source: Literal["page", "line"] = "page"
    number: int = 0
    state: State = "waiting"
    file: Path | None = None
    shown: Path | None = None
    size: tuple[int, int] = (0, 0)
    prompts: str = ""
    questions: tuple[str, ...] = ()
    verdict: Verdict | None = None
    reason: str = ""
    milliseconds: float = 0.0
    found: Detections | None = None
    thresholds: tuple[float, ...] = ()
    defects: frozenset[int] = frozenset()
    words: str = ""
    answers: tuple[Answer, ...] = ()
    lesson: tuple[float, str] = (0.0, "")
    review: Review | None = None
    kept: bool = False

    @property
    def precious(self) -> bool:
        """Whether something would be lost with it: a look that somebody waits for, a review that is in no data set."""
        return self.state == "waiting" or (self.review is not None and not self.kept)
