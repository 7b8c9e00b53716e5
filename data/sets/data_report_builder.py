"""The data report of a split while it is read, picture by picture, in memory that grows with the problems only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data.files.data_report import HARMLESS_SKIPS, DataReport, Finding, Problem, too_many
from data.pictures.oddities import dark, header_findings, kinds_not_read
from data.sets.data_yaml import DataDescription
from data.sets.label_finder import LabelFinder
from data.sets.lost_labels import LostLabels
from data.sets.picture_lists import Listing
from data.sets.record_reader import PictureReading
from utils.words.errors import DataError, printable
from utils.words.text import counted

NAMES_WRONG = frozenset({"unmatched_entry", "orphaned_label"})
NAMED = 3  # of many, the first so many are named


class DataReportBuilder:
    """Takes every reading once, in order."""

    def __init__(self, description: DataDescription, listing: Listing, finder: LabelFinder) -> None:
        self.description, self.listing, self.finder = description, listing, finder
        self.lost = LostLabels(description, listing.split, finder.others)
        self.pictures, self.used, self.good, self.boxes, self.bad_rows = 0, 0, 0, 0, 0
        self.skipped: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.unlabelled: Path | None = None
        self.odd: dict[str, list[Path]] = {}
        self.not_in_json: list[Path] = []
        self.spelled: dict[Path, Path] = {}  # label files of another spelling than their pictures
        self.read, self.left_out = 0, 0

    def add(self, reading: PictureReading) -> None:
        """Enter one picture."""
        self.pictures += 1
        self.problems += reading.problems
        self.read += reading.read
        record = reading.record
        if record is None:
            self.skipped[reading.skipped] += 1
            self.left_out += reading.read
            return
        for problem in reading.problems:
            (self.notes if problem.harmless else self.rows)[problem.reason] += problem.count
        for oddity in reading.oddities:
            self.odd.setdefault(oddity, []).append(reading.path)
        dropped = reading.rows_dropped
        ignored = int(record.crowd.sum())
        self.used += 1
        self.good += record.good
        self.boxes += len(record.labels) - ignored
        self.bad_rows += dropped > 0
        if not record.labelled:
            self.unlabelled = self.unlabelled or reading.label
            if reading.label is None:
                self.labels["not_in_json"] += 1
                self.not_in_json += [reading.path] if len(self.not_in_json) < NAMED else []
        elif reading.label is not None and _is_spelled_otherwise(reading.label, reading.path):
            self.spelled[reading.label] = reading.path
        self.labels["missing"] += not record.labelled
        self.labels["empty"] += record.labelled and not len(record.boxes) and not dropped
        self.labels["ignored"] += ignored
        self.labels["duplicate_rows"] += reading.duplicates
        if reading.label is not None:
            self.lost.add(reading.path, reading.label, record.labelled)

    def findings(self, max_pixels: int) -> tuple[Finding, ...]:
        """What is odd about the pictures that are used, and how many are of kinds that are not read."""
        unread = [problem.where for problem in self.listing.problems if problem.reason == "kind_not_read"]
        split = self.listing.split
        return (*kinds_not_read(split, unread), *header_findings(split, self.odd), *dark(split, self.odd, max_pixels))

    def data_report(
        self, drop_duplicates: bool, notices: tuple[str, ...], findings: tuple[Finding, ...] = ()
    ) -> DataReport:
        """The report of all that was entered."""
        listing, labels, coco = self.listing, self.labels, self.finder.coco
        skipped = listing.skipped + self.skipped
        orphans = self.lost.find({*listing.list_files, *self.spelled, *(truth.path for truth in self.finder.truths)})
        orphaned = sum(rows for _, rows in orphans)
        dropped = self.rows + Counter(problem.reason for problem in coco.lost)
        problems = (*listing.problems, *coco.problems, *coco.lost, *self.problems, *self.lost.problems(orphans))
        names_wrong = sum(problem.reason in NAMES_WRONG for problem in problems)
        names_wrong = max(names_wrong - skipped["unclear_entry"], 0)  # those pictures may be meant
        return DataReport(
            split=listing.split,
            found=self.pictures + listing.skipped.total(),
            used=self.used,
            good=self.good,
            boxes=self.boxes,
            skipped=dict(skipped),
            labels={
                "missing": labels["missing"],
                "not_in_json": labels["not_in_json"],
                "empty": labels["empty"],
                "ignored": labels["ignored"],
                "difficult": self.notes["difficult"],
                "clipped": self.notes["clipped"],
                "polygon": self.notes["polygon"],
                "more_columns": self.notes["more_columns"],
                "duplicate_rows": labels["duplicate_rows"],
                "duplicates_dropped": labels["duplicate_rows"] if drop_duplicates else 0,
                "orphans": len(orphans),
            },
            rows_dropped=dict(dropped),
            rows={
                "read": self.read - coco.rows_of_pictures + coco.rows_read + orphaned,
                "left_out": self.left_out + listing.rows_left_out,
                "elsewhere": coco.rows_elsewhere,
                "orphaned": orphaned + coco.rows_orphaned,
            },
            problems=problems,
            notices=(*notices, *self._notices(orphans)),
            bad=self.bad_rows + sum(n for why, n in skipped.items() if why not in HARMLESS_SKIPS) + names_wrong,
            findings=findings,
        )

    def _notices(self, orphans: list[tuple[Path, int]]) -> Iterator[str]:
        if self.spelled:
            first = " for ".join(printable(str(path)) for path in next(iter(self.spelled.items())))
            yield f"{counted(len(self.spelled), 'label file')} of another spelling than the picture read, first {first}"
        if orphans:
            names = ", ".join(printable(str(path)) for path, _ in orphans[:NAMED])
            rows = counted(sum(rows for _, rows in orphans), "row")
            yield f"{counted(len(orphans), 'label file')} of no picture with {rows}, first {names}"
        if self.not_in_json:
            names = ", ".join(printable(path.name) for path in self.not_in_json)
            count = counted(self.labels["not_in_json"], "picture")
            yield f"{count} not in the COCO json, taken as without defects, first {names}"

    def judge(self, bad_data: str, allow_empty: bool, data_report: DataReport) -> None:
        """Raise DataError for what is not tolerated.

        A picture is bad when it was left out, or when a row of its labels was: a set whose rows are all wrong
        must not pass as a set of good parts. Nothing is judged where all is to be counted.
        """
        if bad_data == "count":
            return
        split, where = data_report.split, self.description.lines[data_report.split]
        harmful = [problem for problem in data_report.problems if not problem.harmless]
        if harmful and bad_data == "error":
            more = f", and {counted(len(harmful) - 1, 'more problem')}" if len(harmful) > 1 else ""
            raise DataError(f"{harmful[0]}{more}; run with --bad-data skip to leave them out")
        lost, read = self.finder.coco.lost, data_report.rows["read"]
        if too_many(len(lost), read):
            raise DataError(f"{where}: {split}: {len(lost):,} of {read:,} rows are of no picture, first {lost[0]}")
        if too_many(data_report.bad, data_report.found):
            counts = f"{data_report.bad:,} of {data_report.found:,}"
            raise DataError(f"{where}: {split}: {counts} pictures are bad, first {harmful[0]}")
        if not data_report.used:
            unread = next((f"; {finding}" for finding in data_report.findings if finding.kind == "kind_not_read"), "")
            raise DataError(f"{where}: {split}: no pictures found{unread or '; mend the path'}")
        missing = data_report.labels["missing"]
        if missing * 2 > data_report.used and not allow_empty:
            place = self.unlabelled or self.description.annotations.get(split)
            raise DataError(
                f"{where}: {split}: {missing:,} of {data_report.used:,} pictures have no label, first looked for "
                f"{printable(str(place))}; mend the path (keys labels, annotations) or run with --allow-empty"
            )


def _is_spelled_otherwise(label: Path, picture: Path) -> bool:
    return label.stem != picture.stem or label.suffix not in (".txt", ".xml")
