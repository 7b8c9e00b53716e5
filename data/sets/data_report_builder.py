"""The data report of a split while it is read, picture by picture, in memory that grows with the problems only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data.files.data_report import HARMLESS_SKIPS, DataReport, Finding, Problem, too_many
from data.labels.yolo_labels import count_orphans
from data.pictures.oddities import dark, header_findings, kinds_not_read
from data.sets.data_yaml import DataDescription
from data.sets.label_finder import LabelFinder
from data.sets.picture_lists import Listing
from data.sets.record_reader import PictureReading
from utils.values.record import EVERY_CLASS
from utils.words.errors import DataError, printable
from utils.words.text import counted


class DataReportBuilder:
    """Takes every reading once, in order."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.pictures, self.used, self.good, self.boxes, self.bad_rows = 0, 0, 0, 0, 0
        self.skipped: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.homes: dict[tuple[Path, Path], tuple[Path, Path]] = {}
        self.unlabelled: Path | None = None
        self.odd: dict[str, list[Path]] = {}

    def add(self, reading: PictureReading) -> None:
        """Enter one picture."""
        self.pictures += 1
        self.problems += reading.problems
        if reading.skipped:
            self.skipped[reading.skipped] += 1
        record = reading.record
        if record is None:
            return
        for problem in reading.problems:
            (self.notes if problem.harmless else self.rows)[problem.reason] += problem.count
        for oddity in reading.oddities:
            self.odd.setdefault(oddity, []).append(reading.path)
        dropped = reading.rows_dropped
        ignored = int((record.labels == EVERY_CLASS).sum())
        self.used += 1
        self.good += record.good
        self.boxes += len(record.labels) - ignored
        self.bad_rows += dropped > 0
        if not record.labelled:
            self.unlabelled = self.unlabelled or reading.label
        self.labels["missing"] += not record.labelled
        self.labels["empty"] += record.labelled and not len(record.boxes) and not dropped
        self.labels["ignored"] += ignored
        self.labels["duplicate_rows"] += reading.duplicates
        if reading.label is not None:
            self.homes.setdefault((reading.path.parent, reading.label.parent), (reading.path, reading.label))

    def findings(self, max_pixels: int) -> tuple[Finding, ...]:
        """What is odd about the pictures that are used, and how many are of kinds that are not read."""
        unread = [problem.where for problem in self.listing.problems if problem.reason == "kind_not_read"]
        split = self.listing.split
        return (*kinds_not_read(split, unread), *header_findings(split, self.odd), *dark(split, self.odd, max_pixels))

    def data_report(
        self, drop_duplicates: bool, notices: tuple[str, ...], findings: tuple[Finding, ...] = ()
    ) -> DataReport:
        """The report of all that was entered."""
        listing, labels = self.listing, self.labels
        skipped = listing.skipped + self.skipped
        return DataReport(
            split=listing.split,
            found=self.pictures + listing.skipped.total(),
            used=self.used,
            good=self.good,
            boxes=self.boxes,
            skipped=dict(skipped),
            labels={
                "missing": labels["missing"],
                "empty": labels["empty"],
                "ignored": labels["ignored"],
                "difficult": self.notes["difficult"],
                "clipped": self.notes["clipped"],
                "polygon": self.notes["polygon"],
                "duplicate_rows": labels["duplicate_rows"],
                "duplicates_dropped": labels["duplicate_rows"] if drop_duplicates else 0,
                "orphans": count_orphans(self.homes.values(), listing.list_files),
            },
            rows_dropped=dict(self.rows),
            problems=(*listing.problems, *self.problems),
            notices=notices,
            bad=sum(n for reason, n in skipped.items() if reason not in HARMLESS_SKIPS) + self.bad_rows,
            findings=findings,
        )

    def judge(self, description: DataDescription, bad_data: str, allow_empty: bool, data_report: DataReport) -> None:
        """Raise DataError for what is not tolerated.

        A picture is bad when it was left out, or when a row of its labels was: a set whose rows are all wrong
        must not pass as a set of good parts. Nothing is judged where all is to be counted.
        """
        if bad_data == "count":
            return
        split, where = data_report.split, description.lines[data_report.split]
        harmful = [problem for problem in data_report.problems if not problem.harmless]
        if harmful and bad_data == "error":
            more = f", and {counted(len(harmful) - 1, 'more problem')}" if len(harmful) > 1 else ""
            raise DataError(f"{harmful[0]}{more}; run with --bad-data skip to leave them out")
        if too_many(data_report.bad, data_report.found):
            counts = f"{data_report.bad:,} of {data_report.found:,}"
            raise DataError(f"{where}: {split}: {counts} pictures are bad, first {harmful[0]}")
        if not data_report.used:
            unread = next((f"; {finding}" for finding in data_report.findings if finding.kind == "kind_not_read"), "")
            raise DataError(f"{where}: {split}: no pictures found{unread or '; mend the path'}")
        missing = data_report.labels["missing"]
        if missing * 2 > data_report.used and not allow_empty:
            place = self.unlabelled or description.annotations.get(split)
            raise DataError(
                f"{where}: {split}: {missing:,} of {data_report.used:,} pictures have no label, first looked for "
                f"{printable(str(place))}; mend the path (keys labels, annotations) or run with --allow-empty"
            )


class Disagreements:
    """Where two files speak about one picture and count differently, two kinds of files are used, or one file serves
    several pictures. Takes the reading of every used picture once, in order.
    """

    def __init__(self, finder: LabelFinder) -> None:
        self.finder = finder
        self.kinds: Counter[str] = Counter()
        self.coco, self.coco_is_xml = _Pairs(), False
        self.xml = _Pairs()
        self.labels: set[int] = set()  # hashes: a million paths would take their hundreds of megabytes
        self.shared: dict[Path, None] = {}

    def add(self, reading: PictureReading) -> None:
        """Compare what speaks about one picture."""
        if reading.rows is not None:
            if reading.label is not None:
                self.kinds[reading.label.suffix] += 1
                known, number = len(self.labels), hash(reading.label)
                self.labels.add(number)
                if len(self.labels) == known:
                    self.shared[reading.label] = None
            entry = self.finder.entries.get(reading.path)
            if entry is not None:
                self.coco.add(reading.path, reading.rows, entry.count)
                self.coco_is_xml |= reading.label is not None and reading.label.suffix == ".xml"
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
