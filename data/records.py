"""A split of a data set as Records: pictures listed, truth read, every loss entered in the books."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from data.books import Books, Problem
from data.coco_json import CocoTruth, read_coco, truth_of
from data.description import DataDescription, check_present
from data.images import MAX_PIXELS, picture_size, read_file
from data.labels import count_orphans, count_rows, label_path, parse_labels
from data.listing import TEXT_BYTES, Listing
from utils.errors import ConfigError, DataError, printable
from utils.structures import Record
from utils.text import counted

CHUNK = 1024  # pictures handed to the threads at a time: a large set queues no large backlog
QUIET_UP_TO = 500  # pictures
HARMLESS_SKIPS = frozenset({"listed_twice", "hidden"})


@dataclass(frozen=True, kw_only=True)
class ReadPolicy:
    """What bad data leads to.

    `bad_data`: "error" stops at any problem; "skip" leaves out bad rows and bad pictures up to a limit.
    `allow_empty` accepts a set in which most label files are missing. `drop_duplicates` removes repeated rows
    (they are counted anyway). `workers` threads read files.
    """

    bad_data: Literal["skip", "error"]
    drop_duplicates: bool
    allow_empty: bool = False
    max_pixels: int = MAX_PIXELS
    workers: int = 8


@dataclass(frozen=True, eq=False)
class RecordSet:
    """The pictures of a split, sorted by path, and the COCO category id of each name."""

    records: tuple[Record, ...]
    names: tuple[str, ...]
    category_ids: tuple[int, ...]
    books: Books


def read_records(description: DataDescription, split: str, policy: ReadPolicy) -> RecordSet:
    """List, read and check the pictures of `split`.

    Truth comes from a COCO json that lists or annotates the split, else from txt labels. A COCO file in a
    usual place (annotations/<split>.json) gives the ids when it names every picture, else they are 1..N.
    Raises ConfigError for a split that is not described, DataError for what `policy` does not tolerate, for
    a class id beyond the names, for no pictures, and for more than half of the labels missing.
    """
    if split not in description.splits:
        raise ConfigError(f"{printable(str(description.source))}: has no '{split}' split; add the key")
    check_present(description, split)
    listing = Listing(description, split)
    pictures = sorted(listing.pictures, key=Path.as_posix)
    finder = _TruthFinder(description, listing, pictures)
    seen = _read_all(_Reader(description, policy, finder), pictures, policy, split)
    used = [item for item in seen if item.record is not None]
    ids, category_ids = finder.identities([item.path for item in used])
    records = tuple(replace(i.record, image_id=n) for i, n in zip(used, ids, strict=True) if i.record)
    books = _balance(listing, seen, policy, (*finder.notices, *finder.disagreements(used)))
    _judge(description, policy, books, seen)
    return RecordSet(records, description.names, category_ids, books)


class _TruthFinder:
    """The COCO files that speak about a split, the entry of each picture, and the ids that follow."""

    def __init__(self, description: DataDescription, listing: Listing, pictures: list[Path]) -> None:
        self.listing = listing
        self.notices: list[str] = []
        self.binding = listing.split in description.annotations
        further: list[CocoTruth] = []
        if self.binding:
            further.append(read_coco(description.annotations[listing.split], description.names))
        elif not listing.truths:
            further += self._look(description)
        self.truths = listing.truths + further
        self.entries = {path: entry for path, entry in listing.pictures.items() if entry is not None}
        for truth in further:
            self.entries.update(truth.match(pictures))

    def decides(self, path: Path) -> bool:
        """Whether the boxes of a picture come from COCO, not from its txt."""
        return self.binding or self.listing.pictures.get(path) is not None

    def _look(self, description: DataDescription) -> Iterator[CocoTruth]:
        """A COCO file in a usual place: it numbers the pictures, the boxes stay with the txt labels."""
        split = self.listing.split
        stems = dict.fromkeys((split, *(entry.name for entry in description.splits[split])))
        homes = [Path("annotations"), *(Path("labels", stem, "annotations") for stem in stems)]
        paths = [description.root / home / f"{stem}.json" for stem in stems for home in homes]
        path = next((path for path in paths if os.path.isfile(path)), None)
        if path is not None:
            try:
                yield read_coco(path, description.names)
            except DataError as error:
                self.notices.append(f"not used for picture ids: {error}")

    def identities(self, used: list[Path]) -> tuple[list[int], tuple[int, ...]]:
        """Picture ids and category ids: those of the COCO file when it names every picture, else 1..N."""
        ids = [self.entries[path].image_id for path in used if path in self.entries]
        categories = {truth.category_ids for truth in self.truths}
        files = ", ".join(printable(str(truth.path)) for truth in self.truths)
        if len(set(ids)) == len(used) and len(categories) == 1:
            extra = sum(len(truth.images) for truth in self.truths) - len(used)
            if extra:
                self.notices.append(f"{files}: names {counted(extra, 'picture')} more than this split uses")
            return ids, categories.pop()
        if self.truths:
            lost = counted(len(used) - len(set(ids)), "picture")
            self.notices.append(f"{files}: {lost} without an id of their own there; ids are 1..N instead")
        return list(range(1, len(used) + 1)), tuple(range(1, len(self.listing.names) + 1))

    def disagreements(self, used: list[_Seen]) -> Iterator[str]:
        """Notices: txt and COCO count differently; pictures of one stem (a.jpg, a.png) share a label file."""
        both = [i for i in used if i.rows is not None and i.path in self.entries]
        differ = [item.path for item in both if item.rows != len(self.entries[item.path].labels)]
        if differ:
            chosen = "COCO" if self.decides(differ[0]) else "txt"
            of, first = counted(len(both), "picture"), printable(str(differ[0]))
            counts = f"{len(differ):,} of {of}, first {first}"
            yield f"txt and COCO differ in the number of boxes for {counts}; {chosen} is used"
        uses = Counter(item.label for item in used if item.rows is not None and item.label is not None)
        shared = [label for label, count in uses.items() if count > 1]
        if shared:
            files, first = counted(len(shared), "label file"), printable(str(shared[0]))
            yield f"{files} read for several pictures of the same stem, first {first}"


@dataclass(frozen=True, eq=False)
class _Seen:
    """What reading one picture gave: a record, or the reason it is left out."""

    path: Path
    record: Record | None = None
    skipped: str = ""
    problems: list[Problem] = field(default_factory=list)
    label: Path | None = None
    rows: int | None = None
    duplicates: int = 0

    @property
    def rows_dropped(self) -> int:
        """Label rows that were left out of a picture that is used."""
        return 0 if self.record is None else sum(not problem.harmless for problem in self.problems)


class _Reader:
    """Reads one picture and its truth; called from several threads, so it keeps nothing."""

    def __init__(self, description: DataDescription, policy: ReadPolicy, finder: _TruthFinder) -> None:
        self.policy, self.finder, self.entries = policy, finder, finder.entries
        self.class_count = len(description.names)
        self.labels_root = description.labels.get(finder.listing.split)

    def __call__(self, path: Path) -> _Seen:
        """The picture at `path`; raises DataError only for a class id that the names do not cover."""
        try:
            size = picture_size(path, self.policy.max_pixels)
        except DataError as error:
            return _left_out(path, path, "unreadable", error)
        label = label_path(path, self.labels_root)
        raw = None
        if os.path.lexists(label):
            try:
                raw = read_file(label, TEXT_BYTES)
            except DataError as error:
                if not self.finder.decides(path):
                    return _left_out(path, label, "unreadable_label", error)
        if self.finder.decides(path):
            return self._from_coco(path, size, None if raw is None else count_rows(raw))
        if raw is None:
            return _Seen(path, _record(path, size, labelled=False), label=label)
        boxes, labels, problems = parse_labels(label, raw, self.class_count)
        rows = len(labels) + sum(not problem.harmless for problem in problems)
        record = _record(path, size, (boxes, labels, np.zeros(len(labels), bool)))
        return self._finish(_Seen(path, record, problems=problems, label=label, rows=rows))

    def _from_coco(self, path: Path, size: tuple[int, int], rows: int | None) -> _Seen:
        entry = self.entries.get(path)
        if entry is None:
            return _Seen(path, _record(path, size, labelled=False), rows=rows)
        if entry.size not in (None, size):
            said = f"{entry.where} says {entry.size}, the upright picture is {size} (height, width)"
            return _left_out(path, path, "size_mismatch", said)
        boxes, labels, crowd, problems = truth_of(entry, size)
        return self._finish(_Seen(path, _record(path, size, (boxes, labels, crowd)), problems=problems, rows=rows))

    def _finish(self, seen: _Seen) -> _Seen:
        """Count repeated rows, and drop them if the policy says so."""
        record = seen.record
        assert record is not None, "only a picture that was read is finished"
        columns = record.labels.tolist(), map(tuple, record.boxes.tolist()), record.crowd.tolist()
        first: dict[tuple[object, ...], int] = {}
        for index, row in enumerate(zip(*columns, strict=True)):
            first.setdefault(row, index)
        repeated = len(record.labels) - len(first)
        if repeated and self.policy.drop_duplicates:
            keep = list(first.values())
            truth = {name: getattr(record, name)[keep] for name in ("boxes", "labels", "crowd")}
            record = replace(record, **truth)
        return replace(seen, record=record, duplicates=repeated) if repeated else seen


def _record(
    path: Path,
    size: tuple[int, int],
    truth: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    labelled: bool = True,
) -> Record:
    if truth is None:
        truth = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)
    boxes, labels, crowd = truth
    return Record(path, 0, size, boxes, labels, crowd, labelled)


def _left_out(path: Path, culprit: Path, reason: str, error: DataError | str) -> _Seen:
    where = printable(str(culprit))
    problem = Problem(where, reason, str(error).removeprefix(f"{where}: "))
    return _Seen(path, skipped=reason, problems=[problem])


def _read_all(reader: _Reader, pictures: list[Path], policy: ReadPolicy, split: str) -> list[_Seen]:
    """Every picture in order; a progress bar on a terminal when there are many."""
    seen: list[_Seen] = []
    quiet = True if len(pictures) <= QUIET_UP_TO else None
    with (
        ThreadPoolExecutor(max(policy.workers, 1)) as pool,
        tqdm(total=len(pictures), desc=f"reading {split}", unit="picture", disable=quiet) as bar,
    ):
        for start in range(0, len(pictures), CHUNK):
            seen += pool.map(reader, pictures[start : start + CHUNK])
            bar.update(len(seen) - bar.n)
    return seen


def _balance(listing: Listing, seen: list[_Seen], policy: ReadPolicy, notices: tuple[str, ...]) -> Books:
    used = [item for item in seen if item.record is not None]
    records = [item.record for item in used if item.record is not None]
    notes: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for problem in (problem for item in used for problem in item.problems):
        (notes if problem.harmless else rows)[problem.reason] += problem.count
    pairs = [(item.path, item.label) for item in used if item.label is not None]
    duplicates = sum(item.duplicates for item in used)
    skipped = listing.skipped + Counter(item.skipped for item in seen if item.skipped)
    return Books(
        split=listing.split,
        found=len(seen) + listing.skipped.total(),
        used=len(used),
        good=sum(record.good for record in records),
        boxes=sum(len(record.labels) for record in records),
        skipped=dict(skipped),
        labels={
            "missing": sum(not record.labelled for record in records),
            "empty": sum(i.record.labelled and i.record.good and not i.rows_dropped for i in used if i.record),
            "clipped": notes["clipped"],
            "polygon": notes["polygon"],
            "duplicate_rows": duplicates,
            "duplicates_dropped": duplicates if policy.drop_duplicates else 0,
            "orphans": count_orphans(pairs, listing.list_files),
        },
        rows_dropped=dict(rows),
        problems=(*listing.problems, *(problem for item in seen for problem in item.problems)),
        notices=notices,
    )


def _judge(description: DataDescription, policy: ReadPolicy, books: Books, seen: list[_Seen]) -> None:
    """Raise DataError for what the policy does not tolerate.

    A picture is bad when it was left out, or when a row of its labels was: a set whose rows are all wrong
    must not pass as a set of good parts.
    """
    split, where = books.split, description.lines[books.split]
    harmful = [problem for problem in books.problems if not problem.harmless]
    if harmful and policy.bad_data == "error":
        more = f", and {counted(len(harmful) - 1, 'more problem')}" if len(harmful) > 1 else ""
        raise DataError(f"{harmful[0]}{more}; run with --bad-data skip to leave them out")
    bad = sum(n for reason, n in books.skipped.items() if reason not in HARMLESS_SKIPS)
    bad += sum(item.rows_dropped > 0 for item in seen)
    if bad > max(100, books.found // 100) or bad * 2 > books.found:
        raise DataError(f"{where}: {split}: {bad:,} of {books.found:,} pictures are bad, first {harmful[0]}")
    if not books.used:
        raise DataError(f"{where}: {split}: no pictures found; mend the path")
    missing = books.labels["missing"]
    if missing * 2 > books.used and not policy.allow_empty:
        unlabelled = [item for item in seen if item.record is not None and not item.record.labelled]
        place = unlabelled[0].label or description.annotations.get(split)
        raise DataError(
            f"{where}: {split}: {missing:,} of {books.used:,} pictures have no label, first looked for "
            f"{printable(str(place))}; mend the path (keys labels, annotations) or run with --allow-empty"
        )
