"""What a split of a data set is known by: a few numbers and digests, which a run keeps to notice that its data changed.

It is the same with an index and without, and wherever the data lies; no picture is opened for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.files.shards import SUFFIX
from data.files.stamps import take_stamps
from data.index.flat_truth import flatten
from data.index.record_index import RecordIndex
from data.index.record_sequence import MergedRecords
from data.pictures.plane_reader import PlaneReader
from data.sets.split_reading import RecordSet
from utils.values.record import Record
from utils.values.split_fingerprint import SplitFingerprint


def fingerprint(split: RecordSet) -> SplitFingerprint:
    """What `split` is known by."""
    truth = flatten(split.records)
    parts = [_below_common_folder(paths) for paths in _paths(split.records)]
    stamps = take_stamps(dict.fromkeys(_files(split)))  # of many pictures in a shard one
    facts = np.array([stamp.facts for stamp in stamps], np.int64).reshape(-1, 4)
    return {
        "pictures": len(truth.counts),
        "boxes": len(truth.boxes),
        "words": _digest([repr(split.synonyms).encode("utf-8", "surrogatepass")]),
        "names": _digest(b"\0".join(names) for names in parts),
        "sizes": _digest([_raw(truth.sizes, np.int32)]),
        "truth": _digest(
            [
                _raw(truth.counts, np.int64),
                _raw(truth.boxes, np.float32),
                _raw(truth.labels, np.int32),
                _raw(truth.crowd, bool),
            ]
        ),
        "bytes": _digest([_raw(facts[:, 0], np.int64)]),
        "times": _digest([_raw(facts[:, 1], np.int64)]),
    }


def _paths(records: Sequence[Record]) -> list[list[bytes]]:
    """The path of every picture; a list for each data set."""
    if isinstance(records, MergedRecords):
        return [paths for member in records.members for paths in _paths(member)]
    if isinstance(records, RecordIndex):
        return [records.paths()]
    return [[os.fsencode(record.path) for record in records]]


def _below_common_folder(paths: list[bytes]) -> Iterable[bytes]:
    """Each path without the folder that all share, so that a data set may be moved."""
    if not paths:
        return []
    first, last = min(paths), max(paths)
    same = next((k for k, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    cut = first.rfind(os.fsencode(os.sep), 0, same) + 1
    return [path[cut:] for path in paths]


def _files(split: RecordSet) -> Iterable[str]:
    """The files that the pixels of a split are read from; a picture in a shard stands for its shard."""
    planes = None if split.channels.plain_rgb else PlaneReader(split.channels, max_pixels=0)
    for raw in (path for paths in _paths(split.records) for path in paths):
        path = os.fsdecode(raw)
        home = os.path.dirname(path)
        if home.endswith(SUFFIX):
            yield home
        elif planes is None:
            yield path
        else:
            yield from (os.fspath(file) for file, _, _ in planes.files(Path(path)) if file is not None)


def _raw(values: np.ndarray, kind: Any) -> bytes:
    return np.ascontiguousarray(values, kind).tobytes()


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}\n".encode())
        whole.update(part)
    return whole.hexdigest()[:32]
