"""Several data sets as one, their classes merged by name.

    union: [steel.yaml, wood.yaml, /data/glass]    # data YAMLs or folders, beside this file or looked up as --data is

Each member is read as it would be on its own. Its names are matched regardless of case and blanks; those that only one
member has are classes of the union, none of whose boxes are on the others' pictures. Their pictures have the same
planes, stored alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.files.data_report import DataReport
from data.index.record_sequence import MergedRecords
from data.index.split_index import IndexUse, read_indexed
from data.sets.data_yaml import DataDescription, describe, open_source
from data.sets.split_reading import ReadPolicy, RecordSet
from utils.config.config import DataConfig
from utils.values.channels import Channels
from utils.words.class_names import name_key
from utils.words.errors import printable
from utils.words.yamlio import Document


@dataclass(frozen=True, eq=False)
class DataSource:
    """What --data names: one set, or the members of a union."""

    members: tuple[DataDescription, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The trained classes of all members."""
        return tuple(row[0] for row in _united(next(iter(member.synonyms.values())) for member in self.members))

    @property
    def channels(self) -> Channels:
        """The planes of the pictures, the same in all members."""
        return self.members[0].channels

    def read(self, split: str, policy: ReadPolicy, index: IndexUse = "never") -> RecordSet:
        """See `read_indexed`."""
        sets = [read_indexed(member, split, policy, index) for member in self.members]
        return sets[0] if len(sets) == 1 else merge(split, sets)


def open_data(cfg: DataConfig, require: Sequence[str] = ("train", "val")) -> tuple[DataSource, tuple[str, ...]]:
    """The data that a configuration names, with notices for the user. Each YAML is parsed once.

    Raises UserError; see `read_description`.
    """
    notices: list[str] = []
    source = open_source(cfg.data, notices)
    if isinstance(source, Document) and _is_union(source):
        members = _read_members(source, require, cfg.root, notices)
        _check_planes(source, members)
        if not cfg.single_cls:  # then all are one class
            _check_names(source, members)
    else:
        members = [describe(source, require, cfg.root, notices)]
    if cfg.single_cls:
        members = [member.single_class() for member in members]
    return DataSource(tuple(members)), tuple(notices)


def _is_union(document: Document) -> bool:
    return isinstance(document.data, dict) and "union" in document.data


def _check_planes(document: Document, members: Sequence[DataDescription]) -> None:
    """Raise ConfigError naming two members whose pictures have other planes, the same stored otherwise, or pixels of
    another size.
    """
    first = members[0]
    for other in members[1:]:
        if other.mm_per_px != first.mm_per_px:
            one, two = (f"{printable(m.source.name)} ({m.mm_per_px or 'none'})" for m in (first, other))
            raise document.error(f"{one} and {two} differ in mm_per_px; sizes need one scale", "union")
        if other.channels == first.channels:
            continue
        one, two = (f"{printable(member.source.name)} ({', '.join(member.channels.made)})" for member in (first, other))
        advice = "channels, bit_depth, files and polar must agree"
        raise document.error(f"{one} and {two} have other planes, or store them otherwise; {advice}", "union")


def _check_names(document: Document, members: Sequence[DataDescription]) -> None:
    """Raise ConfigError naming two classes to train that would share a name, which their members know as one."""
    rows = _united(next(iter(member.synonyms.values())) for member in members)
    owner: dict[str, str] = {}
    for row in rows:
        for name in row:
            if (other := owner.setdefault(name_key(name), row[0])) != row[0]:
                two = f"'{printable(other)}' and '{printable(row[0])}' are both called '{printable(name)}'"
                raise document.error(f"{two}; make them one by `remap` in a member, or leave out that name", "union")


def _read_members(document: Document, require: Sequence[str], root: str, notices: list[str]) -> list[DataDescription]:
    """Each member as it would be read alone; its root, where one is given, is a folder of its name below `root`."""
    for key in document.data:
        if key != "union":
            raise document.error(f"'{printable(str(key))}' has no meaning beside 'union'; each member has its own", key)
    listed = document.data["union"]
    if not isinstance(listed, list) or len(listed) < 2 or not all(isinstance(n, str) and n.strip() for n in listed):
        raise document.error("'union' must list two or more data sets, e.g. union: [steel.yaml, wood.yaml]", "union")
    members = []
    for name in listed:
        beside = document.path.parent / name
        place = beside if beside.exists() else Path(name)
        source = open_source(place, notices)
        if isinstance(source, Document) and _is_union(source):
            raise document.error(f"{printable(name)} is a union itself; list its members", "union")
        if isinstance(source, Document) and isinstance(source.data, dict) and "world" in source.data:
            raise document.error(f"{printable(name)} is a world, which stands alone; write it first", "union")
        members.append(describe(source, require, str(Path(root) / place.stem) if root else "", notices))
    return members


def merge(split: str, members: Sequence[RecordSet]) -> RecordSet:
    """The records of all members in order, numbered from 1; classes in the order of their first appearance.

    All have the same channels.
    """
    numbers: dict[str, int] = {}
    synonyms: list[list[str]] = []
    tables = [np.array([_number(row, numbers, synonyms) for row in member.synonyms], np.int64) for member in members]
    records = MergedRecords([member.records for member in members], tables)
    rows = tuple(map(tuple, synonyms))
    ids = tuple(range(1, len(rows) + 1))
    names, data_report = tuple(row[0] for row in rows), _joined_report(split, members)
    return RecordSet(records, names, ids, data_report, rows, members[0].channels, members[0].mm_per_px)


def _united(members: Iterable[Iterable[Sequence[str]]]) -> list[list[str]]:
    """The classes of a union by those of its members, each by its name and all that it is called besides."""
    numbers: dict[str, int] = {}
    rows: list[list[str]] = []
    for member in members:
        for row in member:
            _number(row, numbers, rows)
    return rows


def _number(row: Sequence[str], numbers: dict[str, int], synonyms: list[list[str]]) -> int:
    """The union's number of a member's class; a new one when its name is new."""
    number = numbers.setdefault(name_key(row[0]), len(synonyms))
    if number == len(synonyms):
        synonyms.append([])
    known = {name_key(name) for name in synonyms[number]}
    synonyms[number] += [name for name in row if name_key(name) not in known]
    return number


def _joined_report(split: str, members: Sequence[RecordSet]) -> DataReport:
    reports = [member.data_report for member in members]
    return DataReport(
        split=split,
        found=sum(one.found for one in reports),
        used=sum(one.used for one in reports),
        good=sum(one.good for one in reports),
        boxes=sum(one.boxes for one in reports),
        skipped=_summed(one.skipped for one in reports),
        labels=_summed(one.labels for one in reports),
        rows=_summed(one.rows for one in reports),
        rows_dropped=_summed(one.rows_dropped for one in reports),
        problems=tuple(problem for one in reports for problem in one.problems),
        notices=tuple(notice for one in reports for notice in one.notices),
        bad=sum(one.bad for one in reports),
        findings=tuple(finding for one in reports for finding in one.findings),
    )


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """By key; a count of nothing stays."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
