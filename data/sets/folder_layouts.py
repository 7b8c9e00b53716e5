"""A folder of pictures and labels without a YAML: which layout it has, and what its classes are called.

| layout | pictures of a split |
|---|---|
| YOLO, the GCD tree | images/train (any case), labels/train or labels/train/txt |
| Roboflow | train/images and train/labels, or train with xml or _annotations.coco.json beside the pictures |
| VOC, COCO | images/train or train, with Annotations/ or annotations/train.json |

`val` may be called valid or validation; a suffix is fine (train_add, val2017). A folder that can be read in two ways
is refused rather than guessed, and no split is ever drawn.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from data.files.folders import walk
from data.labels.classes import Names
from data.labels.coco_places import all_jsons
from data.labels.label_places import label_candidates, label_path
from data.labels.voc_labels import VocObject, find_xml, read_voc, xml_folders
from data.pictures.picture_decoder import is_picture
from data.sets.name_lists import of_categories, read_name_file
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import counted

SPLIT_NAMES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
IMAGE_FOLDERS = ("images", "jpegimages")
COUNTED = 1000  # pictures are counted up to this number, where only some are needed for a message
YAML = "or write a data.yaml, e.g. 'path: .', 'train: images/train', 'val: images/val', 'names: [knot, crack]'"


@dataclass(frozen=True, eq=False)
class FolderLayout:
    """The folder with the pictures of each split, its class names (data/sets/name_lists.py), and notices."""

    splits: dict[str, Path]
    names: dict[str, Names]
    notices: tuple[str, ...]


def read_layout(folder: Path) -> FolderLayout:
    """Tell the layout of `folder` (absolute). Raises ConfigError when the split or the names cannot be known."""
    splits: dict[str, Path] = {}
    for split in SPLIT_NAMES:
        places = [place for place in _places(folder, split) if next(_pictures(place), None) is not None]
        if len(places) > 1:
            shown = " and ".join(printable(str(place.relative_to(folder))) for place in places[:2])
            advice = f"keep one, {YAML}"
            raise ConfigError(f"{printable(str(folder))}: {split} may be {shown}, both hold pictures; {advice}")
        if places:
            splits[split] = places[0]
    if not splits:
        raise ConfigError(f"{printable(str(folder))}: {_nothing(folder)}")
    names, sources = folder_names(folder, splits)
    shown = ", ".join(f"{split} = {printable(str(place.relative_to(folder)))}" for split, place in splits.items())
    return FolderLayout(splits, names, (f"{printable(str(folder))}: no data.yaml; {shown}; {sources[0]}", *sources[1:]))


def no_split(split: str) -> str:
    """What to do when a folder lacks `split`."""
    words = " or ".join(SPLIT_NAMES[split])
    return f"has no folder called {words} with pictures; put some of the pictures there (with their labels), {YAML}"


def _nothing(folder: Path) -> str:
    pictures = sum(1 for _ in islice(_pictures(folder), COUNTED))
    if not pictures:
        return f"a folder without data.yaml and without pictures; mend the path, {YAML}"
    more = " or more" if pictures == COUNTED else ""
    return (
        f"{counted(pictures, 'picture')}{more} but no folders train and val; sort them into train and val yourself "
        f"(nothing is split at random here), {YAML}"
    )


def _places(folder: Path, split: str) -> Iterator[Path]:
    """The folders that may hold the pictures of a split."""
    pattern = re.compile(rf"(?:{'|'.join(SPLIT_NAMES[split])})(?:[ ._-].+|\d+)?", re.IGNORECASE)
    for home in _folders(folder):
        if home.name.lower() in IMAGE_FOLDERS:
            yield from (place for place in _folders(home) if pattern.fullmatch(place.name))
        elif pattern.fullmatch(home.name):
            inner = [place for place in _folders(home) if place.name.lower() in IMAGE_FOLDERS]
            yield from inner or [home]


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return []


def _pictures(folder: Path) -> Iterator[Path]:
    for home, folders, files in walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(home, name) for name in sorted(files) if is_picture(name) and not name.startswith("."))


def folder_names(folder: Path, splits: dict[str, Path]) -> tuple[dict[str, Names], tuple[str, ...]]:
    """Class names of each split, with notices where they come from: classes.txt, else COCO jsons, else the VOC xml."""
    homes = [folder, folder / "labels", *splits.values()]
    homes += [path.parent for place in splits.values() for path in label_candidates(place / "x.png")]
    texts = [home / "classes.txt" for home in dict.fromkeys(homes) if os.path.isfile(home / "classes.txt")]
    if texts:
        read = [read_name_file(path) for path in texts]
        other = next((path for path, names in zip(texts, read, strict=True) if names != read[0]), None)
        if other is not None:
            shown = " and ".join(printable(str(path)) for path in (texts[0], other))
            raise ConfigError(f"{shown}: name different classes; keep one")
        return _shared(splits, read[0], texts[0])
    names, notices = of_categories({split: all_jsons(folder, split, (place,), None) for split, place in splits.items()})
    return (names, notices) if names else _shared(splits, *_voc_names(folder, splits))


def _shared(splits: dict[str, Path], names: tuple[str, ...], source: Path) -> tuple[dict[str, Names], tuple[str, ...]]:
    """The same names for every split."""
    notice = f"{counted(len(names), 'class')} from {printable(str(source))}: {printable(', '.join(names)[:200])}"
    return dict.fromkeys(splits, tuple((name,) for name in names)), (notice,)


def _voc_names(folder: Path, splits: dict[str, Path]) -> tuple[tuple[str, ...], Path]:
    """The names in all VOC files, sorted: numbers of txt rows could not be told from them."""
    found: dict[str, str] = {}
    homes: dict[Path, list[Path]] = {}
    source = None
    for picture in (picture for place in splits.values() for picture in _pictures(place)):
        if os.path.lexists(label_path(picture)):
            raise ConfigError(f"{printable(str(folder))}: the labels are numbers; {_how(folder)}")
        folders = homes.setdefault(picture.parent, xml_folders(picture.parent))
        path = find_xml(picture, folders)
        if path is None:
            continue
        source = source or path.parent
        for item in _objects(path):
            name = item.texts.get("name", "").strip()
            if name:
                found.setdefault(name_key(name), name)
    if not found or source is None:
        what = "no classes.txt, COCO json or VOC xml names the classes"
        raise ConfigError(f"{printable(str(folder))}: {what}; {_how(folder)}")
    return tuple(found[key] for key in sorted(found)), source


def _objects(path: Path) -> tuple[VocObject, ...]:
    """What a file names; a broken one names nothing here and is reported when the split is read."""
    try:
        return read_voc(path).objects
    except DataError:
        return ()


def _how(folder: Path) -> str:
    where = printable(str(folder / "classes.txt"))
    return f"write {where} with one class name per line in the order of the class numbers, {YAML}"
