"""The pictures and label files of a detect.py run, written picture by picture, so that memory stays constant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

from utils.console.log import LOG
from utils.detecting.output_options import DetectionOutput
from utils.drawing.box_drawing import Marks, draw_marks
from utils.drawing.evidence import draw_answered
from utils.drawing.overlay_files import LONGEST, OverlayVideos, write_picture
from utils.files.output_files import Results, make_folder, write_text
from utils.files.yolo_txt import label_text
from utils.processes.threads import Background
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult

WAITING = 4  # pictures drawn and encoded while the network is at work on the next ones


class FoundFiles:
    """Overlays, crops and label files in the run folder; `open` finishes them, `results` hears of what is missing."""

    def __init__(
        self, run: Path, output: DetectionOutput, videos: OverlayVideos, background: Background, results: Results
    ) -> None:
        self.run, self.output, self.videos, self.background, self.results = run, output, videos, background, results

    @classmethod
    @contextmanager
    def open(cls, run: Path, output: DetectionOutput, results: Results) -> Iterator[Self]:
        """The files below the folder `run` that `output` asks for, complete after the block."""
        videos = OverlayVideos(run)
        try:
            with Background(WAITING) as background:
                yield cls(run, output, videos, background, results)
        finally:  # last: pictures may still wait in the background to be drawn
            with results.writing():
                videos.close()

    def add(self, result: PictureResult) -> None:
        """The files of one input; none of what could not be read."""
        frame, found = result.frame, result.detections
        if found is None or frame.image is None:
            return
        if self.output.labels:
            with self.results.writing():
                write_text(self._place("labels", frame, ".txt"), label_text(found, result.size, self.output.scores))
        if max(result.size) > LONGEST and (self.output.pictures or self.output.crops):
            LOG.warning(
                "%s: what is drawn of it gets %s px to a side: a JPEG holds no more", frame.name, f"{LONGEST:,}"
            )
        if self.output.pictures:
            self.background.run(self._overlay, result, frame.image, found)
        if self.output.crops:
            self._crops(frame, frame.image, found)

    def _overlay(self, result: PictureResult, image: np.ndarray, found: Detections) -> None:
        frame = result.frame
        marks = Marks(found.boxes.numpy(), found.labels.numpy(), found.scores.numpy(), found.masks)
        if result.answers:
            drawn = draw_answered(image, marks, found.names, result.answers, self.output.style)
        else:
            drawn = draw_marks(image, marks, found.names, self.output.style)
        with self.results.writing():
            if frame.clip is not None:
                self.videos.add(frame.clip, drawn)
            else:
                write_picture(self._place("", frame, ".jpg"), drawn)

    def _crops(self, frame: Frame, image: np.ndarray, found: Detections) -> None:
        boxes = found.boxes.numpy()
        low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
        for number, (label, (x1, y1), (x2, y2)) in enumerate(zip(found.labels.tolist(), low, high, strict=True)):
            crop = image[y1:y2, x1:x2]
            if crop.size:  # a box without area would be a picture that cannot be encoded
                # one by one: a thousand large ones take longer than a single file may
                self.background.run(self._crop, f"crops/{slug(found.names[label])}", frame, number, crop)

    def _crop(self, folder: str, frame: Frame, number: int, crop: np.ndarray) -> None:
        with self.results.writing():
            write_picture(self._place(folder, frame, f"_{number}.jpg"), crop)

    def _place(self, folder: str, frame: Frame, suffix: str) -> Path:
        path = self.run / folder / frame.output.parent / (frame.output.name + suffix)
        make_folder(path.parent)
        return path


def slug(name: str) -> str:
    """A class name as a safe folder name."""
    safe = re.sub(r"[^\w\- ]", "_", name).strip()[:80]
    return safe or "class"
