"""The pictures and label files of a detect.py run, written picture by picture, so that memory stays constant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from utils.annotations.labelled_picture import FOLDER, LabelledPicture
from utils.annotations.labelme_files import write_labelme
from utils.console.log import LOG
from utils.detecting.heat_files import write_heats
from utils.detecting.output_options import DetectionOutput
from utils.drawing.box_drawing import Marks, draw_marks, scaled_boxes
from utils.drawing.evidence import draw_answered
from utils.drawing.overlay_files import (
    LONGEST,
    MOST_DRAWN,
    SHRUNK,
    OverlayVideos,
    drawable,
    is_large,
    kept,
    write_picture,
)
from utils.drawing.zone_drawing import draw_zones
from utils.files.output_files import Results, make_folder, write_text
from utils.files.yolo_txt import label_text
from utils.processes.threads import Background
from utils.values.answer import Answer
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
        self.shrunk = False  # whether some picture was, which is said once

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
        if self.output.prelabels == "labelme" and (picture := LabelledPicture.of(result)) is not None:
            with self.results.writing():
                write_labelme(self.run / FOLDER, picture)
        if self.output.pictures:
            self._draw(result, frame.image, found)
        if result.heats:
            base = replace(frame, image=drawable(frame.image))
            self.background.run(write_heats, self.run, base, found, result.heats, self.output.style, self.results)
        if self.output.crops:
            self._warn_long(frame.name, result.size)
            self._crops(frame, frame.image, found)

    def after(self, call: Callable[..., None], *args: Any) -> None:
        """Do `call(*args)` once all files of the inputs so far are written."""
        self.background.run(call, *args)

    def _draw(self, result: PictureResult, image: np.ndarray, found: Detections) -> None:
        base = drawable(image)
        if base is not image and not self.shrunk:
            self.shrunk = True
            size, small = (f"{count // 1_000_000} million px" for count in (MOST_DRAWN, SHRUNK))
            LOG.info("overlays of pictures above %s are shrunk to %s", size, small)
        if not self.output.crops:  # which say the same
            self._warn_long(result.frame.name, (base.shape[0], base.shape[1]))
        marks = Marks(found.boxes.numpy(), found.labels.numpy(), found.scores.numpy(), found.masks)
        # a large picture does not wait with what is drawn: several of them would fill the memory
        frame = replace(result.frame, image=base)
        self.background.run(self._overlay, frame, image.shape[:2], marks, found.names, result.answers)

    def _warn_long(self, name: str, size: tuple[int, int]) -> None:
        if max(size) > LONGEST:
            LOG.warning("%s: what is drawn of it gets %s px to a side: a JPEG holds no more", name, f"{LONGEST:,}")

    def _overlay(
        self, frame: Frame, size: tuple[int, int], marks: Marks, names: Sequence[str], answers: Sequence[Answer]
    ) -> None:
        """`marks` and `answers` are those of a picture of `size` (height, width) px, of which `frame` may hold a
        smaller one.
        """
        image = frame.image
        assert image is not None, "only what was read is drawn on"
        if (small := (image.shape[0], image.shape[1])) != size:
            marks = marks.shrunk(size, small)
            answers = [_shrunk(answer, size, small) for answer in answers]
        if self.output.zones is not None:
            image = draw_zones(image, self.output.zones, names=not self.output.style.hide_labels)
        if answers:
            drawn = draw_answered(image, marks, names, answers, self.output.style)
        else:
            drawn = draw_marks(image, marks, names, self.output.style)
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
                crop = kept(crop) if is_large(image) else crop  # a view would keep all of the picture while it waits
                # one by one: a thousand large ones take longer than a single file may
                self.background.run(self._crop, f"crops/{slug(found.names[label])}", frame, number, crop)

    def _crop(self, folder: str, frame: Frame, number: int, crop: np.ndarray) -> None:
        with self.results.writing():
            write_picture(self._place(folder, frame, f"_{number}.jpg"), crop)

    def _place(self, folder: str, frame: Frame, suffix: str) -> Path:
        path = self.run / folder / frame.output.parent / (frame.output.name + suffix)
        make_folder(path.parent)
        return path


def _shrunk(answer: Answer, before: tuple[int, int], after: tuple[int, int]) -> Answer:
    """`answer` with its boxes as those of the same picture of another size; both (height, width) px."""
    boxes = np.array([one.box for one in answer.evidence], np.float64).reshape(-1, 4)
    moved = scaled_boxes(boxes, before, after).tolist()
    rows = zip(answer.evidence, moved, strict=True)
    return replace(answer, evidence=tuple(replace(one, box=tuple(box)) for one, box in rows))


def slug(name: str) -> str:
    """A class name as a safe folder name."""
    safe = re.sub(r"[^\w\- ]", "_", name).strip()[:80]
    return safe or "class"
