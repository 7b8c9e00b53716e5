"""The tables of a detect.py run, on the disk row by row: memory stays constant, a kill loses one picture at most."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TextIO

from utils.annotations.annotation_files import PreLabels
from utils.detecting import answer_rows
from utils.detecting.json_rows import JsonRows
from utils.detecting.output_options import DetectionOutput
from utils.files.output_files import Results, open_rows, refused
from utils.scoring.coco import result_rows
from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.picture_result import PictureResult
from utils.values.verdict import Verdict
from utils.words.text import spreadsheet_cell

SUMMARY = ("image", "verdict", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")
TABLE = ("image", "class", "confidence", "x1", "y1", "x2", "y2")
STATUS = {Verdict.OK: "nothing found", Verdict.NG: "defects", Verdict.UNREADABLE: "unreadable"}


class CsvTable:
    """A CSV file whose rows reach the system at once; after one that does not it stays as it is."""

    def __init__(self, path: Path, columns: Sequence[str], results: Results) -> None:
        self.path, self.results = path, results
        self.file: TextIO | None = None
        with results.writing():
            self.file = open_rows(path)
        self.add([columns])

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows."""
        if self.file is None or not rows:
            return
        with self.results.writing():
            try:
                csv.writer(self.file).writerows(rows)
                self.file.flush()
            except OSError as error:
                self.close()
                raise refused(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # of rows that have been reported
            if self.file is not None:
                self.file.close()
        self.file = None


class AnswerTables:
    """answers.csv and answers.json."""

    def __init__(self, run: Path, results: Results) -> None:
        self.table = CsvTable(run / "answers.csv", answer_rows.COLUMNS, results)
        self.json = JsonRows(run / "answers.json", results)

    def add(self, name: str, answers: Sequence[Answer]) -> None:
        """The rows of one input."""
        self.table.add([answer_rows.csv_row(name, one) for one in answers])
        for one in answers:
            self.json.add(answer_rows.json_row(name, one))

    def close(self) -> None:
        """Close the table and end the list."""
        self.table.close()
        self.json.close()


class FoundTables:
    """summary.csv, predictions.csv and predictions.json in the run folder, answers.csv and answers.json, and
    pre-labels; all but the first where they are asked for.
    """

    def __init__(
        self,
        summary: CsvTable,
        table: CsvTable | None,
        json: JsonRows | None,
        answers: AnswerTables | None,
        tiles: bool = False,
        labels: PreLabels | None = None,
    ) -> None:
        self.summary, self.table, self.json, self.answers, self.tiles = summary, table, json, answers, tiles
        self.inputs, self.labels = 0, labels

    @classmethod
    @contextmanager
    def open(cls, run: Path, output: DetectionOutput, results: Results, names: tuple[str, ...] = ()) -> Iterator[Self]:
        """The tables below the folder `run`, complete after the block; `results` hears of those that are not. `names`:
        the classes that pre-labels may have.
        """
        with ExitStack() as stack:
            columns = (*SUMMARY, "tiles") if output.tiles else SUMMARY
            summary = stack.enter_context(closing(CsvTable(run / "summary.csv", columns, results)))
            table = json = answers = labels = None
            if output.table:
                table = stack.enter_context(closing(CsvTable(run / "predictions.csv", TABLE, results)))
            if output.json:
                json = stack.enter_context(closing(JsonRows(run / "predictions.json", results)))
            if output.questions:
                answers = stack.enter_context(closing(AnswerTables(run, results)))
            if output.prelabels:
                about = PreLabels(run, output.prelabels, names, output.model, results)
                labels = stack.enter_context(closing(about))
            yield cls(summary, table, json, answers, output.tiles, labels)

    def add(self, result: PictureResult) -> None:
        """The rows of one input."""
        frame, found = result.frame, result.detections
        if self.labels is not None:
            self.labels.add(result)
        if self.answers is not None:
            self.answers.add(frame.name, result.answers)
        self.inputs += 1  # unreadable ones too: the image id of predictions.json is the row of summary.csv
        tiles = [result.tiles if found is not None else ""] if self.tiles else []
        self.summary.add([[*summary_cells(result), *tiles]])
        if found is not None and self.table is not None:
            self.table.add(_table_rows(spreadsheet_cell(frame.name), found))
        if found is not None and self.json is not None:
            self._add_json(self.json, frame.name, found)

    def _add_json(self, rows: JsonRows, name: str, found: Detections) -> None:
        """COCO's results, which name pictures and classes by number only, plus file_name and category."""
        ids = range(1, len(found.names) + 1)
        for row in result_rows(found, self.inputs, ids):
            rows.add({**row, "file_name": name, "category": found.names[row["category_id"] - 1]})


def summary_cells(result: PictureResult) -> list[str | int]:
    """A row of summary.csv, without its tiles."""
    name, reason = spreadsheet_cell(result.frame.name), spreadsheet_cell(result.frame.reason)
    found, about = result.detections, (name, str(result.verdict), STATUS[result.verdict])
    if found is None:
        return [*about, "", "", "", "", reason]
    best = f"{found.scores[0]:.4f}" if len(found) else ""
    return [*about, len(found), spreadsheet_cell(result.words()), best, f"{result.milliseconds:.1f}", reason]


def _table_rows(name: str, found: Detections) -> list[list[Any]]:
    """Rows of predictions.csv; boxes in px of the picture."""
    lists = zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
    return [
        [name, spreadsheet_cell(found.names[label]), f"{score:.6f}", *(f"{v:.3f}" for v in box)]
        for box, score, label in lists
    ]
