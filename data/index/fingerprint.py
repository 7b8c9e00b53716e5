"""What a split of a data set is known by: a few numbers and digests, which a run keeps to notice that its data changed.

It is the same with an index and without, and wherever the data lies; no picture is opened for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.files.shards import SUFFIX
from data.files.stamps import all_facts
from data.index.flat_truth import flatten
from data.index.record_index import RecordIndex
from data.index.record_sequence import MergedRecords
from data.pictures.plane_reader import PlaneReader
from data.sets.split_reading import RecordSet
from utils.values.channels import Channels
from utils.values.pictures_identity import PicturesIdentity
from utils.values.record import Record
from utils.values.split_fingerprint import SplitFingerprint


def fingerprint(split: RecordSet) -> SplitFingerprint:
    """What `split` is known by."""
    truth, paths = flatten(split.records), _paths(split.records)
    names = ("\0".join(_below_common_folder(member)) for member in paths)
    files = dict.fromkeys(file for member in paths for file in _files(member, split.channels))
    facts = all_facts([*files])
    rows = _raw(truth.boxes, np.float32), _raw(truth.labels, np.int32), _raw(truth.crowd, bool)
    return {
        "pictures": split.pictures,
        "boxes": len(truth.boxes),
        "words": _digest(repr(split.synonyms).encode("utf-8", "surrogatepass")),
        "names": _digest(*map(os.fsencode, names)),
        "sizes": _digest(_raw(truth.sizes, np.int32)),
        "truth": _digest(_raw(truth.counts, np.int64), *rows),
        "bytes": _digest(_raw(facts[:, 0], np.int64)),
        "times": _digest(_raw(facts[:, 1], np.int64)),
    }


def pictures_of(split: RecordSet) -> PicturesIdentity:
    """What tells the pictures of `split` from those of another."""
    return PicturesIdentity.of(fingerprint(split))


def _paths(records: Sequence[Record]) -> list[list[str]]:
    """The path of every picture; a list for each data set."""
    if isinstance(records, MergedRecords):
        return [paths for member in records.members for paths in _paths(member)]
    if isinstance(records, RecordIndex):
        return [records.paths()]
    return [[os.fspath(record.path) for record in records]]


def _below_common_folder(paths: list[str]) -> list[str]:
    """Each path without the folder that all share, so that a data set may be moved."""
    if not paths:
        return []
    cut = os.path.commonprefix([min(paths), max(paths)]).rfind(os.sep) + 1
    return [path[cut:] for path in paths]


def _files(paths: Sequence[str], channels: Channels) -> Iterator[str]:
    """The files that the pixels of pictures are read from; for those in a shard it is the shard, every time."""
    planes = None if channels.plain_rgb else PlaneReader(channels, max_pixels=0)
    for path in paths:
        home = path.rpartition(os.sep)[0]
        if home.endswith(SUFFIX):
            yield home
        elif planes is None:
            yield path
        else:
            yield from (os.fspath(file) for file, _, _ in planes.files(Path(path)) if file is not None)


def _raw(values: np.ndarray, kind: Any) -> bytes:
    return np.ascontiguousarray(values, kind).tobytes()


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}\n".encode())
        whole.update(part)
    return whole.hexdigest()[:32]
