"""Detections as YOLO label files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from utils.files.output_files import Results, make_folder, write_text
from utils.files.output_paths import output_places, relative_paths
from utils.values.detections import Detections
from utils.values.record import Record


def label_text(found: Detections, size: tuple[int, int], confidence: bool) -> str:
    """One `class xc yc w h [confidence]` per line, fractions of a picture of `size` (height, width) px.

    Empty text means: looked at, nothing found.
    """
    height, width = size
    lines = []
    for (x1, y1, x2, y2), score, label in zip(
        found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
    ):
        values = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
        values += [score] if confidence else []
        lines.append(" ".join([str(label), *(f"{v:.6f}" for v in values)]) + "\n")
    return "".join(lines)


def write_label_files(
    folder: Path, records: Sequence[Record], detections: Mapping[int, Detections], confidence: bool, results: Results
) -> None:
    """A file for each picture, named like the picture, of what was found in it; `detections` by index of the record."""
    places = output_places(relative_paths([record.path for record in records]))
    for index, (record, place) in enumerate(zip(records, places, strict=True)):
        path = folder / place.with_name(f"{place.name}.txt")
        with results.writing():
            make_folder(path.parent)
            write_text(path, label_text(detections[index], record.size, confidence))
