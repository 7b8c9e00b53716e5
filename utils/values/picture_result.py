"""What a look at one picture gave: the record from which tables, files and pages are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.heat import Heat
from utils.values.score_thresholds import ScoreThresholds
from utils.values.verdict import Verdict, verdict_of


@dataclass(frozen=True, eq=False)
class PictureResult:
    """One input of detect.py after the look at it.

    `detections`: what counts as a defect by `thresholds`, in pixels of the picture; None: it could not be read, and
    `frame` says why. `answers` to what is asked of every picture. `size` (height, width) px, (0, 0) if unknown;
    `mm_per_px` the side of a pixel where it is known; `milliseconds`: network and NMS, as long as a picture takes in
    its batch; `tiles`: the parts of it that were looked at; `heats`: why the first detections are there.
    """

    frame: Frame
    detections: Detections | None
    thresholds: ScoreThresholds
    answers: tuple[Answer, ...] = ()
    size: tuple[int, int] = (0, 0)
    mm_per_px: float | None = None
    milliseconds: float = 0.0
    tiles: int = 1
    heats: tuple[Heat, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Whether the part is good, as far as its picture tells."""
        return verdict_of(None if self.detections is None else len(self.detections))

    def defects(self) -> Counter[str]:
        """How many defects of each class there are; the class of the surest one comes first."""
        found = self.detections
        return Counter() if found is None else Counter(found.names[label] for label in found.labels.tolist())

    def words(self) -> str:
        """`scratch 2; oil 1`, or why it could not be read."""
        if self.detections is None:
            return self.frame.reason
        return "; ".join(f"{name} {count}" for name, count in self.defects().items())

    def without_picture(self) -> PictureResult:
        """The same without the pixels, which are most of it."""
        return replace(self, frame=replace(self.frame, image=None), heats=())
