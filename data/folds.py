"""Folds of a data set, for cross-validation: `python -m data.folds --data my.yaml --folds 5 --out FOLDER`.

Training and validation pictures are divided again; FOLDER/fold1.yaml validates on the first part and trains on the
others, and so on, so that every picture is validated on once; FOLDER/all.yaml is for scoring all folds' detections
together (val.py --from-preds). The lists name the pictures where they lie; their truth
is one COCO json for all folds, whose picture ids are the same in each. Every fold has its share of the pictures of
each class, by the rarest class that a picture shows. Near-duplicates are not looked for (`python -m data.audit` does):
`--group` keeps pictures together that are called alike.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from data.files.shards import is_member
from data.index.coco_writer import IGNORED, ignores, write_coco
from data.index.flat_truth import GOOD, flatten
from data.index.union import merge, open_data
from data.pictures.channel_keys import channel_keys
from data.pictures.plane_reader import stem_of
from data.sets.data_folders import keep_results_out
from data.sets.split_reading import ReadPolicy, RecordSet, read_records
from utils.config.config import DataConfig
from utils.console.log import LOG
from utils.console.script import run_script
from utils.files.output_paths import relative_paths
from utils.files.runs import new_folder
from utils.flags.command_flags import FoldsFlags, parse_folds
from utils.values.channels import Channels
from utils.values.record import Record
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import counted

SPLITS = ("train", "val")


def main_story(argv: Sequence[str] | None) -> int:
    """Read all pictures, divide them, write what describes the parts."""
    flags = parse_folds(argv)
    out = Path(flags.out).absolute()
    truth = read_all(flags)
    paths = relative_paths([record.path for record in truth.records])
    groups = group_pictures(paths, truth.channels, flags.group)
    rare = flatten(truth.records).rarest_classes().tolist()
    folds = divide(groups, rare, flags.folds, flags.seed)
    with new_folder(out):
        write_folds(out, truth, folds, flags)
    for line in words_of(truth, folds, rare, flags):
        LOG.info(line)
    LOG.info("done: python train.py --data %s, and so on", printable(str(out / "fold1.yaml")))
    return 0


def read_all(flags: FoldsFlags) -> RecordSet:
    """The training and validation pictures as one set, sorted by path, numbered from 1. Raises UserError."""
    cfg = DataConfig(data=flags.data, root=flags.root, max_pixels=flags.max_pixels)
    source, notices = open_data(cfg, require=())
    keep_results_out(Path(flags.out), source.members, "--out")
    for notice in notices:
        LOG.info(notice)
    policy = ReadPolicy(
        bad_data="error" if flags.bad_data == "error" else "skip",
        drop_duplicates=False,
        allow_empty=flags.allow_empty,
        max_pixels=flags.max_pixels,
    )
    sets = [
        read_records(member, split, policy) for member in source.members for split in SPLITS if split in member.splits
    ]
    if not sets:
        raise ConfigError(f"--data {printable(flags.data)}: names no pictures; add train and val")
    whole = merge("folds", sets)
    for line in whole.data_report.lines():
        LOG.info(line)
    pictures: dict[Path, Record] = {}
    for record in whole.records:
        known = pictures.setdefault(record.path.absolute(), record)
        if not _same_rows(known, record):
            raise DataError(f"{printable(str(record.path))}: has other boxes in another of the sets; label it in one")
    for path in pictures:
        if is_member(path):
            raise ConfigError(f"--data {printable(flags.data)}: is packed; divide the set that it was made of")
        if any(c in str(path) for c in "\r\n"):
            raise DataError(f"{printable(str(path))}: has a line break in its name, which no list can hold; rename it")
    rows = enumerate(sorted(pictures, key=Path.as_posix), 1)
    return replace(whole, records=tuple(replace(pictures[path], path=path, image_id=number) for number, path in rows))


def _same_rows(one: Record, other: Record) -> bool:
    """Whether two records have the same truth, in any order, but for what another kind of label file rounds away."""
    return len(one.labels) == len(other.labels) and np.allclose(_rows(one), _rows(other), rtol=0, atol=1e-3)


def _rows(record: Record) -> np.ndarray:
    """(N, 6) label, crowd, xyxy fractions, sorted."""
    rows = np.column_stack([record.labels, record.crowd, record.boxes])
    return rows[np.lexsort(rows.round(2).T[::-1])]


def group_pictures(paths: Sequence[Path], channels: Channels, pattern: str) -> list[str]:
    """What each picture has in common with those of its group: what `pattern` finds in its stem, in its parentheses
    where it has some; else its own name. Raises ConfigError.
    """
    if not pattern:
        return [path.as_posix() for path in paths]
    shown = f"--group {printable(pattern)}"
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{shown}: is no regular expression: {error}; e.g. --group '^[^_]+'") from error
    groups, found = [], 0
    for path in paths:
        stem = (stem_of(path.name, channels.files, channels.image[0]) if channels.files else None) or path.stem
        match = expression.search(stem)
        found += match is not None
        parts = (match.groups("") or (match[0],)) if match else ()
        groups.append("\n".join(("", *parts)) if parts else path.as_posix())
    if not found:
        raise ConfigError(f"{shown}: is found in no picture's name, such as {printable(paths[0].stem)}; mend it")
    return groups


def divide(groups: Sequence[str], rare: Sequence[int], folds: int, seed: int) -> np.ndarray:
    """(N,) the fold 0..folds-1 of each picture; equal `groups` share one, and each stratum in `rare` is spread evenly.

    The rarest stratum goes first, a group to the fold with the fewest of its own rarest stratum, then with the fewest
    pictures. Equal for equal arguments on every machine. Raises ConfigError for fewer groups than folds.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    if len(members) < folds:
        parts = f"{counted(len(groups), 'picture')} in {counted(len(members), 'group')}"
        raise ConfigError(f"--folds {folds}: there are only {parts}; take fewer folds")
    pictures = Counter(rare)
    rarest = {g: min((rare[i] for i in m), key=lambda k: (pictures[k], k)) for g, m in members.items()}
    shuffled = [list(members)[i] for i in np.random.default_rng(seed).permutation(len(members))]
    shuffled.sort(key=lambda g: (pictures[rarest[g]], rarest[g], -len(members[g])))
    held = [Counter[int]() for _ in range(folds)]
    where = np.zeros(len(groups), np.int64)
    for group in shuffled:
        stratum = rarest[group]
        fold = min(range(folds), key=lambda f: (held[f][stratum], held[f].total(), f))
        held[fold].update(rare[i] for i in members[group])
        where[members[group]] = fold
    return where


def write_folds(out: Path, truth: RecordSet, folds: np.ndarray, flags: FoldsFlags) -> None:
    """Truth, lists and YAMLs into the new folder `out`. Raises OSError."""
    write_coco(out / "truth.json", truth, [r.path.as_posix() for r in truth.records], unlabelled=True)
    parts = {f"fold{fold + 1}": {"train": folds != fold, "val": folds == fold} for fold in range(flags.folds)}
    for name, splits in {**parts, "all": {"val": np.ones(len(folds), bool)}}.items():
        for split, chosen in splits.items():
            paths = [os.fsencode(truth.records[i].path) + b"\n" for i in np.flatnonzero(chosen).tolist()]
            (out / f"{name}-{split}.txt").write_bytes(b"".join(paths))
        head = f"# written by python -m data.folds: {name} of {flags.folds} folds, seed {flags.seed}\n"
        keys = _keys(truth, {split: f"{name}-{split}.txt" for split in splits})
        text = yaml.safe_dump(keys, sort_keys=False, allow_unicode=True, default_flow_style=None)
        (out / f"{name}.yaml").write_text(head + text, encoding="utf-8")


def _keys(truth: RecordSet, lists: dict[str, str]) -> dict[str, Any]:
    """The data YAML of some lists of pictures. Classes are as `remap` made them; what it ignored stays ignored."""
    names: list[Any] = [row[0] if len(row) == 1 else list(row) for row in truth.synonyms]
    ignored = ignores(truth)
    return {
        **lists,
        "annotations": dict.fromkeys(lists, "truth.json"),
        "names": names + [IGNORED] * ignored,
        **({"remap": {IGNORED: "ignore"}} if ignored else {}),
        **channel_keys(truth.channels),
        **({"mm_per_px": truth.mm_per_px} if truth.mm_per_px is not None else {}),
    }


def words_of(truth: RecordSet, folds: np.ndarray, rare: Sequence[int], flags: FoldsFlags) -> list[str]:
    """A line per fold with the pictures of each class, and one that names classes too rare for all folds."""
    shown = [set(record.counted()[1].tolist()) for record in truth.records]
    lines, without = [], Counter[str]()
    for fold in range(flags.folds):
        mine = np.flatnonzero(folds == fold).tolist()
        pictures = Counter(label for i in mine for label in shown[i])
        parts = [f"{name} {pictures[label]}" for label, name in enumerate(truth.names)]
        good = sum(rare[i] == GOOD for i in mine)
        lines.append(f"fold {fold + 1}: {counted(len(mine), 'picture')} ({good} good); with {', '.join(parts)}")
        without.update(name for label, name in enumerate(truth.names) if not pictures[label])
    missing = [f"{name} in {count}" for name, count in without.items()]
    return [*lines, *([f"nothing to validate of {', '.join(missing)} of {flags.folds} folds"] if missing else [])]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
