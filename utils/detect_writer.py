"""The files of a detect.py run, written picture by picture, so that memory stays constant."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np

from utils.coco import result_rows
from utils.draw import BoxStyle, Marks, draw_marks
from utils.errors import printable
from utils.flags import DetectFlags
from utils.json_rows import JsonRows
from utils.log import LOG
from utils.overlays import OverlayVideos, write_picture
from utils.runs import write_text
from utils.structures import Detections, Frame
from utils.text import spreadsheet_cell
from utils.threads import Background
from utils.yolo_txt import label_text

SUMMARY = ("image", "verdict", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")
TABLE = ("image", "class", "confidence", "x1", "y1", "x2", "y2")
REASONS_KEPT = 20
WAITING = 4  # pictures drawn and encoded while the network is at work on the next ones


class Writer:
    """Writes what was found into the run folder; a context manager that finishes the files.

    `counts` holds the defects per class, `looked` how many inputs were looked at, `bad` on how many of these something
    was found (NG), `unreadable` how many were not looked at, `reasons` the first of the reasons.
    """

    def __init__(self, run: Path, names: Sequence[str], flags: DetectFlags) -> None:
        self.run, self.names, self.flags = run, names, flags
        self.style = BoxStyle(
            line_width=flags.line_thickness or None, hide_labels=flags.hide_labels, hide_scores=flags.hide_conf
        )
        self.counts: Counter[str] = Counter()
        self.looked, self.bad, self.unreadable = 0, 0, 0
        self.says_verdicts = bool(flags.thresholds) or flags.fail_on_defect
        self.reasons: list[str] = []

    def __enter__(self) -> Writer:
        with ExitStack() as stack:
            self.summary = csv.writer(stack.enter_context(_open_table(self.run / "summary.csv")))
            self.summary.writerow(SUMMARY)
            self.table, self.json = None, None
            if self.flags.save_csv:
                self.table = csv.writer(stack.enter_context(_open_table(self.run / "predictions.csv")))
                self.table.writerow(TABLE)
            if self.flags.save_json:
                self.json = JsonRows(self.run / "predictions.json")
                stack.callback(self.json.close)
            self.videos = OverlayVideos(self.run)
            stack.callback(self.videos.close)
            self.background = stack.enter_context(Background(WAITING))
            self.stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.__exit__(kind, error, trace)

    def add(self, frame: Frame, found: Detections | None, milliseconds: float) -> None:
        """One input: its row, and the files that were asked for. `found` is None when it could not be read."""
        name = spreadsheet_cell(frame.name)
        if found is None or frame.image is None:
            self.unreadable += 1
            self.reasons += [frame.reason] if len(self.reasons) < REASONS_KEPT else []
            self._say("UNREADABLE", frame.name, frame.reason)
            self.summary.writerow([name, "UNREADABLE", "unreadable", "", "", "", "", spreadsheet_cell(frame.reason)])
            return
        self.looked += 1
        counts = Counter(self.names[label] for label in found.labels.tolist())
        self.counts.update(counts)
        words = spreadsheet_cell("; ".join(f"{word} {n}" for word, n in counts.items()))
        best = f"{found.scores[0]:.4f}" if len(found) else ""
        status, verdict = ("defects", "NG") if len(found) else ("nothing found", "OK")
        self.bad += verdict == "NG"
        self._say(verdict, frame.name, "; ".join(f"{word} {n}" for word, n in counts.items()))
        self.summary.writerow([name, verdict, status, len(found), words, best, f"{milliseconds:.1f}", ""])
        if self.table is not None:
            self.table.writerows(self._rows(name, found))
        if self.flags.save_txt:
            text = label_text(found, (frame.image.shape[0], frame.image.shape[1]), self.flags.save_conf)
            write_text(self._place("labels", frame, ".txt"), text)
        if self.json is not None:
            self._add_json(self.json, frame.name, found)
        if not self.flags.nosave:
            self.background.run(self._overlay, frame, frame.image, found)
        if self.flags.save_crop:
            self.background.run(self._crops, frame, frame.image, found)

    def _say(self, verdict: str, name: str, why: str) -> None:
        if self.says_verdicts:
            LOG.info("%s  %s%s", verdict, printable(name), f": {printable(why)}" if why else "")

    def _rows(self, name: str, found: Detections) -> list[list[Any]]:
        """Rows of predictions.csv; boxes in px of the picture."""
        lists = zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
        return [
            [name, spreadsheet_cell(self.names[label]), f"{score:.6f}", *(f"{v:.3f}" for v in box)]
            for box, score, label in lists
        ]

    def _add_json(self, rows: JsonRows, name: str, found: Detections) -> None:
        """COCO's results with what tells picture and class apart from their numbers: file_name and category."""
        ids = range(1, len(self.names) + 1)
        for row in result_rows(found, self.looked + self.unreadable, ids):
            rows.add({**row, "file_name": name, "category": self.names[row["category_id"] - 1]})

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


def _open_table(path: Path) -> TextIO:
    return path.open("w", newline="", encoding="utf-8", errors="backslashreplace")


def slug(name: str) -> str:
    """A class name as a safe folder name."""
    safe = re.sub(r"[^\w\- ]", "_", name).strip()[:80]
    return safe or "class"
