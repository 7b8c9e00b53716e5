"""Label files that are the label of no picture, and whether the pictures without labels may be the ones they mean."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from itertools import chain
from pathlib import Path

from data.files.data_report import Problem
from data.files.folders import walk
from data.labels.label_places import LabelPlaces, find_orphans, label_trees, picture_homes
from data.labels.loose_names import loose_name, names_in
from data.pictures.picture_decoder import is_picture
from data.sets.data_yaml import DataDescription
from data.sets.other_pictures import OtherPictures
from data.sets.record_reader import count_label_rows
from utils.words.errors import printable
from utils.words.text import counted


class LostLabels:
    """Takes the place of every picture and its label once.

    A label file is lost when no picture takes it, of this split, of another, or of none that lies where it would have
    this label: in the folders where labels were looked for whatever its name, in all folders beside and below those
    when it bears the name of a picture without label. What decides is the label a picture takes, not its name: the
    splits of a set often count their pictures alike.
    """

    def __init__(self, description: DataDescription, split: str, others: OtherPictures) -> None:
        self.description, self.split, self.others = description, split, others
        self.labels_root = description.labels.get(split)
        self._homes: dict[tuple[Path, Path], tuple[Path, Path]] = {}
        self._bare: set[int] = set()  # hashes of stems: a million good pictures need no labels
        self._first_bare = ""

    def add(self, picture: Path, label: Path, labelled: bool) -> None:
        """Enter a picture and its label, or where the label was looked for in vain."""
        self._homes.setdefault((picture.parent, label.parent), (picture, label))
        if not labelled:
            self._bare.add(hash(loose_name(picture.stem)))
            self._first_bare = self._first_bare or picture.name

    def find(self, used: Container[Path]) -> list[tuple[Path, int]]:
        """The label files of no picture, but for those in `used`, and how many rows each has."""
        found = dict.fromkeys(chain(find_orphans(self._homes.values(), used), self._misplaced(used)))
        if not found:
            return []
        taken = {_place(file) for file in self._taken({loose_name(path.stem) for path in found}, found)}
        lost = [path for path in found if _place(path) not in taken]
        for path in lost:
            self.others.watch(path)
        return [(path, count_label_rows(path)) for path in lost]

    def problems(self, orphans: Iterable[tuple[Path, int]]) -> list[Problem]:
        """Those with rows, where a picture has no label: it may be the one that is meant."""
        if not self._first_bare:
            return []
        words = "belongs to no picture, and '{}' has no label; its {} would be lost"
        return [
            Problem(printable(str(path)), "orphaned_label", words.format(self._meant(path), counted(rows, "row")))
            for path, rows in orphans
            if rows
        ]

    def _meant(self, label: Path) -> str:
        return printable(label.stem if self._is_bare(label.stem) else self._first_bare)

    def _is_bare(self, stem: str) -> bool:
        return hash(loose_name(stem)) in self._bare

    def _misplaced(self, used: Container[Path]) -> Iterator[Path]:
        """Label files anywhere that bear the name of a picture without label."""
        for folder, files in self._folders() if self._bare else ():
            for name in sorted(files):
                stem, suffix = os.path.splitext(name)
                if suffix.lower() in (".txt", ".xml") and self._is_bare(stem) and Path(folder, name) not in used:
                    yield Path(folder, name)

    def _folders(self) -> Iterator[tuple[str, list[str]]]:
        """Each folder where labels may have been put, and what it holds: whole trees, and the folders above those."""
        homes = dict.fromkeys(home for home, _ in self._homes)
        trees = [entry for entry in self.description.splits[self.split] if os.path.isdir(entry)]
        trees += chain.from_iterable(label_trees(home, self.labels_root) for home in homes)
        seen: set[str] = set()
        for tree in trees:
            for folder, folders, files in walk(tree) if os.fspath(tree) not in seen else ():
                self.others.watch(folder)
                inner = sorted(name for name in folders if not name.startswith("."))
                folders[:] = [name for name in inner if os.path.join(folder, name) not in seen]
                seen.add(folder)
                yield folder, files
        root = self.description.root
        above = {os.fspath(tree.parent) for tree in (*homes, *trees) if root in tree.parent.parents}
        for folder in sorted(above - seen):
            self.others.watch(folder)
            yield folder, names_in(folder)

    def _taken(self, stems: set[str], labels: Iterable[Path]) -> Iterator[Path]:
        """The label files of all pictures of these names: listed here, in another split, or beside those listed."""
        mine = LabelPlaces(self.labels_root)
        homes = dict.fromkeys(chain((home for home, _ in self._homes), *map(picture_homes, labels)))
        for home in homes:
            for name in names_in(home):
                if is_picture(name) and loose_name(os.path.splitext(name)[0]) in stems:
                    yield from mine.files_of(home / name)
        for split, pictures in self.others.by_split.items():
            theirs = LabelPlaces(self.description.labels.get(split))
            for picture in pictures:
                if loose_name(picture.stem) in stems:
                    yield from theirs.files_of(picture)


def _place(file: Path) -> tuple[object, str]:
    """What two paths of one file in a folder have in common, also where one goes through a link to the folder."""
    try:
        info = os.stat(file.parent)
    except OSError:
        return file.parent, file.name
    return (info.st_dev, info.st_ino), file.name
