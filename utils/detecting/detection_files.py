"""The pictures and label files of a detect.py run, written picture by picture, so that memory stays constant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from utils.config.flags import DetectFlags
from utils.drawing.marks import BoxStyle, Marks, draw_marks
from utils.drawing.overlays import OverlayVideos, write_picture
from utils.files.opened_together import OpenedTogether
from utils.files.runs import write_text
from utils.files.yolo_txt import label_text
from utils.processes.threads import Background
from utils.values.detections import Detections
from utils.values.frame import Frame

WAITING = 4  # pictures drawn and encoded while the network is at work on the next ones


class FoundFiles(OpenedTogether):
    """Overlays, crops and label files in the run folder; a context manager that finishes them."""

    def __init__(self, run: Path, names: Sequence[str], flags: DetectFlags) -> None:
        self.run, self.names, self.flags = run, names, flags
        self.style = BoxStyle(
            line_width=flags.line_thickness or None, hide_labels=flags.hide_labels, hide_scores=flags.hide_conf
        )

    def _open(self, stack: ExitStack) -> None:
        self.videos = OverlayVideos(self.run)
        stack.callback(self.videos.close)
        self.background = stack.enter_context(Background(WAITING))

    def add(self, frame: Frame, found: Detections | None) -> None:
        """The files that were asked for; none of what could not be read."""
        if found is None or frame.image is None:
            return
        if self.flags.save_txt:
            text = label_text(found, (frame.image.shape[0], frame.image.shape[1]), self.flags.save_conf)
            write_text(self._place("labels", frame, ".txt"), text)
        if not self.flags.nosave:
            self.background.run(self._overlay, frame, frame.image, found)
        if self.flags.save_crop:
            self.background.run(self._crops, frame, frame.image, found)

    def _overlay(self, frame: Frame, image: np.ndarray, found: Detections) -> None:
        marks = Marks(found.boxes.numpy(), found.labels.numpy(), found.scores.numpy(), found.masks)
        drawn = draw_marks(image, marks, self.names, self.style)
        if frame.clip is not None:
            self.videos.add(frame.clip, drawn)
        else:
            write_picture(self._place("", frame, ".jpg"), drawn)

    def _crops(self, frame: Frame, image: np.ndarray, found: Detections) -> None:
        boxes = found.boxes.numpy()
        low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
        for number, (label, (x1, y1), (x2, y2)) in enumerate(zip(found.labels.tolist(), low, high, strict=True)):
            crop = image[y1:y2, x1:x2]
            if crop.size:
                folder = f"crops/{slug(self.names[label])}"
                write_picture(self._place(folder, frame, f"_{number}.jpg"), crop)

    def _place(self, folder: str, frame: Frame, suffix: str) -> Path:
        path = self.run / folder / frame.output.parent / (frame.output.name + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def slug(name: str) -> str:
    """A class name as a safe folder name."""
    safe = re.sub(r"[^\w\- ]", "_", name).strip()[:80]
    return safe or "class"
