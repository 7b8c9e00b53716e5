"""Where the label files of pictures lie, and which label files there belong to no picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from data.labels.loose_names import LooseLabels, names_in
from data.pictures.picture_decoder import is_picture

LABEL_FOLDERS = ("labels", "Labels", "LABELS")
KINDS = (".txt", ".xml", ".json")
NO_LABELS = ("classes", "readme")  # stems of texts that lie beside labels


def label_path(image: Path, labels_root: Path | None = None) -> Path:
    """The txt file of a picture: the first of `label_candidates` that exists, else the first of them."""
    candidates = label_candidates(image, labels_root)
    first = next(candidates)
    if os.path.lexists(first):
        return first
    return next((path for path in candidates if os.path.lexists(path)), first)


class LabelPlaces:
    """`label_path` for many pictures: which folders there are is looked up once for all pictures of a folder."""

    def __init__(self, labels_root: Path | None) -> None:
        self.labels_root, self.loose = labels_root, LooseLabels()
        self._homes: dict[str, tuple[str, list[str]]] = {}

    def find(self, image: Path) -> Path:
        """The txt file of a picture; see `label_path`. Where there is none, one that is spelled otherwise."""
        home, name = os.path.split(image)
        likeliest, folders = self._homes.get(home) or self._look(home)
        stem = os.path.splitext(name)[0]
        for folder in folders:
            if os.path.lexists(path := os.path.join(folder, f"{stem}.txt")):
                return Path(path)
        return Path(self.loose.find(home, stem, folders, ".txt") or os.path.join(likeliest, f"{stem}.txt"))

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


def find_orphans(
    pairs: Iterable[tuple[Path, Path]], used: Container[Path], elsewhere: Callable[[], Iterable[Path]]
) -> list[Path]:
    """The label files in the folders of those looked for that no picture uses; `pairs` are (picture, label).

    Neither those in `used` nor those of the pictures `elsewhere`, which is asked only when it matters. A json is one
    when it bears a picture's name: such are not read.
    """
    homes: dict[Path, set[Path]] = {}
    for picture, label in pairs:
        homes.setdefault(label.parent, set()).add(picture.parent)
    found = []
    for folder, sources in sorted(homes.items()):
        stems = {os.path.splitext(name)[0] for home in sources for name in names_in(home) if is_picture(name)}
        for name in sorted(names_in(folder)):
            stem, suffix = os.path.splitext(name)
            if suffix.lower() not in KINDS or stem.lower().startswith(NO_LABELS) or folder / name in used:
                continue
            if (stem in stems) == (suffix.lower() == ".json") or (stem in stems and suffix != suffix.lower()):
                found.append(folder / name)
    if found:
        stems = {picture.stem for picture in elsewhere()}
        found = [path for path in found if path.stem not in stems]
    return found
