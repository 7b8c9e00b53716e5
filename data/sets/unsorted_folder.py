"""A folder of pictures and labels that nobody sorted into splits yet, read as one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from data.labels.classes import ClassMap, Names
from data.labels.yolo_labels import LabelPlaces
from data.pictures.picture_decoder import is_picture, read_file
from data.sets.data_yaml import DataDescription
from data.sets.folder_layouts import folder_names
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import counted

WHOLE = "train"  # the split that stands for all pictures
MOST_CLASSES = 10_000
MOST_FOLDERS = 100_000
LABEL_BYTES = 16 << 20


def describe_unsorted(folder: Path, notices: list[str]) -> DataDescription:
    """All pictures below `folder` (absolute) as one split; without names, classes are called by their numbers."""
    pictures = list(_pictures(folder))
    if not pictures:
        raise ConfigError(f"{printable(str(folder))}: a folder without data.yaml and without pictures; mend the path")
    try:
        names, said = folder_names(folder, {WHOLE: folder})
        notices += said
        rows = names[WHOLE]
    except ConfigError:
        rows = _numbered(pictures)
        called = "they are called class0, class1, ..." if rows else "there are no labels either"
        notices.append(f"{printable(str(folder))}: nothing names the classes; {called}")
    notices.append(
        f"{printable(str(folder))}: no folders train and val; all {counted(len(pictures), 'picture')} as one"
    )
    return DataDescription(
        source=folder,
        root=folder,
        classes={WHOLE: ClassMap.plain(rows or (("defect",),))},
        splits={WHOLE: (folder,)},
        labels={},
        annotations={},
        lines={WHOLE: printable(str(folder))},
    )


def _pictures(folder: Path) -> Iterator[Path]:
    """Every picture below a folder, behind links too, but no folder twice."""
    visited: set[str] = set()
    for home, folders, files in os.walk(folder, followlinks=True):
        place = os.path.realpath(home)
        if place in visited:
            folders.clear()
            continue
        visited.add(place)
        if len(visited) > MOST_FOLDERS:
            shown = printable(str(folder))
            raise ConfigError(f"{shown}: has more than {MOST_FOLDERS:,} folders; name the folder of the pictures")
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(home, name) for name in sorted(files) if is_picture(name) and not name.startswith("."))


def _numbered(pictures: list[Path]) -> Names:
    """class0, class1, ... up to the largest number in the label files."""
    places, most = LabelPlaces(None), -1
    for picture in pictures:
        label = places.find(picture)
        if not os.path.lexists(label):
            continue
        try:
            firsts = [line.split()[0] for line in read_file(label, LABEL_BYTES).splitlines() if line.split()]
        except DataError:  # said when the label is read
            continue
        most = max([most, *(int(word) for word in firsts if word.isdigit() and int(word[:6]) < MOST_CLASSES)])
    return tuple((f"class{number}",) for number in range(min(most + 1, MOST_CLASSES)))
