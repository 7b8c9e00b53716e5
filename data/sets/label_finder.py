"""Which files speak about the pictures of a split: txt labels, VOC xml or COCO json, told apart by what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from data.files.stamps import Watch, no_watch
from data.labels.coco_labels import CocoTruth, read_coco
from data.labels.coco_places import coco_places, find_coco
from data.labels.label_places import LabelPlaces, label_candidates
from data.labels.long_rows import LongRows, told_by
from data.labels.voc_labels import xml_places
from data.labels.yolo_labels import long_rows_of
from data.pictures.picture_decoder import read_file
from data.sets.coco_matches import CocoMatches
from data.sets.data_yaml import DataDescription
from data.sets.other_pictures import OtherPictures
from data.sets.picture_lists import TEXT_BYTES, Listing
from utils.words.errors import DataError, printable
from utils.words.text import counted

SAMPLE = 2000  # label files, and rows, from which is told what long rows are


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
        self.notices: list[str] = []
        self.binding = listing.split in description.annotations
        self.others = OtherPictures(description, listing, watch)
        self.coco = CocoMatches(listing, pictures, self.others)
        further = list(self._further(description, pictures, watch))
        for truth in further:
            self.coco.add(truth, self.binding)
        self.truths, self.entries = listing.truths + further, self.coco.entries
        self.notices += self.coco.notices
        self.notices += [notice for truth in self.truths for notice in truth.notices]
        self.long_rows = description.long_rows
        if self.long_rows.kind == "unsaid" and not self.binding:
            self.long_rows = self._told(pictures, watch)

    def _further(self, description: DataDescription, pictures: Sequence[Path], watch: Watch) -> Iterator[CocoTruth]:
        """The COCO json under `annotations`, else one in a usual place where none lists the split."""
        split, listed = self.listing.split, [truth.path for truth in self.listing.truths]
        if self.binding:
            watch(description.annotations[split])
            if description.annotations[split] not in listed:
                yield read_coco(description.annotations[split], self.classes)
        elif not listed:
            for path in coco_places(description.root, split, description.splits[split]):
                watch(path)
            yield from self._look(description, pictures)

    def _told(self, pictures: Sequence[Path], watch: Watch) -> LongRows:
        """What the rows of more than five numbers are, by those of this split, else with those of the others."""
        mine = self._sample(pictures, watch)
        told, words = told_by(mine)
        if mine and told.kind == "unsaid":
            told, words = told_by([*mine, *self._sample(self.others.pictures(), watch)])
        if words:
            self.notices.append(f"{self.listing.split}: {words}")
        return told

    def _sample(self, pictures: Sequence[Path], watch: Watch) -> list[list[float]]:
        """Some of the long rows of some of the pictures' txt files."""
        rows: list[list[float]] = []
        for picture in pictures[:: max(len(pictures) // SAMPLE, 1)]:
            label = self.labels.find(picture)
            if not self.decides(picture) and os.path.lexists(label) and len(rows) < SAMPLE:
                watch(label)
                try:
                    rows += islice(long_rows_of(read_file(label, TEXT_BYTES)), SAMPLE)
                except DataError:  # said when the picture is read
                    continue
        return rows

    def decides(self, path: Path) -> bool:
        """Whether the boxes of a picture come from COCO, not from its txt or xml."""
        return self.binding or self.listing.pictures.get(path) is not None

    def _look(self, description: DataDescription, pictures: Sequence[Path]) -> Iterator[CocoTruth]:
        """A COCO file in a usual place."""
        split = self.listing.split
        path = find_coco(description.root, split, description.splits[split])
        if path is None:
            return
        alone = not any(os.path.lexists(self.labels.find(p)) or self.labels.xml_of(p) for p in pictures)
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
        yield from self.labels.files_of(path)

    def identities(self, used: list[Path]) -> tuple[list[int], tuple[int, ...]]:
        """Picture ids and category ids: those of the COCO file when it names every picture, else 1..N."""
        ids = [self.entries[path].image_id for path in used if path in self.entries]
        categories = {truth.category_ids for truth in self.truths}
        files = ", ".join(printable(str(truth.path)) for truth in self.truths)
        if len(set(ids)) == len(used) and len(categories) == 1:
            extra = sum(len(truth.names) for truth in self.truths) - len(used)
            if extra:
                self.notices.append(f"{files}: names {counted(extra, 'picture')} more than this split uses")
            return ids, self.classes.category_ids(categories.pop())
        if self.truths:
            lost = counted(len(used) - len(set(ids)), "picture")
            self.notices.append(f"{files}: {lost} without an id of their own there; ids are 1..N instead")
        return list(range(1, len(used) + 1)), tuple(range(1, len(self.classes.names) + 1))
