"""Where what speaks about the pictures of a split does not agree, or speaks for pictures of another, too."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data.labels.label_places import LabelPlaces, label_candidates
from data.labels.voc_labels import xml_places
from data.sets.data_yaml import DataDescription
from data.sets.label_finder import LabelFinder
from data.sets.record_reader import PictureReading
from utils.words.errors import printable
from utils.words.text import counted


class Disagreements:
    """Where two files speak about one picture and count differently, two kinds of files are used, or one file serves
    several pictures, of this split or another. Takes the reading of every used picture once, in order.
    """

    def __init__(self, finder: LabelFinder) -> None:
        self.finder = finder
        self.kinds: Counter[str] = Counter()
        self.coco, self.coco_is_xml = _Pairs(), False
        self.xml = _Pairs()
        self.labels: set[int] = set()  # hashes: a million paths would take their hundreds of megabytes
        self.shared: dict[Path, None] = {}
        self.homes: set[Path] = set()  # of labels

    def add(self, reading: PictureReading) -> None:
        """Compare what speaks about one picture."""
        if reading.rows is not None:
            if reading.label is not None:
                self.kinds[reading.label.suffix.lower()] += 1
                known, number = len(self.labels), hash(reading.label)
                self.labels.add(number)
                if len(self.labels) == known:
                    self.shared[reading.label] = None
                self.homes.add(reading.label.parent)
            entry = self.finder.entries.get(reading.path)
            if entry is not None:
                self.coco.add(reading.path, reading.rows, entry.count)
                self.coco_is_xml |= reading.label is not None and reading.label.suffix.lower() == ".xml"
        if reading.others is not None:
            self.xml.add(reading.path, reading.rows, reading.others)

    def notices(self) -> Iterator[str]:
        """Sentences for the user."""
        if len(self.kinds) > 1:
            txt, xml = (counted(self.kinds[suffix], "picture") for suffix in (".txt", ".xml"))
            yield f"labels of {txt} are txt, of {xml} VOC xml"
        if self.coco.differ:
            kind = "xml" if self.coco_is_xml else "txt"
            decides = self.coco.first is not None and self.finder.decides(self.coco.first)
            yield self.coco.words(kind, "COCO") + f"; {'COCO' if decides else kind} is used"
        if self.xml.differ:
            yield self.xml.words("txt", "xml") + "; txt is used"
        if self.shared:
            files, first = counted(len(self.shared), "label file"), printable(str(next(iter(self.shared))))
            yield f"{files} read for several pictures of the same stem, first {first}"
        yield from self._of_other_splits()

    def _of_other_splits(self) -> Iterator[str]:
        """Label files that pictures of another split take, too. Where these would look elsewhere, none is listed for
        it: a million pictures take long.
        """
        said = self.finder.others.description
        if not any(self._may_share(said, split) for split in said.splits if split != self.finder.others.listing.split):
            return
        for split, pictures in self.finder.others.by_split.items():
            places = LabelPlaces(said.labels.get(split))
            alike = (picture for picture in pictures if self._has_label(picture.stem))
            both = [label for picture in alike for label in places.files_of(picture) if hash(label) in self.labels]
            if both:
                files, first = counted(len(both), "label file"), printable(str(both[0]))
                advice = "give the labels of each split a folder of their own, or the pictures other names"
                yield f"{files} read for pictures of {split}, too, first {first}: {advice}"

    def _may_share(self, said: DataDescription, split: str) -> bool:
        """Whether pictures of a split may have labels where those of this one lie."""
        folders, root = said.splits[split], said.labels.get(split)
        if not all(map(os.path.isdir, folders)):
            return True
        txt = {label.parent for folder in folders for label in label_candidates(folder / "x.png", root)}
        xml = {place for folder in folders for place in xml_places(folder, root)}
        return any(home in xml or not txt.isdisjoint((home, *home.parents)) for home in self.homes)

    def _has_label(self, stem: str) -> bool:
        return any(hash(home / f"{stem}{suffix}") in self.labels for home in self.homes for suffix in (".txt", ".xml"))


class _Pairs:
    """Numbers of boxes that two files give for the same pictures."""

    def __init__(self) -> None:
        self.compared, self.differ = 0, 0
        self.first: Path | None = None

    def add(self, path: Path, one: int | None, other: int) -> None:
        self.compared += 1
        if one != other:
            self.differ += 1
            self.first = self.first or path

    def words(self, one: str, other: str) -> str:
        counts = f"{self.differ:,} of {counted(self.compared, 'picture')}, first {printable(str(self.first))}"
        return f"{one} and {other} differ in the number of boxes for {counts}"
