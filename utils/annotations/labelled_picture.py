"""A picture with what was found in it, as annotation tools want it; and what the files of all formats need to know."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from utils.files.output_files import Results
from utils.values.detections import Detections
from utils.values.picture_result import PictureResult

FOLDER = "prelabels"  # in the run folder
LEAST_SIDE = 0.01  # px: a thinner box is none once its numbers are rounded, and nobody can correct it


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """`number` is its row in summary.csv, `name` what tables call it, `path` the file, absolute; `output` the relative
    path, without suffix, of its results; `size` (height, width) px; the boxes of `found` are px of the picture.
    """

    number: int
    name: str
    path: Path
    output: Path
    size: tuple[int, int]
    found: Detections

    @classmethod
    def of(cls, result: PictureResult, number: int = 0) -> LabelledPicture | None:
        """The picture of a result, without boxes that have no area; None where it has no file or was not read."""
        frame, found = result.frame, result.detections
        if found is None or frame.path is None:
            return None
        sides = found.boxes[:, 2:] - found.boxes[:, :2]
        thick = (sides >= LEAST_SIDE).all(1)
        found = found if bool(thick.all()) else found.keep(thick)
        return cls(number, frame.name, Path(os.path.abspath(frame.path)), frame.output, result.size, found)

    @property
    def root(self) -> Path:
        """The folder in which `name` names the picture."""
        parts = PurePosixPath(self.name).parts
        return Path(*self.path.parts[: -len(parts)]) if self.path.parts[-len(parts) :] == parts else self.path.parent

    def boxes(self) -> list[tuple[str, float, list[float]]]:
        """Class name, score and box, xyxy px to three digits, of everything that was found."""
        found = self.found
        corners = found.boxes.double().numpy().round(3).tolist()
        rows = zip(found.labels.tolist(), found.scores.double().tolist(), corners, strict=True)
        return [(found.names[label], round(score, 6), box) for label, score, box in rows]


@dataclass(frozen=True, eq=False)
class LabelRun:
    """Where pre-labels go: the `folder`, the `names` of the classes by label, what found them (`model`), who hears of
    files that cannot be written, and how many pictures are `left_out`, by reason.
    """

    folder: Path
    names: tuple[str, ...]
    model: str
    results: Results
    left_out: Counter[str]
