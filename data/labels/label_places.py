"""Where the label files of pictures lie, and which label files there no picture takes."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from data.labels.loose_names import LooseLabels, names_in
from data.labels.voc_labels import IMAGE_FOLDERS, find_xml, xml_folders
from data.pictures.picture_decoder import is_picture

LABEL_FOLDERS = ("labels", "Labels", "LABELS")
KINDS = (".txt", ".xml", ".json")
TRUTH_FOLDERS = ("labels", "annotations")  # in any letter case
NO_LABELS = ("classes", "readme")  # texts that lie beside labels: classes.txt, README.roboflow.txt


def label_path(image: Path, labels_root: Path | None = None) -> Path:
    """The txt file of a picture: the first of `label_candidates` that exists, else the first of them."""
    candidates = label_candidates(image, labels_root)
    first = next(candidates)
    if os.path.lexists(first):
        return first
    return next((path for path in candidates if os.path.lexists(path)), first)


class LabelPlaces:
    """The txt and the xml of many pictures: which folders there are is looked up once for all pictures of a folder."""

    def __init__(self, labels_root: Path | None) -> None:
        self.labels_root, self._loose = labels_root, LooseLabels()
        self._homes: dict[str, tuple[str, list[str]]] = {}
        self._xml_homes: dict[Path, list[Path]] = {}

    def find(self, image: Path) -> Path:
        """The txt file of a picture; see `label_path`. Where there is none, one that is spelled otherwise."""
        home, name = os.path.split(image)
        likeliest, folders = self._homes.get(home) or self._look(home)
        stem = os.path.splitext(name)[0]
        for folder in folders:
            if os.path.lexists(path := os.path.join(folder, f"{stem}.txt")):
                return Path(path)
        return Path(self._loose.find(home, stem, folders, ".txt") or os.path.join(likeliest, f"{stem}.txt"))

    def xml_of(self, image: Path) -> Path | None:
        """The VOC xml of a picture, at last one that is spelled otherwise."""
        home = image.parent
        if home not in self._xml_homes:
            self._xml_homes[home] = xml_folders(home, self.labels_root)
        folders = self._xml_homes[home]
        found = find_xml(image, folders)
        if found is not None or not folders:
            return found
        loose = self._loose.find(os.fspath(home), image.stem, [*map(os.fspath, folders)], ".xml")
        return None if loose is None else Path(loose)

    def files_of(self, image: Path) -> Iterator[Path]:
        """The label files of a picture that are there."""
        label, xml = self.find(image), self.xml_of(image)
        if os.path.lexists(label):
            yield label
        if xml is not None:
            yield xml

    def _look(self, home: str) -> tuple[str, list[str]]:
        places = [os.fspath(path.parent) for path in label_candidates(Path(home, "x"), self.labels_root)]
        self._homes[home] = places[0], [place for place in places if os.path.isdir(place)]
        return self._homes[home]


def label_candidates(image: Path, labels_root: Path | None = None) -> Iterator[Path]:
    """Where the label of `image` may lie, likeliest first.

    Without a root: the last folder called `images` (any case) becomes `labels`, then the picture's own
    folder, and without any `images` also `labels/<folder>` beside that. With a root: below it, keeping as many
    of the picture's sub-folders as exist there. Each is also tried with a `txt` sub-folder (the GCD tree).
    """
    parts = image.parent.parts
    last = max((i for i, part in enumerate(parts) if part.lower() == "images"), default=None)
    if labels_root is not None:
        below = parts[max(len(parts) - 3, 1) :] if last is None else parts[last + 1 :]
        folders = [labels_root.joinpath(*below[i:]) for i in range(len(below) + 1)]
    elif last is None:
        folders = [image.parent, *(image.parent.parent / name / image.parent.name for name in LABEL_FOLDERS)]
    else:
        folders = [Path(*parts[:last], name, *parts[last + 1 :]) for name in LABEL_FOLDERS]
        folders.insert(1, image.parent)
    for folder in folders:
        yield folder / f"{image.stem}.txt"
        yield folder / "txt" / f"{image.stem}.txt"


def label_trees(home: Path, labels_root: Path | None) -> list[Path]:
    """The folders below which the labels of the pictures in `home` may have been put, in their place or another."""
    if labels_root is not None:
        return [labels_root]
    images = [i for i, part in enumerate(home.parts) if part.lower() in IMAGE_FOLDERS]
    bases = dict.fromkeys((home.parent, Path(*home.parts[: images[-1]]) if images else home.parent))
    return [home, *(base / name for base in bases for name in names_in(base) if name.lower() in TRUTH_FOLDERS)]


def picture_homes(label: Path) -> Iterator[Path]:
    """The folders where pictures may lie whose label this file is: `label_candidates` the other way round."""
    for folder in (label.parent, label.parent.parent):
        yield folder
        for i, part in enumerate(folder.parts):
            if part.lower() in TRUTH_FOLDERS:
                base, below = Path(*folder.parts[:i]), folder.parts[i + 1 :]
                yield base.joinpath(*below)
                yield from (base.joinpath(name, *below) for name in names_in(base) if name.lower() in IMAGE_FOLDERS)


def find_orphans(pairs: Iterable[tuple[Path, Path]], used: Container[Path]) -> list[Path]:
    """The label files in the folders of those looked for that bear the name of no picture beside those that were;
    `pairs` are (picture, label), `used` is what else is known.

    A json is one when it bears a picture's name: such are not read.
    """
    homes: dict[Path, set[Path]] = {}
    for picture, label in pairs:
        homes.setdefault(label.parent, set()).add(picture.parent)
    found = []
    for folder, sources in sorted(homes.items()):
        stems = {os.path.splitext(name)[0] for home in sources for name in names_in(home) if is_picture(name)}
        for name in sorted(names_in(folder)):
            stem, suffix = os.path.splitext(name)
            if suffix.lower() not in KINDS or stem.lower().partition(".")[0] in NO_LABELS or folder / name in used:
                continue
            if (stem in stems) == (suffix.lower() == ".json") or (stem in stems and suffix != suffix.lower()):
                found.append(folder / name)
    return found
