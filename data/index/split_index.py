"""A split of a data set by its index: read once on a machine, opened by every process and every later run.

The index lies in the user's cache folder, one file for a data set, split and policy. It is used when nothing that was
read for it changed since; whether it is used or not changes no record, no data report and no message.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from data.files.data_report import DataReport, Finding, Problem
from data.files.stamps import StampBook
from data.index.column_file import UnusableIndex
from data.index.index_writer import IndexWriter, open_index
from data.labels.classes import SINGLE
from data.sets.data_yaml import DataDescription
from data.sets.split_reading import ReadPolicy, RecordSet, SplitFacts, SplitReader
from utils.config.paths import user_cache
from utils.console.log import LOG
from utils.words.errors import ConfigError, ResourceError, printable

RULES = 5  # raised when the same files give other records or another data report than before
LEAST = 2000  # pictures from which an index is made by itself; below it saves less than a second

IndexUse = Literal["auto", "always", "never"]


def read_indexed(description: DataDescription, split: str, policy: ReadPolicy, use: IndexUse) -> RecordSet:
    """What `read_records` gives, its records from an index where there is one or one is worth while.

    `auto` makes one from LEAST pictures on. Where it cannot be kept, the split is read without, and a notice says so.
    """
    if use == "never":
        return SplitReader(description, split, policy).in_memory()
    started = None
    try:
        path = index_path(description, split, policy)
        if use == "auto" and not path.exists():
            # How many pictures there are is known once they are listed. That work is kept for the index.
            started = _StampedReader(description, split, policy)
            if len(started.reader.pictures) < LEAST:
                return started.reader.in_memory()
        key = hashlib.sha256(repr((RULES, description)).encode("utf-8", "surrogatepass")).hexdigest()
        index = open_index(path, key, lambda at: _write(at, key, started or _StampedReader(description, split, policy)))
        return _facts(index.meta).record_set(index, description)
    except (ResourceError, UnusableIndex, _NoPlace) as error:
        LOG.info("no index of %s is kept: %s", split, error)
    return SplitReader(description, split, policy).in_memory()


def index_path(description: DataDescription, split: str, policy: ReadPolicy) -> Path:
    """Where the index of a split is kept. Raises _NoPlace."""
    single = description.names_of(split) == (SINGLE,)
    facts = (str(description.source), str(description.root), split, single, repr(replace(policy, workers=0)))
    try:
        folder = user_cache("index")
    except ConfigError as error:
        raise _NoPlace(str(error)) from error
    try:
        if folder.exists() and hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            raise _NoPlace(f"{printable(str(folder))} belongs to another user; set XDG_CACHE_HOME elsewhere")
    except OSError as error:
        why = error.strerror or error
        raise _NoPlace(f"{printable(str(folder))}: {why}; set XDG_CACHE_HOME elsewhere") from error
    return folder / f"{hashlib.sha256(repr(facts).encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.index"


class _NoPlace(Exception):
    """Why there is no folder for an index."""


class _StampedReader:
    """A reader that has listed its pictures, and the stamps of what decided which they are, taken before that."""

    def __init__(self, description: DataDescription, split: str, policy: ReadPolicy) -> None:
        self.book = StampBook()
        self.reader = SplitReader(description, split, policy, self.book)


def _write(path: Path, key: str, started: _StampedReader) -> None:
    """Read the split into an index file."""
    with IndexWriter(path) as writer:
        known = list(started.book.stamps.values())
        writer.add_stamps(known)
        for records, stamps in started.reader.chunks(stamped=True):
            writer.add_stamps(stamps)
            writer.add(records)
        facts = started.reader.finish()
        writer.add_stamps(list(started.book.stamps.values())[len(known) :])
        writer.finish(np.array(facts.image_ids, np.int64), key, _meta(facts))


def _meta(facts: SplitFacts) -> dict[str, Any]:
    return {
        "names": facts.names,
        "category_ids": facts.category_ids,
        "data_report": facts.data_report.plain(),
        "synonyms": facts.synonyms,
        "warning": facts.warning,
    }


def _facts(meta: dict[str, Any]) -> SplitFacts:
    data_report = meta["data_report"]
    findings = tuple(Finding(**{**row, "names": tuple(row["names"])}) for row in data_report["findings"])
    rows = {
        "problems": tuple(Problem(**problem) for problem in data_report["problems"]),
        "notices": tuple(data_report["notices"]),
        "findings": findings,
    }
    return SplitFacts(
        image_ids=(),
        names=tuple(meta["names"]),
        category_ids=tuple(meta["category_ids"]),
        data_report=DataReport(**{**data_report, **rows}),
        synonyms=tuple(tuple(row) for row in meta["synonyms"]),
        warning=meta["warning"],
    )
