"""What was found as a data set in YOLO's format, beside pictures that stay where they are."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from utils.annotations.labelled_picture import LabelledPicture, LabelRun
from utils.annotations.picture_lists import UNLISTABLE, PictureLists, listable
from utils.files.output_files import make_folder, remove_result, write_text
from utils.files.yolo_txt import label_text
from utils.words.errors import printable

SHARED = "another picture has the same label file in YOLO's format; rename it, or take --save-labels coco"


class YoloSet:
    """labels/ with a txt for each picture, data.yaml and what it names, and classes.txt for tools.

    One process writes all of it: readers find the label of a picture by its name without suffix, so that two pictures
    may have one label file, which only one of them gets.
    """

    def __init__(self, run: LabelRun) -> None:
        self.run, self.lists = run, PictureLists(run)
        self.labels = run.folder / "labels"

    def add(self, picture: LabelledPicture) -> str:
        """Write the labels of a picture; returns why it is left out, or ""."""
        if not listable(picture.name):
            return UNLISTABLE
        place = self.labels / label_places(picture.path, picture.name)[-1]
        if os.path.lexists(place):
            return SHARED
        with self.run.results.writing():
            make_folder(place.parent)
            write_text(place, label_text(picture.found, picture.size, confidence=False))
            self.lists.add(picture)
        return ""

    def close(self) -> None:
        """Write what names the pictures and the classes."""
        with self.run.results.writing():
            make_folder(self.labels)
            self.lists.keep(self._is_read)
            places = dict.fromkeys(("train", "val"), os.path.abspath(self.labels))
            self.lists.write({"labels": places})
            names = "".join(f"{printable(name)}\n" for name in self.run.names)
            for place in (self.run.folder, self.labels):  # tools look for it in the one or the other
                if not os.path.lexists(place / "classes.txt"):  # of a picture that is called so
                    write_text(place / "classes.txt", names)

    def _is_read(self, path: Path, name: str) -> bool:
        """Whether a reader that looks for the label of a picture comes upon its own first; else it is removed."""
        *earlier, own = label_places(path, name)
        if not any(os.path.lexists(self.labels / place) for place in earlier):
            return True
        remove_result(self.labels / own)
        self.run.left_out[SHARED] += 1
        return False


def label_places(path: Path, name: str) -> list[Path]:
    """Where readers look for the label of a picture, below a folder of labels, until they come to its own: the last.

    They keep the picture's sub-folders below the last `images` in its path, else the last three, and try with ever
    fewer of them (data/labels/label_places.py); its own are those in its `name`, relative to what was looked at.
    """
    folders = path.parent.parts
    images = max((i for i, folder in enumerate(folders) if folder.lower() == "images"), default=None)
    below = folders[max(len(folders) - 3, 1) :] if images is None else folders[images + 1 :]
    own = min(len(PurePosixPath(name).parent.parts), len(below))
    places = []
    for first in range(len(below) - own + 1):
        home = Path(*below[first:])
        places += [home / f"{path.stem}.txt", home / "txt" / f"{path.stem}.txt"]
    return places[:-1]
