"""Lists of class names: in a data YAML, in files beside it, or as the categories of COCO jsons.

names: [knot, crack]                                # or {0: knot, 1: crack}
names: names/wood.txt                               # one name per line; a file lies relative to the YAML
names: texts.json                                   # [["crack", "fissure"], ["dust"]]: synonyms, the first is the name
names: {train: names/base.txt, val: [crack, dent]}  # per split, each in any of these forms
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data.files.yaml_paths import EXAMPLE, SPLITS, siblings
from data.labels.classes import Names
from data.labels.coco_labels import read_category_names
from data.pictures.picture_decoder import read_file
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, printable
from utils.words.synonyms import check_names, read_synonyms
from utils.words.text import counted, did_you_mean
from utils.words.yamlio import Document

FILE_BYTES = 1 << 20
WHOLE = re.compile(r"[0-9]{1,9}(\.0*)?")


def read_names(document: Document, splits: Sequence[str]) -> dict[str, Names]:
    """The names of each of `splits` as a data YAML says them. Raises ConfigError with file and line."""
    value = document.data["names"]
    if isinstance(value, dict) and any(split in value for split in SPLITS):
        names = _per_split(document, value, splits)
    else:
        names = dict.fromkeys(splits, _read(document, value, "names"))
    check_count(document, names)
    return names


def check_count(document: Document, names: Mapping[str, Names]) -> None:
    """Whether the key `nc` counts the first split's names. Raises ConfigError with file and line."""
    first = next(iter(names.values()), ())
    if document.data.get("nc") is None:
        return
    text = document.text("nc") or "no number"
    if not WHOLE.fullmatch(text) or float(text) != len(first):
        shown = printable(text)[:40]
        raise document.error(f"nc is {shown} but names has {len(first)}; remove nc or mend names", "nc")


def of_categories(jsons: Mapping[str, Sequence[Path]]) -> tuple[dict[str, Names], tuple[str, ...]]:
    """The names of each split out of its COCO jsons (none: those of the first split that has some), with notices.

    They are in the order of the category ids of the first split. A split that names classes the first does not has
    names of its own. Without any json no split has names. Raises ConfigError or DataError.
    """
    own = {split: _union(paths) for split, paths in jsons.items() if paths}
    if not own:
        return {}, ()
    first, reference = next(iter(own.items()))
    known = {name_key(row[0]): row for row in reference}
    names = dict.fromkeys(jsons, reference)
    notices = [_said(first, reference, jsons[first][0])]
    for split, rows in own.items():
        both = [known[name_key(row[0])] for row in rows if name_key(row[0]) in known]
        if len(both) < len(rows):
            names[split] = rows
            words = f"{first} and {split} name different classes, {len(both):,} of them in both; each keeps its own"
            notices += [_said(split, rows, jsons[split][0]), words]
        elif len(both) < len(reference):
            words = f"has {len(both):,} of the {counted(len(reference), 'class')} of {first}; all of them count"
            notices.append(f"{printable(str(jsons[split][0]))}: {words}")
        elif tuple(both) != reference:
            words = f"numbers the classes otherwise than {first}; they are matched by name, in txt by {first}'s numbers"
            notices.append(f"{printable(str(jsons[split][0]))}: {words}")
    return names, tuple(notices)


def read_name_file(path: Path) -> tuple[str, ...]:
    """Names of a text file: one per line, in the order of the class numbers. Raises ConfigError with file and line."""
    shown = printable(str(path))
    try:
        lines = read_file(path, FILE_BYTES).decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown}: is not UTF-8 text; save it as UTF-8") from error
    names = tuple(line.strip() for line in lines)
    if not names:
        raise ConfigError(f"{shown}: is empty; write one class name per line")
    for number, name in enumerate(names, 1):
        if not name:
            raise ConfigError(f"{shown}:{number}: an empty line between the names; each line is one class")
    twins = _twins(names)
    if twins:
        message = f"'{printable(names[twins[1]])}' is also on line {twins[0] + 1}"
        raise ConfigError(f"{shown}:{twins[1] + 1}: {message} (case does not count); rename one")
    return names


def _per_split(document: Document, table: dict[Any, Any], splits: Sequence[str]) -> dict[str, Names]:
    """A list for each split; every split with pictures needs one."""
    for key in table:
        if key not in SPLITS:
            near = did_you_mean(str(key), SPLITS)
            message = f"'{printable(str(key))}' is not a split{near or ', as the other keys here are'}"
            raise document.error(f"{message}; write {{train: [...], val: [...]}}, or one list for all", "names", key)
    for split in splits:
        if table.get(split) is None:
            advice = f"write {{{split}: [...]}} as well, or one list for all"
            raise document.error(f"names of {split} are missing; {advice}", "names", split)
    read = {split: _read(document, value, "names", split) for split, value in table.items() if value is not None}
    return {split: read[split] for split in splits}


def _read(document: Document, value: Any, *keys: str) -> Names:
    """One list in any of its forms."""
    if isinstance(value, str) and value.lower().endswith((".txt", ".json")):
        path = Path(os.path.normpath(document.path.absolute().parent / value))
        if not os.path.isfile(path):
            near = did_you_mean(path.name, [p.name for p in siblings(path)])
            message = f"names: {printable(str(path))} does not exist"
            raise document.error(f"{message}{near or '; it is looked up relative to this file'}", *keys)
        return read_synonyms(path) if path.suffix.lower() == ".json" else _alone(read_name_file(path))
    return _alone(_listed(document, value, *keys))


def _listed(document: Document, value: Any, *keys: str) -> tuple[str, ...]:
    """Class names in the order of their ids."""
    if isinstance(value, dict):
        ids = {_class_id(document, key, *keys): key for key in value}
        for expected in range(len(value)):
            if expected not in ids:
                raise document.error(f"names has no class {expected}; ids go from 0 to {len(value) - 1}", *keys)
        order = [ids[i] for i in range(len(value))]
    elif isinstance(value, list):
        order = list(range(len(value)))
    else:
        raise document.error(f"'names' must list the classes or name a .txt or .json file; {EXAMPLE}", *keys)
    names = tuple(_name(document, *keys, key) for key in order)
    if not names:
        raise document.error("'names' is empty; name at least one class", *keys)
    twins = _twins(names)
    if twins:
        message = f"classes {twins[0]} and {twins[1]} are both called '{printable(names[twins[1]])}'"
        advice = "(case does not count); rename one, or merge them with remap under two names"
        raise document.error(f"{message} {advice}", *keys, order[twins[1]])
    return names


def _class_id(document: Document, key: Any, *keys: str) -> int:
    if isinstance(key, str) and key.isascii() and key.isdigit():
        return int(key)
    if isinstance(key, int) and not isinstance(key, bool) and key >= 0:
        return key
    near = did_you_mean(str(key), SPLITS)
    raise document.error(f"class id '{printable(str(key))}' must be a whole number from 0 up{near}", *keys, key)


def _name(document: Document, *keys: Any) -> str:
    """A name as it is written: 010, 1.10 and yes are names."""
    value: Any = document.data
    for key in keys:
        value = value[key]
    if isinstance(value, (list, dict)):
        advice = "write one word; several for one class go into a .json file: names: texts.json"
        raise document.error(f"class {keys[-1]} is a list, no name; {advice}", *keys)
    name = (document.text(*keys) or "").strip()
    if name in ("", "~"):
        raise document.error(f"class {keys[-1]} has no name; write a word", *keys)
    return name


def _twins(names: Sequence[str]) -> tuple[int, int] | None:
    """The first two positions that hold one name (case and blanks do not count), None if there are none."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        first = found.setdefault(name_key(name), index)
        if first != index:
            return first, index
    return None


def _alone(names: Iterable[str]) -> Names:
    """Each name without synonyms."""
    return tuple((name,) for name in names)


def _union(paths: Sequence[Path]) -> Names:
    """The names of some jsons, each where it appears first."""
    found: dict[str, str] = {}
    for path in paths:
        names = read_category_names(path)
        where = f"{printable(str(path))}: categories"
        if not names:
            raise ConfigError(f"{where}: there are none; mend the file, or write 'names' in the data YAML")
        check_names(_alone(names), where, "class")
        for name in names:
            found.setdefault(name_key(name), name)
    return _alone(found.values())


def _said(split: str, names: Names, path: Path) -> str:
    shown = printable(", ".join(row[0] for row in names)[:200])
    return f"{split}: {counted(len(names), 'class')} from {printable(str(path))}: {shown}"
