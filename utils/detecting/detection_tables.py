"""The tables of a detect.py run, written row by row, so that memory stays constant."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from utils.config.flags import DetectFlags
from utils.console.log import LOG
from utils.detecting.json_rows import JsonRows
from utils.files.opened_together import OpenedTogether
from utils.scoring.coco import result_rows
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.words.errors import printable
from utils.words.text import spreadsheet_cell

SUMMARY = ("image", "verdict", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")
TABLE = ("image", "class", "confidence", "x1", "y1", "x2", "y2")
REASONS_KEPT = 20


class FoundTables(OpenedTogether):
    """summary.csv, predictions.csv and predictions.json in the run folder; a context manager that finishes them.

    `counts` holds the defects per class, `looked` how many inputs were looked at, `bad` on how many of these something
    was found (NG), `unreadable` how many were not looked at, `reasons` the first of the reasons; `incomplete` how many
    were looked at although something is missing, `lack` what the first of them lacks.
    """

    def __init__(self, run: Path, names: Sequence[str], flags: DetectFlags) -> None:
        self.run, self.names, self.flags = run, names, flags
        self.counts: Counter[str] = Counter()
        self.looked, self.bad, self.unreadable, self.incomplete, self.lack = 0, 0, 0, 0, ""
        self.says_verdicts = bool(flags.thresholds) or flags.fail_on_defect
        self.reasons: list[str] = []

    def _open(self, stack: ExitStack) -> None:
        self.summary = csv.writer(stack.enter_context(_open_table(self.run / "summary.csv")))
        self.summary.writerow(SUMMARY)
        self.table, self.json = None, None
        if self.flags.save_csv:
            self.table = csv.writer(stack.enter_context(_open_table(self.run / "predictions.csv")))
            self.table.writerow(TABLE)
        if self.flags.save_json:
            self.json = JsonRows(self.run / "predictions.json")
            stack.callback(self.json.close)

    def add(self, frame: Frame, found: Detections | None, milliseconds: float) -> None:
        """One input: its row. `found` is None when it could not be read."""
        name = spreadsheet_cell(frame.name)
        if found is None:
            self.unreadable += 1
            self.reasons += [frame.reason] if len(self.reasons) < REASONS_KEPT else []
            self._say("UNREADABLE", frame.name, frame.reason)
            self.summary.writerow([name, "UNREADABLE", "unreadable", "", "", "", "", spreadsheet_cell(frame.reason)])
            return
        self.looked += 1
        self.incomplete += bool(frame.reason)
        self.lack = self.lack or frame.reason
        counts = Counter(self.names[label] for label in found.labels.tolist())
        self.counts.update(counts)
        words = spreadsheet_cell("; ".join(f"{word} {n}" for word, n in counts.items()))
        best = f"{found.scores[0]:.4f}" if len(found) else ""
        status, verdict = ("defects", "NG") if len(found) else ("nothing found", "OK")
        self.bad += verdict == "NG"
        self._say(verdict, frame.name, "; ".join(f"{word} {n}" for word, n in counts.items()))
        reason = spreadsheet_cell(frame.reason)
        self.summary.writerow([name, verdict, status, len(found), words, best, f"{milliseconds:.1f}", reason])
        if self.table is not None:
            self.table.writerows(self._rows(name, found))
        if self.json is not None:
            self._add_json(self.json, frame.name, found)

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


def _open_table(path: Path) -> TextIO:
    return path.open("w", newline="", encoding="utf-8", errors="backslashreplace")
