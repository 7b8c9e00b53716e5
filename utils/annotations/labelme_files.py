"""What was found as the files of LabelMe, one for each picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from utils.annotations.labelled_picture import LabelledPicture, LabelRun
from utils.files.output_files import make_folder, write_json, write_text
from utils.words.errors import printable

VERSION = "5.5.0"  # of the format; LabelMe warns of another first number only


class LabelmeFiles:
    """labels.txt, the classes that LabelMe offers; the process that read a picture writes its file."""

    def __init__(self, run: LabelRun) -> None:
        self.run = run

    def add(self, picture: LabelledPicture) -> str:
        """Nothing is left to do, see `write_labelme`."""
        return ""

    def close(self) -> None:
        """Write the classes."""
        with self.run.results.writing():
            write_text(self.run.folder / "labels.txt", "".join(f"{printable(name)}\n" for name in self.run.names))


def write_labelme(folder: Path, picture: LabelledPicture) -> None:
    """Write the file of one picture below `folder`, named like its other results. Raises ResourceError."""
    path = folder / picture.output.parent / f"{picture.output.name}.json"
    make_folder(path.parent)
    write_json(path, labelme_value(picture, Path(os.path.realpath(path.parent))))


def labelme_value(picture: LabelledPicture, home: Path) -> dict[str, Any]:
    """The content of a file in the folder `home`, which is absolute and holds no link: it names the picture from
    there.
    """
    height, width = picture.size
    try:
        place = Path(os.path.relpath(picture.path, home)).as_posix()
    except ValueError:  # on another drive
        place = picture.path.as_posix()
    shapes: list[dict[str, Any]] = [
        {
            "label": name,
            "points": [[x1, y1], [x2, y2]],
            "group_id": None,
            "description": f"score {score:.3f}",
            "shape_type": "rectangle",
            "flags": {},
            "mask": None,
        }
        for name, score, (x1, y1, x2, y2) in picture.boxes()
    ]
    about = {"imagePath": place, "imageData": None, "imageHeight": height, "imageWidth": width}
    return {"version": VERSION, "flags": {}, "shapes": shapes, **about}
