"""What was found as COCO json, with masks where there are some."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from utils.annotations.labelled_picture import LabelledPicture, LabelRun
from utils.annotations.picture_lists import PictureLists, listable
from utils.files.growing_file import GrowingFile
from utils.scoring.coco import classes_json, result_rows


class CocoFile:
    """annotations.json, and a data.yaml that reads it; the id of a picture is its row in summary.csv, as in
    predictions.json. Pictures are written to a file beside it first, as COCO lists them apart from annotations.
    """

    def __init__(self, run: LabelRun) -> None:
        self.run, self.lists = run, PictureLists(run)
        self.path = run.folder / "annotations.json"
        self.annotations = GrowingFile(self.path, run.results)
        self.images = GrowingFile(run.folder / "images.part", run.results)
        self.ids = range(1, len(run.names) + 1)
        self.count = self.pictures = 0
        about = json.dumps({"description": f"found by {run.model}"}, ensure_ascii=False)
        classes = _rows(classes_json(run.names, self.ids))
        self.annotations.write(f'{{"info": {about},\n"categories": [{classes}],\n"annotations": [')

    def add(self, picture: LabelledPicture) -> str:
        """The rows of one picture; no picture is left out."""
        height, width = picture.size
        image = {"id": picture.number, "file_name": picture.name, "height": height, "width": width}
        self.images.write(_next(self.pictures, image))
        self.pictures += 1
        for row in result_rows(picture.found, picture.number, self.ids):
            x, y, w, h = row["bbox"]
            self.count += 1
            more = {"id": self.count, **row, "area": round(w * h, 3), "iscrowd": 0}
            self.annotations.write(_next(self.count - 1, {**more, "segmentation": row.get("segmentation", [])}))
        if listable(picture.name):  # the json names the others, too
            self.lists.add(picture)
        return ""

    def close(self) -> None:
        """End the file and write data.yaml."""
        self.annotations.write('\n],\n"images": [')
        self.annotations.take(self.images)
        self.annotations.close("\n]}\n")
        with self.run.results.writing():
            if self.lists.distinct:
                self.lists.write({"annotations": dict.fromkeys(("train", "val"), os.path.abspath(self.path))})
            else:  # an entry of a json that says nothing but a.png would match each a.png of a list
                self.lists.write_without(self.path)


def _next(before: int, row: Mapping[str, Any]) -> str:
    # a file name that is no UTF-8 comes out as \\udcXX, which is JSON
    return (",\n " if before else "\n ") + json.dumps(row, ensure_ascii=False, allow_nan=False)


def _rows(rows: list[dict[str, Any]]) -> str:
    return ", ".join(json.dumps(row, ensure_ascii=False) for row in rows)
