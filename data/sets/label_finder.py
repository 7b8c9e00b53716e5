"""Which files speak about the pictures of a split: txt labels, VOC xml or COCO json, told apart by what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.files.stamps import Watch, no_watch
from data.labels.coco_labels import CocoTruth, read_coco
from data.labels.coco_places import coco_places, find_coco
from data.labels.voc_labels import find_xml, xml_folders, xml_places
from data.labels.yolo_labels import LabelPlaces, label_candidates
from data.sets.data_yaml import DataDescription
from data.sets.picture_lists import Listing
from utils.words.errors import DataError, printable
from utils.words.text import counted


class LabelFinder:
    """The files with the truth of a split, the COCO entry of each picture, and the ids that follow.

    A COCO json that lists the split or stands under `annotations` decides. Else each picture's txt does, else its
    xml. A COCO json in a usual place decides when there is neither txt nor xml; beside those it gives the ids only.
    """

    def __init__(
        self, description: DataDescription, listing: Listing, pictures: list[Path], watch: Watch = no_watch
    ) -> None:
        self.listing, self.classes = listing, listing.classes
        labels_root = description.labels.get(listing.split)
        self.labels = LabelPlaces(labels_root)
        self.label_of_name = self.classes.numbers()
        homes = {picture.parent: picture for picture in pictures}
        for home, picture in homes.items():
            for folder in (path.parent for path in label_candidates(picture, labels_root)):
                watch(folder)
            for folder in xml_places(home, labels_root):
                watch(folder)
        self.xml_homes = {home: xml_folders(home, labels_root) for home in homes}
        self.notices: list[str] = []
        self.binding = listing.split in description.annotations
        further: list[CocoTruth] = []
        if self.binding:
            watch(description.annotations[listing.split])
            further.append(read_coco(description.annotations[listing.split], self.classes))
        elif not listing.truths:
            for path in coco_places(description.root, listing.split, description.splits[listing.split]):
                watch(path)
            further += self._look(description, pictures)
        self.truths = listing.truths + further
        self.entries = {path: entry for path, entry in listing.pictures.items() if entry is not None}
        for truth in further:
            self.entries.update(truth.match(pictures))
        for truth in self.truths:
            if repeated := truth.columns.repeated_ids:
                words = f"{counted(repeated, 'annotation')} with the id of another one; every box is read"
                self.notices.append(f"{printable(str(truth.path))}: {words}")

    def decides(self, path: Path) -> bool:
        """Whether the boxes of a picture come from COCO, not from its txt or xml."""
        return self.binding or self.listing.pictures.get(path) is not None

    def xml_of(self, path: Path) -> Path | None:
        """The VOC xml of a picture."""
        return find_xml(path, self.xml_homes[path.parent])

    def _look(self, description: DataDescription, pictures: Sequence[Path]) -> Iterator[CocoTruth]:
        """A COCO file in a usual place."""
        split = self.listing.split
        path = find_coco(description.root, split, description.splits[split])
        if path is None:
            return
        alone = not any(os.path.lexists(self.labels.find(p)) or self.xml_of(p) for p in pictures)
        try:
            yield read_coco(path, self.classes)
        except DataError as error:
            if alone:
                raise
            self.notices.append(f"not used for picture ids: {error}")
            return
        if alone and pictures:
            self.binding = True
            self.notices.append(f"{split}: neither txt nor xml labels; the boxes come from {printable(str(path))}")

    def files_of(self, path: Path) -> Iterator[Path]:
        """The label files of a picture that are there."""
        label, xml = self.labels.find(path), self.xml_of(path)
        if os.path.lexists(label):
            yield label
        if xml is not None:
            yield xml

    def identities(self, used: list[Path]) -> tuple[list[int], tuple[int, ...]]:
        """Picture ids and category ids: those of the COCO file when it names every picture, else 1..N."""
        ids = [self.entries[path].image_id for path in used if path in self.entries]
        categories = {truth.category_ids for truth in self.truths}
        files = ", ".join(printable(str(truth.path)) for truth in self.truths)
        if len(set(ids)) == len(used) and len(categories) == 1:
            extra = sum(len(truth) for truth in self.truths) - len(used)
            if extra:
                self.notices.append(f"{files}: names {counted(extra, 'picture')} more than this split uses")
            return ids, self.classes.category_ids(categories.pop())
        if self.truths:
            lost = counted(len(used) - len(set(ids)), "picture")
            self.notices.append(f"{files}: {lost} without an id of their own there; ids are 1..N instead")
        return list(range(1, len(used) + 1)), tuple(range(1, len(self.classes.names) + 1))
