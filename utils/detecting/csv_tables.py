"""The tables of a detect.py run, written row by row, so that memory stays constant."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Self, TextIO

from utils.detecting.json_rows import JsonRows
from utils.detecting.output_options import DetectionOutput
from utils.scoring.coco import result_rows
from utils.values.detections import Detections
from utils.values.picture_result import PictureResult
from utils.values.verdict import Verdict
from utils.words.text import spreadsheet_cell

SUMMARY = ("image", "verdict", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")
TABLE = ("image", "class", "confidence", "x1", "y1", "x2", "y2")
STATUS = {Verdict.OK: "nothing found", Verdict.NG: "defects", Verdict.UNREADABLE: "unreadable"}


class FoundTables:
    """summary.csv, predictions.csv and predictions.json in the run folder, the last two where they are asked for."""

    def __init__(self, summary: TextIO, table: TextIO | None, json: JsonRows | None) -> None:
        self.summary, self.json = csv.writer(summary), json
        self.summary.writerow(SUMMARY)
        self.table = csv.writer(table) if table is not None else None
        if self.table is not None:
            self.table.writerow(TABLE)
        self.inputs = 0

    @classmethod
    @contextmanager
    def open(cls, run: Path, output: DetectionOutput) -> Iterator[Self]:
        """The tables below the folder `run`, complete after the block."""
        with ExitStack() as stack:
            summary = stack.enter_context(_open_table(run / "summary.csv"))
            table = stack.enter_context(_open_table(run / "predictions.csv")) if output.table else None
            json = stack.enter_context(closing(JsonRows(run / "predictions.json"))) if output.json else None
            yield cls(summary, table, json)

    def add(self, result: PictureResult) -> None:
        """The rows of one input."""
        frame, found = result.frame, result.detections
        name, reason = spreadsheet_cell(frame.name), spreadsheet_cell(frame.reason)
        self.inputs += 1  # unreadable ones too: the image id of predictions.json is the row of summary.csv
        row = [name, result.verdict, STATUS[result.verdict]]
        if found is None:
            self.summary.writerow([*row, "", "", "", "", reason])
            return
        best = f"{found.scores[0]:.4f}" if len(found) else ""
        classes, milliseconds = spreadsheet_cell(result.words()), f"{result.milliseconds:.1f}"
        self.summary.writerow([*row, len(found), classes, best, milliseconds, reason])
        if self.table is not None:
            self.table.writerows(_table_rows(name, found))
        if self.json is not None:
            self._add_json(self.json, frame.name, found)

    def _add_json(self, rows: JsonRows, name: str, found: Detections) -> None:
        """COCO's results, which name pictures and classes by number only, plus file_name and category."""
        ids = range(1, len(found.names) + 1)
        for row in result_rows(found, self.inputs, ids):
            rows.add({**row, "file_name": name, "category": found.names[row["category_id"] - 1]})


def _table_rows(name: str, found: Detections) -> list[list[Any]]:
    """Rows of predictions.csv; boxes in px of the picture."""
    lists = zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
    return [
        [name, spreadsheet_cell(found.names[label]), f"{score:.6f}", *(f"{v:.3f}" for v in box)]
        for box, score, label in lists
    ]


def _open_table(path: Path) -> TextIO:
    # backslashreplace: a file name need not be valid UTF-8
    return path.open("w", newline="", encoding="utf-8", errors="backslashreplace")
