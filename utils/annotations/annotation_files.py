"""Pre-labels: what was found in the format of an annotation tool, so that a person corrects instead of drawing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Protocol

from utils.annotations.coco_file import CocoFile
from utils.annotations.cvat_file import CvatFile
from utils.annotations.label_studio_file import LabelStudioFile
from utils.annotations.labelled_picture import FOLDER, LabelledPicture, LabelRun
from utils.annotations.labelme_files import LabelmeFiles
from utils.annotations.yolo_set import YoloSet
from utils.console.log import LOG
from utils.files.output_files import Results, make_folder
from utils.values.picture_result import PictureResult
from utils.words.text import counted

FRAMES = "they are frames of videos, which have no picture files"


class LabelFormat(Protocol):
    """The files of one format, in a folder that is there."""

    def __init__(self, run: LabelRun) -> None:
        """Begin the files."""

    def add(self, picture: LabelledPicture) -> str:
        """One more picture; returns why it is left out, or ""."""

    def close(self) -> None:
        """Complete the files."""


FORMATS: dict[str, type[LabelFormat]] = {
    "yolo": YoloSet,
    "coco": CocoFile,
    "labelme": LabelmeFiles,
    "cvat": CvatFile,
    "labelstudio": LabelStudioFile,
}


class PreLabels:
    """The pre-labels of a run, in one of FORMATS, below its folder; `close` completes them and says what they lack."""

    def __init__(self, run: Path, kind: str, names: tuple[str, ...], model: str, results: Results) -> None:
        self.kind, self.folder, self.results = kind, run / FOLDER, results
        self.left_out: Counter[str] = Counter()
        self.inputs = 0
        self.seen: set[str] = set()  # names, which are in memory with the inputs: a list may name a picture twice
        self.files: LabelFormat | None = None
        with results.writing():
            make_folder(self.folder)
            self.files = FORMATS[kind](LabelRun(self.folder, names, model, results, self.left_out))

    def add(self, result: PictureResult) -> None:
        """One input; those that could not be read are left to summary.csv."""
        self.inputs += 1
        if result.frame.clip is not None and result.detections is not None:
            self.left_out[FRAMES] += 1
        picture = LabelledPicture.of(result, self.inputs)
        if self.files is None or picture is None or picture.name in self.seen:
            return
        self.seen.add(picture.name)
        if reason := self.files.add(picture):
            self.left_out[reason] += 1

    def close(self) -> None:
        """Complete the files."""
        if self.files is not None:
            self.files.close()
        for reason, count in self.left_out.items():
            LOG.warning("--save-labels %s: %s left out: %s", self.kind, counted(count, "picture"), reason)
        LOG.info("pre-labels (%s) are in %s", self.kind, self.folder)
