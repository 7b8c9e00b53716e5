"""Everything that can be looked for in a data set, split by split: what `python -m data.audit` finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data.checks.boxes import box_findings, class_counts, class_findings, lost_boxes
from data.checks.exposure import exposure_findings
from data.checks.look_alikes import Alike
from data.checks.looks import Look, look_at_all
from data.checks.overlap import SPLITS, overlap_findings, repeat_findings
from data.checks.same_pictures import Listed, Same, same_pictures
from data.checks.turned import turned_findings
from data.files.data_report import Finding
from data.index.flat_truth import flatten, picture_paths
from data.index.union import DataSource, merge
from data.pictures.oddities import header_findings
from data.sets.split_reading import ReadPolicy, RecordSet, read_records
from utils.values.record import Record
from utils.words.class_names import name_key
from utils.words.errors import UserError, printable
from utils.words.text import counted

ORDER = {"wrong": 0, "odd": 1, "note": 2}
FROM_LOOKS = ("turned", "pages", "alpha", "cmyk", "deep", "dark")  # found among all pictures, not by the first of them


@dataclass(frozen=True, eq=False)
class Audit:
    """The splits of a data set that could be read, and what is odd about them: `unreadable` of the others.

    `imgsz` and `min_box_px` are those of the training that is meant.
    """

    sets: Mapping[str, RecordSet]
    unreadable: tuple[Finding, ...]
    max_pixels: int
    imgsz: int
    min_box_px: float

    @classmethod
    def of(cls, source: DataSource, max_pixels: int, imgsz: int, min_box_px: float) -> Audit:
        """Read every split; one that cannot be read is a finding."""
        policy = ReadPolicy(bad_data="count", drop_duplicates=False, allow_empty=True, max_pixels=max_pixels)
        sets, unreadable = {}, []
        for split in SPLITS:
            read = []
            for member in source.members:
                try:
                    read += [read_records(member, split, policy)] if split in member.splits else []
                except UserError as error:
                    said = f"{split}: cannot be read: {error}"
                    unreadable.append(Finding(kind="unreadable_split", count=1, said=said, severity="wrong"))
            if read:
                sets[split] = read[0] if len(read) == 1 else merge(split, read)
        return cls(sets, tuple(unreadable), max_pixels, imgsz, min_box_px)

    @cached_property
    def pictures(self) -> list[Listed]:
        """Every picture that is used."""
        return [Listed(split, path) for split, one in self.sets.items() for path in picture_paths(one.records)]

    @cached_property
    def repeated(self) -> list[Same]:
        """Pictures that are one file, or of the same bytes."""
        return same_pictures(self.pictures, SPLITS)[0]

    @cached_property
    def looks(self) -> list[Look]:
        """A look at every picture; none at those of named planes."""
        plain = [one for one in self.pictures if self.sets[one.split].channels.plain_rgb]
        return list(look_at_all(plain, self.max_pixels))

    @cached_property
    def alike(self) -> Alike:
        """Pictures that look alike."""
        return Alike(self.looks, self.repeated, self.max_pixels)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many pictures each split has."""
        return {split: len(one.records) for split, one in self.sets.items()}

    @cached_property
    def findings(self) -> list[Finding]:
        """Everything, the worst first."""
        return sorted(self._all(), key=lambda finding: ORDER[finding.severity])

    def _all(self) -> Iterator[Finding]:
        yield from self.unreadable
        for split, one in self.sets.items():
            yield from (f for f in one.data_report.findings if f.kind not in FROM_LOOKS)
            yield from repeat_findings(self.repeated, split)
            yield from box_findings(split, one.records, one.data_report)
            yield from lost_boxes(split, flatten(one.records).input_sizes(self.imgsz), self.imgsz, self.min_box_px)
            yield from _mixed_sizes(split, one.records)
            odd = self.odd(split)
            yield from header_findings(split, odd, most=None)
            yield from turned_findings(split, self.records_of(split, odd.get("turned", [])), self.max_pixels)
            if not one.channels.plain_rgb:
                said = f"{split}: pictures of named planes are compared by their bytes only"
                yield Finding(kind="not_looked_at", count=self.sizes[split], said=said, severity="note")
        yield from class_findings(*self._classes())
        yield from overlap_findings(self.repeated, self.sizes)
        yield from self.alike.findings(self.sizes)
        yield from exposure_findings(self.looks)

    def odd(self, split: str) -> dict[str, list[Path]]:
        """The pictures of a split with each oddity of PictureHeader."""
        odd: dict[str, list[Path]] = {}
        for look in self.looks:
            for oddity in look.oddities if look.picture.split == split else ():
                odd.setdefault(oddity, []).append(Path(look.picture.path))
        return odd

    def records_of(self, split: str, paths: list[Path]) -> list[Record]:
        """The records of some pictures of a split."""
        wanted = set(paths)
        return [record for record in self.sets[split].records if record.path in wanted] if wanted else []

    def _classes(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """The names of all splits, and the boxes of each in every split."""
        names: dict[str, str] = {}
        for one in self.sets.values():
            for name in one.names:
                names.setdefault(name_key(name), name)
        places = {key: place for place, key in enumerate(names)}
        boxes = {}
        for split, one in self.sets.items():
            boxes[split] = np.zeros(len(names), np.int64)
            counts, _ = class_counts(one.records, len(one.names))
            np.add.at(boxes[split], [places[name_key(name)] for name in one.names], counts)
        return list(names.values()), boxes

    def class_table(self) -> list[str]:
        """A line per class with its boxes and pictures in every split."""
        width = max([5, *(len(printable(name)) for one in self.sets.values() for name in one.names)])
        width = min(width, 40)
        rows: dict[str, list[str]] = {}
        for place, one in enumerate(self.sets.values()):
            for name, boxes, shown in zip(one.names, *class_counts(one.records, len(one.names)), strict=True):
                cells = rows.setdefault(name_key(name), [_fitting(name, width), *["" for _ in self.sets]])
                cells[place + 1] = f"{boxes:>12,} {shown:>9,}"
        head = f"{'class':{width}}" + "".join(f" {f'{split} boxes':>12} {'pictures':>9}" for split in self.sets)
        return [
            head,
            *(f"{row[0]:{width}} " + " ".join(f"{cell:>22}" for cell in row[1:]) for row in rows.values()),
        ]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values: the data report of each split, and all findings with every name."""
        return {
            "splits": {split: one.data_report.plain() for split, one in self.sets.items()},
            "findings": [vars(finding) for finding in self.findings],
        }


def _fitting(name: str, width: int) -> str:
    """As much of a name as can be shown in so many letters: no escape is cut in two."""
    while len(printable(name)) > width:
        name = name[:-1]
    return printable(name)


def _mixed_sizes(split: str, records: Any) -> Iterator[Finding]:
    sizes = Counter(record.size for record in records)
    if len(sizes) > 1:
        shown = ", ".join(f"{w} x {h}: {n:,}" for (h, w), n in sizes.most_common(3))
        said = f"{split}: pictures of {counted(len(sizes), 'size')} ({shown}{', ...' if len(sizes) > 3 else ''})"
        yield Finding(kind="sizes", count=len(sizes), said=said, severity="note")
