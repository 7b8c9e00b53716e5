"""A data YAML written for a folder without one, or anew from another with every path absolute."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from data.files.yaml_paths import SPLITS
from data.labels.coco_places import find_coco
from data.sets.data_yaml import IGNORED, DataDescription, read_description
from utils.words.errors import ConfigError, ResourceError, printable
from utils.words.yamlio import read_yaml


def write_data_yaml(path: Path, description: DataDescription, lists: Mapping[str, Sequence[Path]]) -> None:
    """Write `path` (new), and a list of pictures beside it for each split in `lists`, which stand in for its splits.

    What was written is read again. Raises ConfigError where a file is there already, ResourceError where it cannot be
    written.
    """
    names = {split: f"{path.stem}-{split}.txt" for split in lists}
    head = "# written by python -m data.audit\n"
    keys = _keys(description, names)
    text = head + yaml.safe_dump(keys, sort_keys=False, allow_unicode=True, default_flow_style=None)
    contents = {path.with_name(names[split]): _listed(paths) for split, paths in lists.items()}
    contents[path] = text.encode()  # what is no UTF-8 is an escape in it
    if there := next((file for file in contents if os.path.lexists(file)), None):
        raise ConfigError(f"--write {printable(str(there))}: is there already; name a new file")
    try:
        for file, content in contents.items():
            with open(file, "xb") as stream:  # never over a file, nor through a link
                stream.write(content)
    except OSError as error:
        raise ResourceError(f"--write {printable(str(path))}: cannot be written: {error.strerror}") from error
    read_description(path, require=tuple(lists or description.splits))


def _keys(description: DataDescription, lists: Mapping[str, str]) -> dict[str, Any]:
    """The keys of a YAML that says what `description` says."""
    keys: dict[str, Any] = {"path": str(description.root)}
    if description.source.is_file():
        old = read_yaml(description.source).data
        keys |= {
            key: value for key, value in old.items() if key not in (*SPLITS, *IGNORED, "path", "labels", "annotations")
        }
        keys["names"] = _absolute(old.get("names"), description.source.absolute().parent)
    else:
        rows = {split: [_name(row) for row in classes.wordings] for split, classes in description.classes.items()}
        own = len({repr(names) for names in rows.values()}) > 1
        keys["names"] = rows if own else next(iter(rows.values()))
    annotations = dict(description.annotations)
    if lists:
        place = find_coco(description.root, "train", description.splits["train"])
        annotations = dict.fromkeys(lists, place) if place else {}
    places = {split: [str(entry) for entry in entries] for split, entries in description.splits.items()}
    for split, listed in places.items():
        keys[split] = listed[0] if len(listed) == 1 else listed
    keys |= lists
    for key, table in (("labels", description.labels), ("annotations", annotations)):
        if table:
            keys[key] = {split: str(place) for split, place in table.items()}
    return {key: value for key, value in keys.items() if value is not None}


def _name(row: Sequence[str]) -> str | list[str]:
    return row[0] if len(row) == 1 else list(row)


def _absolute(names: Any, home: Path) -> Any:
    """`names` with the files it may name as absolute paths."""
    if isinstance(names, str):
        return str(home / names)
    if isinstance(names, dict) and set(names) & set(SPLITS):
        return {split: _absolute(value, home) for split, value in names.items()}
    return names


def _listed(paths: Sequence[Path]) -> bytes:
    lines = [os.fsencode(path) for path in paths]
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise ConfigError("--write: a picture has a line break in its name, which no list can hold; rename it")
    return b"".join(line + b"\n" for line in lines)
