"""One picture and its truth, read and checked: a Record, or the reason it is left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from data.files.data_report import Problem
from data.labels.coco_labels import truth_of
from data.labels.voc_labels import read_voc, truth_of_voc
from data.labels.yolo_labels import count_rows, parse_labels
from data.pictures.picture_decoder import read_file
from data.pictures.plane_reader import PlaneReader
from data.sets.label_finder import LabelFinder
from data.sets.picture_lists import TEXT_BYTES
from utils.values.record import Record
from utils.words.errors import DataError, printable
from utils.words.text import counted

Truth = tuple[np.ndarray, np.ndarray, np.ndarray]  # boxes (N, 4), labels (N,), crowd (N,)


@dataclass(frozen=True, eq=False)
class PictureReading:
    """What reading one picture gave: a record, or the reason it is left out.

    `label` is its label file, `read` how many rows speak about it, good or bad, in the file that decides. Of two files
    that do, `rows` is how many its txt or xml has, and `others` how many the xml beside a txt. `oddities`: see
    `PictureHeader`.
    """

    path: Path
    record: Record | None = None
    skipped: str = ""
    problems: list[Problem] = field(default_factory=list)
    label: Path | None = None
    read: int = 0
    rows: int | None = None
    others: int | None = None
    duplicates: int = 0
    oddities: tuple[str, ...] = ()

    @property
    def rows_dropped(self) -> int:
        """Label rows that were left out of a picture that is used."""
        return 0 if self.record is None else sum(not problem.harmless for problem in self.problems)


class RecordReader:
    """Reads one picture and its truth; called from several threads, so it keeps nothing."""

    def __init__(self, finder: LabelFinder, planes: PlaneReader, drop_duplicates: bool) -> None:
        self.finder, self.planes, self.drop_duplicates = finder, planes, drop_duplicates

    def __call__(self, path: Path) -> PictureReading:
        """The picture at `path`; raises DataError only for a class that the names do not cover."""
        try:
            size, oddities = self.planes.look(path)
        except DataError as error:
            return _left_out(path, path, "unreadable", error, self._rows(path))
        reading = self._read(path, size)
        return replace(reading, oddities=oddities) if oddities else reading

    def _read(self, path: Path, size: tuple[int, int]) -> PictureReading:
        label = self.finder.labels.find(path)
        raw = None
        if os.path.lexists(label):
            try:
                raw = read_file(label, TEXT_BYTES)
            except DataError as error:
                if not self.finder.decides(path):
                    return _left_out(path, label, "unreadable_label", error)
        if path in self.finder.coco.unclear:
            return _left_out(path, path, "unclear_entry", self.finder.coco.unclear[path])
        if self.finder.decides(path):
            return self._from_coco(path, size, None if raw is None else count_rows(raw))
        return self._from_files(path, size, label, raw)

    def _from_files(self, path: Path, size: tuple[int, int], label: Path, raw: bytes | None) -> PictureReading:
        xml = self.finder.labels.xml_of(path)
        if raw is not None:
            return self._from_txt(_Text(path, label, raw), size, xml)
        if xml is not None:
            return self._from_voc(path, size, xml)
        entry = self.finder.entries.get(path)
        if entry is not None and entry.count:
            said = f"has neither txt nor xml, but {entry.where} has {counted(entry.count, 'box')} for it"
            return _left_out(path, path, "unclear_entry", f"{said}; mend one, or name the json under annotations")
        return PictureReading(path, _record(path, size, labelled=False), label=label)

    def _rows(self, path: Path) -> int:
        """How many rows speak about a picture that cannot be read."""
        if self.finder.decides(path):
            entry = self.finder.entries.get(path)
            return 0 if entry is None else entry.count
        label, xml = self.finder.labels.find(path), self.finder.labels.xml_of(path)
        if os.path.lexists(label):
            return count_label_rows(label)
        return 0 if xml is None else count_label_rows(xml)

    def _from_txt(self, text: _Text, size: tuple[int, int], xml: Path | None) -> PictureReading:
        classes = len(self.finder.classes.sources)
        boxes, labels, problems = parse_labels(text.label, text.raw, classes, self.finder.long_rows)
        rows = len(labels) + sum(not problem.harmless for problem in problems)
        record = self._labelled(text.path, size, (boxes, labels, np.zeros(len(labels), bool)))
        others = None if xml is None else _count_objects(xml)
        return self._finish(PictureReading(text.path, record, "", problems, text.label, rows, rows, others))

    def _from_voc(self, path: Path, size: tuple[int, int], xml: Path) -> PictureReading:
        try:
            file = read_voc(xml)
        except DataError as error:
            return _left_out(path, xml, "unreadable_label", error)
        if file.size not in (None, size):
            said = f"says {file.size}, the upright picture {printable(str(path))} is {size} (height, width)"
            return _left_out(path, xml, "size_mismatch", said, len(file.objects))
        *truth, problems = truth_of_voc(file, size, self.finder.label_of_name, self.finder.classes.sources)
        record = self._labelled(path, size, (truth[0], truth[1], truth[2]))
        count = len(file.objects)
        return self._finish(PictureReading(path, record, "", problems, xml, count, count))

    def _from_coco(self, path: Path, size: tuple[int, int], rows: int | None) -> PictureReading:
        entry = self.finder.entries.get(path)
        if entry is None:
            lost = {file: count_label_rows(file) for file in self.finder.files_of(path)}
            if any(lost.values()):
                file, count = next((file, count) for file, count in lost.items() if count)
                said = f"is not in the COCO json, but {printable(str(file))} has {counted(count, 'row')} for it"
                return _left_out(path, path, "unclear_entry", f"{said}; mend one of them")
            return PictureReading(path, _record(path, size, labelled=False), rows=rows)
        if entry.size not in (None, size):
            said = f"{entry.where} says {entry.size}, the upright picture is {size} (height, width)"
            return _left_out(path, path, "size_mismatch", said, entry.count)
        boxes, labels, crowd, problems = truth_of(entry, size)
        record = self._labelled(path, size, (boxes, labels, crowd))
        return self._finish(PictureReading(path, record, "", problems, read=entry.count, rows=rows))

    def _labelled(self, path: Path, size: tuple[int, int], truth: Truth) -> Record:
        boxes, labels, crowd = truth
        return _record(path, size, (boxes, *self.finder.classes.relabel(labels, crowd)))

    def _finish(self, reading: PictureReading) -> PictureReading:
        """Leave the picture out when no row of its labels could be used: it may show what they meant, and is no good
        part. Count repeated rows, and drop them if the policy says so.
        """
        record = reading.record
        assert record is not None, "only a picture that was read is finished"
        if reading.rows_dropped and not len(record.labels):
            return replace(reading, record=None, skipped="no_usable_row")
        columns = record.labels.tolist(), map(tuple, record.boxes.tolist()), record.crowd.tolist()
        first: dict[tuple[object, ...], int] = {}
        for index, row in enumerate(zip(*columns, strict=True)):
            first.setdefault(row, index)
        repeated = len(record.labels) - len(first)
        if repeated and self.drop_duplicates:
            keep = list(first.values())
            truth = {name: getattr(record, name)[keep] for name in ("boxes", "labels", "crowd")}
            record = replace(record, **truth)
        return replace(reading, record=record, duplicates=repeated) if repeated else reading


@dataclass(frozen=True, eq=False)
class _Text:
    """A picture's label file in hand."""

    path: Path
    label: Path
    raw: bytes


def count_label_rows(path: Path) -> int:
    """How many rows or objects a txt or xml has; 0 when it cannot be read."""
    if path.suffix.lower() == ".xml":
        return _count_objects(path) or 0
    try:
        return count_rows(read_file(path, TEXT_BYTES)) if path.suffix.lower() == ".txt" else 0
    except DataError:
        return 0


def _count_objects(xml: Path) -> int | None:
    """How many objects an xml beside a txt holds; None when it is no VOC file, which then does not matter."""
    try:
        return len(read_voc(xml).objects)
    except DataError:
        return None


def _record(path: Path, size: tuple[int, int], truth: Truth | None = None, labelled: bool = True) -> Record:
    if truth is None:
        truth = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)
    boxes, labels, crowd = truth
    return Record(path, 0, size, boxes, labels, crowd, labelled)


def _left_out(path: Path, culprit: Path, reason: str, error: DataError | str, read: int = 0) -> PictureReading:
    """The complaint keeps the line when it has one: `file:line` of the culprit, else the file."""
    text, where = str(error), printable(str(culprit))
    rest = text.removeprefix(where)
    line = rest[1:].partition(":")[0]
    if rest != text and line.isdigit():
        where, rest = f"{where}:{line}", rest[1 + len(line) :]
    problem = Problem(where, reason, rest.removeprefix(": "))
    return PictureReading(path, skipped=reason, problems=[problem], read=read)
