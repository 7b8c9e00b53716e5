"""detect.py --thresholds: which detections count, one threshold per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from utils.config.flags import DetectFlags
from utils.inspection.threshold_file import DetectionSettings, read_making, read_thresholds
from utils.values.detections import Detections
from utils.words.errors import ConfigError

DIGITS = 6  # of a score in predictions.json, which the thresholds were chosen on


@dataclass(frozen=True)
class Limits:
    """The threshold of each class (K,), and how the detections were made that they were chosen on."""

    thresholds: tuple[float, ...]
    made: DetectionSettings

    @property
    def lowest(self) -> float:
        """The confidence from which detections are to be gathered: a hair below the least threshold."""
        return min(max(min(self.thresholds) - 2 * 10**-DIGITS, 0.0), 1.0)

    def passing(self, found: Detections) -> Detections:
        """What counts: scores, rounded as they are written, of at least the threshold of their class."""
        limits = torch.tensor(self.thresholds, dtype=torch.float64)
        scores = torch.tensor([round(score, DIGITS) for score in found.scores.tolist()], dtype=torch.float64)
        return found.keep(scores >= limits[found.labels])

    def notices(self, flags: DetectFlags, imgsz: int) -> list[str]:
        """Where the flags depart from how the thresholds were chosen."""
        pairs = {
            "--iou": (flags.iou_thres, self.made.iou),
            "--max-det": (flags.max_det, self.made.max_det),
            "--imgsz": (flags.imgsz, self.made.imgsz),
        }
        other = [f"{option} {a}, not {b}" for option, (a, b) in pairs.items() if a is not None and a != b]
        other += ["--agnostic-nms"] if flags.agnostic_nms else []
        lines = []
        if not flags.imgsz and self.made.imgsz not in (None, imgsz):
            lines.append(f"{flags.thresholds}: chosen at --imgsz {self.made.imgsz}, which is used")
        if other:
            lines.append(f"{flags.thresholds}: chosen with other settings ({', '.join(other)}); its rates do not hold")
        return lines


def read_limits(flags: DetectFlags, names: Sequence[str]) -> Limits | None:
    """The limits that --thresholds names; None without. Raises ConfigError."""
    if not flags.thresholds:
        return None
    if flags.conf_thres is not None:
        raise ConfigError("--conf and --thresholds: the file has a confidence for each class; leave one out")
    return Limits(read_thresholds(flags.thresholds, names), read_making(flags.thresholds))
