"""What was found as tasks of Label Studio with predictions, and the labelling configuration that they go with."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from utils.annotations.labelled_picture import LabelledPicture, LabelRun
from utils.annotations.xml_text import hex_colour, without_illegal
from utils.files.growing_file import GrowingFile
from utils.files.output_files import write_text

LOCAL = "/data/local-files/?d="  # Label Studio's address of a file below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT


class LabelStudioFile:
    """tasks.json and labeling_config.xml. The document root is the folder above that of the pictures."""

    def __init__(self, run: LabelRun) -> None:
        self.run, self.count = run, 0
        self.file = GrowingFile(run.folder / "tasks.json", run.results)
        self.file.write("[")

    def add(self, picture: LabelledPicture) -> str:
        """The task of one picture; no picture is left out."""
        text = json.dumps(task_value(picture, self.run.model), ensure_ascii=False, allow_nan=False)
        self.file.write((",\n " if self.count else "\n ") + text)
        self.count += 1
        return ""

    def close(self) -> None:
        """End the file and write the configuration."""
        self.file.close("\n]\n")
        with self.run.results.writing():
            write_text(self.run.folder / "labeling_config.xml", config_text(self.run.names))


def task_value(picture: LabelledPicture, model: str) -> dict[str, Any]:
    """A task with one prediction, whose boxes are in percent of the picture."""
    height, width = picture.size
    results, boxes = [], picture.boxes()
    for k, (name, score, (x1, y1, x2, y2)) in enumerate(boxes, 1):
        box = {"x": x1 / width, "y": y1 / height, "width": (x2 - x1) / width, "height": (y2 - y1) / height}
        value = {key: round(100 * share, 6) for key, share in box.items()}
        results.append(
            {
                "id": f"{picture.number}-{k}",
                "type": "rectanglelabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "score": score,
                "value": {**value, "rotation": 0, "rectanglelabels": [without_illegal(name)]},
            }
        )
    best = max((score for _, score, _ in boxes), default=0.0)
    place = quote(os.fsencode(picture.path.relative_to(picture.root.parent).as_posix()))
    prediction = {"model_version": model, "score": best, "result": results}
    return {"data": {"image": LOCAL + place, "name": picture.name}, "predictions": [prediction]}


def config_text(names: tuple[str, ...]) -> str:
    """The labelling configuration of a project that these tasks are imported to."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", {"name": "image", "value": "$image", "zoom": "true"})
    labels = ElementTree.SubElement(view, "RectangleLabels", {"name": "label", "toName": "image"})
    for k, name in enumerate(names):
        ElementTree.SubElement(labels, "Label", {"value": without_illegal(name), "background": hex_colour(k)})
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"
