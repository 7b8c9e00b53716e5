"""A COCO json of what was read, written as a stream; reading it gives the same boxes, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from data.sets.split_reading import RecordSet
from utils.values.record import EVERY_CLASS, Record

IGNORED = "ignored region"  # the category of boxes of no class in particular, to be ignored by `remap`


def write_coco(path: Path, truth: RecordSet, file_names: Sequence[str], unlabelled: bool = False) -> None:
    """Write the pictures, under `file_names`, and their truth. Pictures without a label are left out unless
    `unlabelled`, which makes them good pictures.
    """
    ids = (*truth.category_ids, max(truth.category_ids, default=0) + 1)  # the last is that of EVERY_CLASS, -1
    names = (*truth.names, *([IGNORED] if ignores(truth) else []))
    categories = [{"id": number, "name": name} for number, name in zip(ids, names, strict=False)]
    records = truth.records
    images = (
        {"id": r.image_id, "file_name": file_name, "height": r.size[0], "width": r.size[1]}
        for r, file_name in zip(records, file_names, strict=True)
        if r.labelled or unlabelled
    )
    with open(path, "w", encoding="ascii") as file:
        file.write(f'{{"categories": {json.dumps(categories)},\n"images": [')
        _write_list(file, images)
        file.write('],\n"annotations": [')
        _write_list(file, (row for r in records for row in _annotations(r, ids)))
        file.write("]}\n")


def ignores(truth: RecordSet) -> bool:
    """Whether there are ignore regions of no class in particular."""
    return any((record.labels == EVERY_CLASS).any() for record in truth.records)


def _annotations(record: Record, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The rows of a picture. In double precision, so that the fractions that are read are those that were written."""
    height, width = record.size
    boxes = record.boxes.astype(np.float64) * (width, height, width, height)
    boxes[:, 2:] -= boxes[:, :2]
    rows = zip(boxes.tolist(), record.labels.tolist(), record.crowd.tolist(), strict=True)
    for box, label, crowd in rows:
        area = box[2] * box[3]
        yield {
            "image_id": record.image_id,
            "category_id": ids[label],
            "bbox": box,
            "area": area,
            "iscrowd": int(crowd),
        }


def _write_list(file: IO[str], rows: Iterator[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        file.write(f"{',' if number else ''}\n{json.dumps(row)}")
