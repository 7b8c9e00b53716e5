"""The flat index of a data set: up to millions of Records in one file that all processes map into their memory.

It is written once per machine and read by every rank and worker; pickled, it is a path. It is a copy, never the source:
when a picture, a label file or a folder has changed, or the file is damaged or of an older format, it is rebuilt.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from data.files.stamps import THREADS, Stamp, change, same_facts, take_stamp
from data.index.column_file import Columns, open_columns
from data.index.record_sequence import RecordSequence
from utils.values.record import Record
from utils.words.errors import DataError, printable

CHUNK = 4096  # files looked at at a time
LABELLED = 1  # a bit of the column `flags`


class RecordIndex(RecordSequence):
    """The Records of an index file in order; each is made when it is asked for, equal to the one that was written.

    Besides, everything by column, read-only: `sizes` (P, 2) int32 height and width px, `image_ids` (P,), `boxes` (N, 4)
    float32 xyxy fractions, `labels` (N,) int32 and `crowd` (N,) of all pictures one after the other.
    """

    def __init__(self, path: Path, verify: bool = True) -> None:
        """Raises UnusableIndex; `verify` compares the CRC of every column, which reads the whole file once."""
        self.path = path
        self._map(open_columns(path, verify))

    def _map(self, columns: Columns) -> None:
        self.columns, self.arrays = columns, columns.arrays
        self.sizes, self.image_ids = self.arrays["sizes"], self.arrays["image_ids"]
        self.boxes, self.labels, self.crowd = (self.arrays[name] for name in ("boxes", "labels", "crowd"))

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "fingerprint": self.columns.fingerprint}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        columns = open_columns(self.path, verify=False)  # the process that pickled it opened it before
        if columns.fingerprint != state["fingerprint"]:
            raise DataError(f"{printable(str(self.path))}: was rebuilt while it was in use; start again")
        self._map(columns)

    @property
    def key(self) -> str:
        """What the caller made it for."""
        return str(self.columns.header["key"])

    @property
    def meta(self) -> dict[str, Any]:
        """What the caller kept beside the records."""
        return dict(self.columns.header["meta"])

    def __len__(self) -> int:
        return len(self.image_ids)

    def _record(self, index: int) -> Record:
        start, end = _span(self.arrays["box_ends"], index)
        height, width = self.sizes[index].tolist()
        return Record(
            path=Path(_text(self.arrays["paths"], self.arrays["path_ends"], index)),
            image_id=int(self.image_ids[index]),
            size=(height, width),
            boxes=self.boxes[start:end].copy(),
            labels=self.labels[start:end].astype(np.int64),
            crowd=self.crowd[start:end].copy(),
            labelled=bool(self.arrays["flags"][index] & LABELLED),
        )

    def paths(self) -> list[str]:
        """The path of every picture."""
        raw, ends = self.arrays["paths"].tobytes(), [0, *self.arrays["path_ends"].tolist()]
        return [os.fsdecode(raw[start:end]) for start, end in pairwise(ends)]

    @property
    def box_counts(self) -> np.ndarray:
        """(P,) int64: rows per picture, crowd rows too."""
        return np.diff(self.arrays["box_ends"].astype(np.int64), prepend=0)

    def changes(self, most: int = 3) -> tuple[int, list[str]]:
        """How many of the stamped files changed since, and the first of them with what happened, in words."""
        count, first = 0, []
        starts = range(0, len(self.arrays["file_facts"]), CHUNK)
        with ThreadPoolExecutor(THREADS) as pool:
            for suspects in pool.map(self._suspects, starts):
                for old in suspects:
                    if happened := change(old, take_stamp(old.path)):
                        count += 1
                        first += [f"{printable(old.path)} {happened}"] if count <= most else []
        return count, first

    def _suspects(self, start: int) -> list[Stamp]:
        """The stamps of a chunk of files whose facts are others now."""
        facts = self.arrays["file_facts"][start : start + CHUNK]
        ends = self.arrays["file_ends"][start : start + CHUNK].tolist()
        begin, _ = _span(self.arrays["file_ends"], start)
        raw = self.arrays["files"][begin : ends[-1]].tobytes()
        cuts = [0, *(end - begin for end in ends)]
        paths = [os.fsdecode(raw[cuts[i] : cuts[i + 1]]) for i in range(len(ends))]
        contents = self.columns.header["contents"]
        return [
            Stamp(paths[i], tuple(facts[i].tolist()), contents.get(paths[i], ""))
            for i in np.flatnonzero(~same_facts(paths, facts)).tolist()
        ]


def _span(ends: np.ndarray, index: int) -> tuple[int, int]:
    return int(ends[index - 1]) if index else 0, int(ends[index])


def _text(raw: np.ndarray, ends: np.ndarray, index: int) -> str:
    start, end = _span(ends, index)
    return os.fsdecode(raw[start:end].tobytes())
