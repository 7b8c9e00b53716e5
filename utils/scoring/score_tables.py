"""per_class.csv and per_image.csv: an evaluation as tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from utils.files.output_files import Extra, write_text
from utils.scoring.evaluation import Evaluation
from utils.scoring.matching import Matching
from utils.values.record import Record
from utils.words.text import spreadsheet_cell

PER_CLASS = ("class", "images", "boxes", "precision", "recall", "AP50", "AP")
PER_IMAGE = (
    *("file", "width", "height", "truth", "detections", "TP", "FP", "FN", "max_confidence"),
    *("worst_miss", "worst_miss_width", "worst_miss_height"),
)


def write_tables(folder: Path, evaluation: Evaluation) -> None:
    """Write both tables. Undefined values stay blank; pictures are judged at IoU 0.5 and `evaluation.confidence`."""
    classes = (_class_row(*vars(row).values()) for row in evaluation.report.classes)
    files = evaluation.files, evaluation.records
    pictures = image_rows(*files, evaluation.names, evaluation.matching, evaluation.confidence)
    _write(folder / "per_class.csv", PER_CLASS, classes)
    _write(folder / "per_image.csv", PER_IMAGE, pictures)


def _class_row(name: str, *numbers: float | None) -> dict[str, Any]:
    return dict(zip(PER_CLASS, (name, *numbers), strict=True))


def image_rows(
    files: Sequence[str], records: Sequence[Record], names: Sequence[str], matching: Matching, confidence: float
) -> Iterator[dict[str, Any]]:
    """The rows of per_image.csv, one per picture; `files`: what each is called.

    Detections below `confidence`, and those that lie in a region to ignore, are not counted; `max_confidence` is that
    of all. The worst miss is the truth box of the largest area (px of the original picture) that nothing finds.
    """
    pairs, count = matching.pairs, len(records)
    picture, high = pairs.detections.picture, pairs.scores >= confidence
    hits = np.bincount(picture[matching.hit & high], minlength=count)
    alarms = np.bincount(picture[matching.false & high], minlength=count)
    truth = np.bincount(pairs.truth.picture, minlength=count)
    best = np.full(count, np.nan)
    # fmax passes over the NaN it starts from; a picture without detections keeps it and gets a blank cell
    np.fmax.at(best, picture, pairs.scores)
    worst = _worst_misses(matching, confidence)
    for index, (file, record) in enumerate(zip(files, records, strict=True)):
        row: dict[str, Any] = {
            "file": file,
            "width": record.size[1],
            "height": record.size[0],
            "truth": int(truth[index]),
            "detections": int(hits[index] + alarms[index]),
            "TP": int(hits[index]),
            "FP": int(alarms[index]),
            "FN": int(truth[index] - hits[index]),
            "max_confidence": None if np.isnan(best[index]) else float(best[index]),
        }
        if index in worst:
            x1, y1, x2, y2 = pairs.truth.xyxy[worst[index]].tolist()
            row["worst_miss"] = names[pairs.truth.labels[worst[index]]]
            row["worst_miss_width"], row["worst_miss_height"] = x2 - x1, y2 - y1
        yield row


def _worst_misses(matching: Matching, confidence: float) -> dict[int, int]:
    """For each picture with a truth box that is missed, the largest such box."""
    truth = matching.pairs.truth
    missed = np.flatnonzero(matching.found_at() < confidence)
    ascending = missed[np.argsort(truth.areas()[missed], kind="stable")]
    return dict(zip(truth.picture[ascending].tolist(), ascending.tolist(), strict=True))  # the last one stays


def _write(path: Path, columns: Sequence[str], rows: Iterator[Mapping[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    with Extra(path):
        write_text(path, text.getvalue())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else spreadsheet_cell(str(value))
