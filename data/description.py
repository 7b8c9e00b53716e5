"""The data YAML: where the pictures of each split lie and what the classes are called.

    path: ../wood                 # absolute, or relative to this file, else to the working directory
    train: images/train           # folder, list file, glob, COCO json, or a list of those
    val: images/val
    names: {0: knot, 1: crack}
    labels: {train: labels/train/txt}                 # optional
    annotations: {train: annotations/train.json}      # optional, COCO json

The keys of YOLOv5 mean what they mean there; nothing in the file is executed or fetched.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.errors import ConfigError, DataError, printable
from utils.text import did_you_mean
from utils.yamlio import Document, read_yaml

SPLITS = ("train", "val", "test")
KEYS = ("path", *SPLITS, "nc", "names", "labels", "annotations")
LATER = ("channels", "polar", "bit_depth", "mm_per_px", "remap", "kpt_shape")
IGNORED = {
    "download": "is never run; fetch the data yourself",
    "roboflow": "says where the export came from and is not used",
}
SHIPPED = Path(__file__).resolve().parent.parent / "cfg" / "data"
EXAMPLE = "a data YAML needs e.g. 'path: ../wood', 'train: images/train', 'val: images/val', 'names: [knot, crack]'"


@dataclass(frozen=True, kw_only=True)
class DataDescription:
    """What a data YAML says, checked. All paths are absolute.

    `source` is the YAML; `splits[split]` its folders, list files, COCO jsons and globs (see `expand_glob`);
    `labels[split]` the folder of its txt labels and `annotations[split]` its COCO json, where given.
    `lines[key]` is `file:line` of a key, for messages.
    """

    source: Path
    root: Path
    names: tuple[str, ...]
    splits: dict[str, tuple[Path, ...]]
    labels: dict[str, Path]
    annotations: dict[str, Path]
    lines: dict[str, str]


def read_description(
    path: str | Path, require: Sequence[str] = ("train", "val")
) -> tuple[DataDescription, tuple[str, ...]]:
    """Read a data YAML, or the data.yaml of a folder; returns it with notices for the user.

    `path` is looked up as given, in cfg/data, then by its file name alone in cfg/data; `.yaml` may be left
    off. `require` names the splits that must be given and present. Raises ConfigError for what is written
    wrongly and DataError for what is not there.
    """
    notices: list[str] = []
    document = read_yaml(_find(path, notices))
    if not isinstance(document.data, dict):
        raise ConfigError(f"{document.where()}: holds no keys; {EXAMPLE}")
    _check_keys(document, require, notices)
    names = _names(document)
    places = _Places(document, notices)
    splits = {split: places.entries(split) for split in SPLITS if document.data.get(split) is not None}
    if "val" in splits and splits.get("train") == splits["val"]:
        notices.append(f"{document.where('val')}: train and val are the same pictures; the metrics will flatter")
    description = DataDescription(
        source=document.path,
        root=places.root,
        names=names,
        splits=splits,
        labels=places.per_split("labels"),
        annotations=places.per_split("annotations"),
        lines={str(key): document.where(key) for key in document.data},
    )
    for split in require:
        check_present(description, split)
    return description, tuple(notices)


def check_present(description: DataDescription, split: str) -> None:
    """Raise DataError, with file and line, when something the YAML names for `split` does not exist."""
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
    """The YAML meant by `path`."""
    given = Path(path)
    if os.path.isdir(given):
        for name in ("data.yaml", "data.yml"):
            if os.path.isfile(given / name):
                return given / name
        raise ConfigError(f"{printable(str(path))}: a folder without data.yaml; {EXAMPLE}")
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


def _names(document: Document) -> tuple[str, ...]:
    """Class names in the order of their ids."""
    value = document.data.get("names")
    if isinstance(value, dict):
        keys = list(value)
        ids = {_class_id(document, key): key for key in keys}
        for expected in range(len(keys)):
            if expected not in ids:
                raise document.error(f"names has no class {expected}; ids go from 0 to {len(keys) - 1}", "names")
        order = [ids[i] for i in range(len(keys))]
    elif isinstance(value, list):
        order = list(range(len(value)))
    else:
        raise document.error(f"'names' must list the classes; {EXAMPLE}", "names")
    names = tuple(_name(document, value[key], key) for key in order)
    if not names:
        raise document.error("'names' is empty; name at least one class", "names")
    _check_unique(document, names, order)
    count = document.data.get("nc")
    if count is not None and (isinstance(count, bool) or count != len(names)):
        shown = printable(repr(count))[:40]
        raise document.error(f"nc is {shown} but names has {len(names)}; remove nc or mend names", "nc")
    return names


def _class_id(document: Document, key: Any) -> int:
    if isinstance(key, str) and key.isascii() and key.isdigit():
        return int(key)
    if isinstance(key, int) and not isinstance(key, bool) and key >= 0:
        return key
    raise document.error(f"class id '{printable(str(key))}' must be a whole number from 0 up", "names", key)


def _name(document: Document, value: Any, key: Any) -> str:
    if isinstance(value, bool):
        raise document.error(f"YAML reads this name as {value}; put it in quotes", "names", key)
    if isinstance(value, (list, dict)) or value is None or not str(value).strip():
        raise document.error(f"class {key} has no name; write a word", "names", key)
    return str(value).strip()


def _check_unique(document: Document, names: tuple[str, ...], order: list[Any]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        first = seen.setdefault(name.casefold(), index)
        if first != index:
            message = f"classes {first} and {index} are both called '{printable(name)}' (case does not count)"
            raise document.error(f"{message}; rename one", "names", order[index])


class _Places:
    """Turns the paths of one data YAML into absolute ones."""

    def __init__(self, document: Document, notices: list[str]) -> None:
        self.document, self.notices = document, notices
        self.home = document.path.absolute().parent
        self.root = self._root()

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
        raise _missing(self.document.where("path"), "path", beside)

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
        """Below the root; without `path:` also below the working directory; `../x` also as `x` (Roboflow)."""
        first = _tidy(self.root / text)
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
