"""The data YAML, or a folder without one: where the pictures of each split lie and what the classes are called.

    path: ../wood                 # absolute, or relative to this file, else to the working directory
    train: images/train           # folder, list file, glob, COCO json, or a list of those
    val: images/val
    names: {0: knot, 1: crack}
    labels: {train: labels/train/txt}                 # optional
    annotations: {train: annotations/train.json}      # optional, COCO json
    remap: {knot_small: knot, dust: ignore}           # optional, see data/classes.py
    channels: [r, g, b]                               # optional, with bit_depth, files, polar: see data/channels.py

The keys of YOLOv5 mean what they mean there; nothing in the file is executed or fetched.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.channels import KEYS as CHANNEL_KEYS
from data.channels import read_channels
from data.classes import ClassMap, read_classes
from data.layouts import no_split, read_layout
from utils.channels import Channels
from utils.errors import ConfigError, DataError, printable
from utils.text import did_you_mean
from utils.yamlio import Document, read_yaml

SPLITS = ("train", "val", "test")
KEYS = ("path", *SPLITS, "nc", "names", "labels", "annotations", "remap", *CHANNEL_KEYS)
LATER = ("mm_per_px", "kpt_shape")
IGNORED = {
    "download": "is never run; fetch the data yourself",
    "roboflow": "says where the export came from and is not used",
}
SHIPPED = Path(__file__).resolve().parent.parent / "cfg" / "data"
EXAMPLE = "a data YAML needs e.g. 'path: ../wood', 'train: images/train', 'val: images/val', 'names: [knot, crack]'"


@dataclass(frozen=True, kw_only=True)
class DataDescription:
    """What a data YAML or the layout of a folder says, checked. All paths are absolute.

    `source` is the YAML or the folder; `classes` the classes of the label files and those trained;
    `splits[split]` its folders, list files, COCO jsons and globs (see `expand_glob`); `labels[split]` the folder
    of its txt or xml labels and `annotations[split]` its COCO json, where given. `lines[key]` is `file:line` of a
    key, for messages. `channels` are the planes of every picture.
    """

    source: Path
    root: Path
    classes: ClassMap
    splits: dict[str, tuple[Path, ...]]
    labels: dict[str, Path]
    annotations: dict[str, Path]
    lines: dict[str, str]
    channels: Channels = Channels()

    @property
    def names(self) -> tuple[str, ...]:
        """The trained classes."""
        return self.classes.names

    def single_class(self) -> DataDescription:
        """The same data with all classes as one, `defect`."""
        return replace(self, classes=self.classes.single())


def read_description(
    path: str | Path, require: Sequence[str] = ("train", "val"), root: str | Path = ""
) -> tuple[DataDescription, tuple[str, ...]]:
    """Read a data YAML, the data.yaml of a folder, or a folder's layout; returns it with notices for the user.

    `path` is looked up as given, in cfg/data, then by its file name alone in cfg/data; `.yaml` may be left
    off. `require` names the splits that must be given and present. `root` stands in for the YAML's `path:`. Raises
    ConfigError for what is written wrongly and DataError for what is not there.
    """
    notices: list[str] = []
    source = _find(path, notices)
    if os.path.isdir(source):
        description = _of_folder(source, root, notices)
    else:
        description = _of_yaml(read_yaml(source), require, root, notices)
    for split in require:
        check_present(description, split)
    return description, tuple(notices)


def _of_yaml(document: Document, require: Sequence[str], root: str | Path, notices: list[str]) -> DataDescription:
    if not isinstance(document.data, dict):
        raise ConfigError(f"{document.where()}: holds no keys; {EXAMPLE}")
    _check_keys(document, require, notices)
    classes = read_classes(document, EXAMPLE)
    if changes := classes.words():
        notices.append(f"{document.where('remap')}: {changes}")
    places = _Places(document, notices, root)
    splits = {split: places.entries(split) for split in SPLITS if document.data.get(split) is not None}
    if "val" in splits and splits.get("train") == splits["val"]:
        notices.append(f"{document.where('val')}: train and val are the same pictures; the metrics will flatter")
    return DataDescription(
        source=document.path,
        root=places.root,
        classes=classes,
        splits=splits,
        labels=places.per_split("labels"),
        annotations=places.per_split("annotations"),
        lines={str(key): document.where(key) for key in document.data},
        channels=read_channels(document),
    )


def _of_folder(folder: Path, root: str | Path, notices: list[str]) -> DataDescription:
    """A folder without data.yaml, read by its layout."""
    if root:
        raise ConfigError(f"data.root {printable(str(root))}: replaces the path of a data YAML, but --data is a folder")
    folder = folder.absolute()
    layout = read_layout(folder)
    notices += layout.notices
    return DataDescription(
        source=folder,
        root=folder,
        classes=ClassMap.plain(layout.names),
        splits={split: (place,) for split, place in layout.splits.items()},
        labels={},
        annotations={},
        lines={split: printable(str(place)) for split, place in layout.splits.items()},
    )


def check_present(description: DataDescription, split: str) -> None:
    """Raise when something named for `split` does not exist: DataError, or ConfigError for a folder without it."""
    if split not in description.splits:
        raise ConfigError(f"{printable(str(description.source))}: {no_split(split)}")
    for entry in description.splits[split]:
        if not os.path.exists(entry) and next(expand_glob(entry), None) is None:
            raise _missing(description.lines[split], split, entry)
    for key, folders in (("labels", description.labels), ("annotations", description.annotations)):
        if split in folders and not os.path.exists(folders[split]):
            raise _missing(description.lines[key], f"{key} of {split}", folders[split])


def expand_glob(entry: Path) -> Iterator[Path]:
    """What a glob (with `**`) matches, in no particular order; nothing for a path without wildcards."""
    if not glob.has_magic(str(entry)):
        return
    # Folders above the pattern may have [ ] in their own names: start below the deepest that exists.
    base = next(parent for parent in entry.parents if os.path.isdir(parent))
    pattern = str(entry.relative_to(base))
    for match in glob.iglob(pattern, root_dir=base, recursive=True):
        yield base / match


def _find(path: str | Path, notices: list[str]) -> Path:
    """The YAML meant by `path`, or the folder when it has none."""
    given = Path(path)
    if os.path.isdir(given):
        for name in ("data.yaml", "data.yml"):
            if os.path.isfile(given / name):
                return given / name
        return given
    yamls = [given] if given.suffix in (".yaml", ".yml") else [given, given.with_name(given.name + ".yaml")]
    folders = [Path(), SHIPPED]
    for candidate in (folder / name for folder in folders for name in yamls):
        if os.path.isfile(candidate):
            return candidate
    for candidate in (SHIPPED / name.name for name in yamls):
        if os.path.isfile(candidate):
            notices.append(f"{printable(str(path))} does not exist; taking {candidate.name} of cfg/data")
            return candidate
    near = did_you_mean(yamls[-1].name, [p.name for p in _siblings(given)] + [p.name for p in _siblings(SHIPPED / "x")])
    raise ConfigError(f"{printable(str(path))}: data YAML not found, neither as given nor in cfg/data{near}")


def _siblings(path: Path) -> list[Path]:
    try:
        return sorted(path.parent.iterdir())
    except (OSError, ValueError):
        return []


def _check_keys(document: Document, require: Sequence[str], notices: list[str]) -> None:
    for key in document.data:
        if key in IGNORED:
            notices.append(f"{document.where(key)}: '{key}' {IGNORED[key]}")
        elif key in LATER:
            raise document.error(f"'{key}' is not supported yet; remove it", key)
        elif key not in KEYS:
            near = did_you_mean(str(key), KEYS)
            raise document.error(f"unknown key '{printable(str(key))}'{near or '; known are ' + ', '.join(KEYS)}", key)
    for key in require:
        if document.data.get(key) is None:
            raise document.error(f"'{key}' is missing: where are its pictures? {EXAMPLE}", key)


class _Places:
    """Turns the paths of one data YAML into absolute ones."""

    def __init__(self, document: Document, notices: list[str], root: str | Path) -> None:
        self.document, self.notices = document, notices
        self.home = document.path.absolute().parent
        self.root = self._replaced(root) if root else self._root()

    def _replaced(self, root: str | Path) -> Path:
        """The root that the user names in place of `path:`."""
        if os.path.isdir(root):
            return _tidy(Path.cwd() / root)
        raise _missing("data.root", "stands in for the data YAML's path", _tidy(Path.cwd() / root))

    def _root(self) -> Path:
        value = self.document.data.get("path")
        if value is None:
            return self.home
        text = self._text(value, "path")
        beside, here = _tidy(self.home / text), _tidy(Path.cwd() / text)
        if os.path.isdir(beside):
            return beside
        if os.path.isdir(here):
            self.notices.append(
                f"{self.document.where('path')}: taken relative to the working directory: {printable(str(here))}"
            )
            return here
        shown = printable(str(beside))
        advice = "mend path, fetch the data, or say where it is with --set data.root=FOLDER"
        raise DataError(f"{self.document.where('path')}: path: {shown} does not exist; {advice}")

    def entries(self, split: str) -> tuple[Path, ...]:
        value = self.document.data[split]
        values = value if isinstance(value, list) else [value]
        if not values:
            raise self.document.error(f"'{split}' is an empty list; {EXAMPLE}", split)
        return tuple(self._place(self._text(text, split), split) for text in values)

    def per_split(self, key: str) -> dict[str, Path]:
        value = self.document.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.document.error(f"'{key}' must say it per split, e.g. {key}: {{train: {key}/train}}", key)
        for split in value:
            if split not in SPLITS:
                near = did_you_mean(str(split), SPLITS)
                raise self.document.error(f"'{printable(str(split))}' is not a split{near}", key, split)
        return {split: self._place(self._text(text, key, split), key) for split, text in value.items()}

    def _text(self, value: Any, *keys: str) -> str:
        if isinstance(value, str) and value.strip():
            return value
        raise self.document.error(f"'{keys[-1]}' must be a path, not {printable(repr(value))[:60]}", *keys)

    def _place(self, text: str, key: str) -> Path:
        """Below the root; a list file also beside the YAML; without `path:` also below the working directory; `../x`
        also as `x` (Roboflow).
        """
        first, beside = _tidy(self.root / text), _tidy(self.home / text)
        if text.endswith(".txt") and not os.path.exists(first) and os.path.isfile(beside):
            return beside
        others = [] if self.document.data.get("path") is not None else [_tidy(Path.cwd() / text)]
        if text.startswith("../"):
            others.append(_tidy(self.root / text[3:]))
        if os.path.exists(first) or glob.has_magic(text):
            return first
        for other in others:
            if os.path.exists(other):
                self.notices.append(f"{self.document.where(key)}: '{printable(text)}' taken as {printable(str(other))}")
                return other
        return first


def _tidy(path: Path) -> Path:
    """Without `..` where that means the same place (behind a symbolic link it may not)."""
    short = Path(os.path.normpath(path))
    if os.path.exists(path) and not (os.path.exists(short) and short.samefile(path)):
        return path
    return short


def _missing(where: str, what: str, path: Path) -> DataError:
    """Names the whole path, and what is there instead at the first folder that fails."""
    gap = path
    while not os.path.exists(gap.parent):
        gap = gap.parent
    near = did_you_mean(gap.name, [p.name for p in _siblings(gap)])
    shown = printable(str(path))
    return DataError(f"{where}: {what}: {shown} does not exist{near or '; mend the path or fetch the data'}")
